package mongodb

import (
	"encoding/binary"
	"math"
	"strconv"
)

// field is a field of a document, in order.
type field struct {
	key   string
	value any
}

type doc []field

// list is an array.
type list []any

func le32(n int) string   { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func le64(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

// bson encodes a document.
func bson(d doc) string {
	var b string
	for _, f := range d {
		kind, value := encode(f.value)
		b += string([]byte{kind}) + f.key + "\x00" + value
	}
	return le32(len(b)+5) + b + "\x00"
}

func encode(v any) (kind byte, value string) {
	switch v := v.(type) {
	case string:
		return kindString, le32(len(v)+1) + v + "\x00"
	case int:
		return kindInt32, le32(v)
	case int64:
		return kindInt64, le64(v)
	case float64:
		return kindDouble, le64(int64(math.Float64bits(v)))
	case bool:
		return kindBool, map[bool]string{false: "\x00", true: "\x01"}[v]
	case []byte:
		return kindBinary, le32(len(v)) + "\x00" + string(v)
	case doc:
		return kindDocument, bson(v)
	case list:
		var d doc
		for i, e := range v {
			d = append(d, field{strconv.Itoa(i), e})
		}
		return kindArray, bson(d)
	}
	return 0x0a, ""
}

// message is any message.
func message(op opcode, id, response int, body string) string {
	return le32(headerSize+len(body)) + le32(id) + le32(response) + le32(int(op)) + body
}

// flagged is an OP_MSG with flags, a document, and whatever sections follow.
func flagged(flags, id, response int, d doc, sections ...string) string {
	body := le32(flags) + "\x00" + bson(d)
	for _, s := range sections {
		body += s
	}
	return message(opMsg, id, response, body)
}

func ask(id int, d doc, sections ...string) string { return flagged(0, id, 0, d, sections...) }
func tell(to int, d doc) string                    { return flagged(0, to+1000000, to, d) }

// sequence is a section with documents of a field.
func sequence(name string, docs ...doc) string {
	body := name + "\x00"
	for _, d := range docs {
		body += bson(d)
	}
	return "\x01" + le32(len(body)+4) + body
}

// query is a legacy query of a collection.
func query(id int, name string, d doc) string {
	return message(opQuery, id, 0, le32(0)+name+"\x00"+le32(0)+le32(-1)+bson(d))
}

// legacyTell is a legacy reply.
func legacyTell(to, flags int, docs ...doc) string {
	body := le32(flags) + le64(0) + le32(0) + le32(len(docs))
	for _, d := range docs {
		body += bson(d)
	}
	return message(opReply, to+1000000, to, body)
}

var (
	fine   = doc{{"ok", 1.0}}
	denied = doc{{"ok", 0.0}, {"errmsg", "secret"}, {"code", 13}, {"codeName", "Unauthorized"}}
	find   = doc{{"find", "orders"}, {"filter", doc{{"total", doc{{"$gt", 100}}}, {"name", "secret"}}}, {"lsid", doc{{"id", 1}}}, {"$db", "shop"}}
)

const foundText = `{"find":"orders","filter":{"total":{"$gt":?},"name":?}}`

// cursorOf is a reply with a cursor that returned n documents.
func cursorOf(id int64, batch string, n int) doc {
	var docs list
	for range n {
		docs = append(docs, doc{{"_id", 1}, {"name", "secret"}})
	}
	return doc{{"cursor", doc{{batch, docs}, {"id", id}, {"ns", "shop.orders"}}}, {"ok", 1.0}}
}
