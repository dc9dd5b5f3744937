package bolt

import (
	"encoding/binary"
	"slices"
)

// kv is a map in the order of its keys and values.
type kv []any

// pack encodes a value.
func pack(v any) string {
	switch v := v.(type) {
	case nil:
		return "\xc0"
	case bool:
		if v {
			return "\xc3"
		}
		return "\xc2"
	case int:
		return "\xcb" + string(binary.BigEndian.AppendUint64(nil, uint64(v)))
	case string:
		return size(0x80, 0xd0, len(v)) + v
	case []any:
		s := size(0x90, 0xd4, len(v))
		for _, e := range v {
			s += pack(e)
		}
		return s
	case kv:
		s := size(0xa0, 0xd8, len(v)/2)
		for _, e := range v {
			s += pack(e)
		}
		return s
	}
	panic(v)
}

// size is how a value of n bytes or elements begins.
func size(tiny, marker byte, n int) string {
	switch {
	case n < 16:
		return string([]byte{tiny | byte(n)})
	case n < 256:
		return string([]byte{marker, byte(n)})
	default:
		return string(binary.BigEndian.AppendUint16([]byte{marker + 1}, uint16(n)))
	}
}

// msg is a message in one chunk.
func msg(tag byte, fields ...any) string {
	return chunked(raw(tag, fields...), 1<<16-1)
}

func raw(tag byte, fields ...any) string {
	s := string([]byte{0xb0 | byte(len(fields)), tag})
	for _, f := range fields {
		s += pack(f)
	}
	return s
}

// chunked is a message in chunks of n bytes.
func chunked(body string, n int) (s string) {
	for c := range slices.Chunk([]byte(body), n) {
		s += string(binary.BigEndian.AppendUint16(nil, uint16(len(c)))) + string(c)
	}
	return s + "\x00\x00"
}

// runIn is a query in a database.
func runIn(db, text string) string {
	return msg(run, text, kv{"secret", "value"}, kv{"mode", "r", "db", db})
}

func query(text string) string { return runIn("shop", text) + pullAll }

func rows(n int) (s string) {
	for i := range n {
		s += msg(record, []any{i, "some text"})
	}
	return s
}

func fail(code string) string { return msg(failure, kv{"code", code, "message", "secret"}) }

var (
	proposal = magic + "\x00\x04\x04\x05\x00\x00\x00\x04\x00\x00\x00\x03\x00\x00\x00\x00"
	version5 = "\x00\x00\x04\x05"
	greet    = msg(hello, kv{"user_agent", "me"}) + msg(logon, kv{"scheme", "basic", "credentials", "secret"})
	welcome  = msg(success, kv{"server", "Neo4j/5.26.0", "connection_id", "bolt-1"}) + msg(success, kv{})
	pullAll  = msg(pull, kv{"n", -1})
	pull2    = msg(pull, kv{"n", 2})
	ran      = msg(success, kv{"fields", []any{"n", "m"}, "t_first", 1})
	ranEmpty = msg(success, kv{"fields", []any{}, "t_first", 1})
	pulled   = msg(success, kv{"bookmark", "FB:x", "type", "r", "t_last", 0, "db", "shop"})
	pulledIn = msg(success, kv{"has_more", true})
	okay     = msg(success, kv{})
	skipped  = msg(ignored)
	one      = query("MATCH (n:A) WHERE n.id = 17 RETURN n")
	oneRow   = ran + rows(1) + pulled
	noop     = "\x00\x00"
)
