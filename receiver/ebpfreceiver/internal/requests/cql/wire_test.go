package cql

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

func short(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func long(n int) string  { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }
func text(s string) string {
	return short(len(s)) + s
}
func longText(s string) string { return long(len(s)) + s }

// env is an envelope.
func env(version, flags byte, id int, opcode byte, body string) string {
	return string([]byte{version, flags}) + short(id) + string([]byte{opcode}) + long(len(body)) + body
}

func req(id int, opcode byte, body string) string  { return env(4, 0, id, opcode, body) }
func resp(id int, opcode byte, body string) string { return env(4|response, 0, id, opcode, body) }

// parameters of a query: consistency LOCAL_QUORUM, and one value.
const parameters = "\x00\x06\x01\x00\x01\x00\x00\x00\x06secret"

func query(id int, cql string) string { return req(id, opQuery, longText(cql)+parameters) }

func prepare(id int, cql string) string { return req(id, opPrepare, longText(cql)) }

func execute(id int, number string) string { return req(id, opExecute, text(number)+parameters) }

func done(id int) string { return resp(id, opResult, long(1)) }

// rows is a result with columns of several types.
func rows(id, n int, data string) string {
	body := long(resultRows) + long(globalSpec) + long(3) + text("shop") + text("users") +
		text("id") + short(0x0c) + text("tags") + short(0x22) + short(0x0d) + text("address") +
		short(0x30) + text("shop") + text("address") + short(1) + text("street") + short(0x21) + short(0x0d) + short(0x31) + short(1) + short(9) +
		long(n) + data
	return resp(id, opResult, body)
}

func preparedAs(id int, number string) string {
	return resp(id, opResult, long(resultPrepared)+text(number)+long(1)+long(0)+long(0))
}

func using(id int, keyspace string) string {
	return resp(id, opResult, long(resultKeyspace)+text(keyspace))
}

func failure(id, code int) string { return resp(id, opError, long(code)+text("secret")) }

// segments puts envelopes into segments of at most n bytes.
func segments(envelopes string, n int) (s string) {
	for c := range slices.Chunk([]byte(envelopes), n) {
		head := uint32(len(c))
		if len(c) == len(envelopes) {
			head |= selfContained
		}
		s += little(head, 3) + little(crc24(uint64(head), 3), 3) + string(c) + little(crc32.ChecksumIEEE(c), 4)
	}
	return s
}

func little(v uint32, n int) string {
	return string(binary.LittleEndian.AppendUint32(nil, v)[:n])
}

// five makes version 5 of an envelope.
func five(envelope string) string {
	return string([]byte{envelope[0]&response | 5}) + envelope[1:]
}

var (
	options = req(0, opOptions, "")
	offered = resp(0, opSupported, short(0))
	startup = req(1, opStartup, short(1)+text("CQL_VERSION")+text("3.0.0"))
	ready   = resp(1, opReady, "")
	use     = query(2, "USE shop")
	used    = using(2, "shop")
	one     = query(3, "SELECT * FROM users WHERE id = 17")
	oneRow  = rows(3, 1, "some data")
)

const found = "{SELECT * FROM users WHERE id = ?} in shop rows=1"
