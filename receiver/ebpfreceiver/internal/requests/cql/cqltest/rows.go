package cqltest

import (
	"encoding/binary"
	"strings"
)

// column is one of a result that has the same value in every row.
type column struct{ name, kind, value string }

// Types of columns.
const (
	text16 = "\x00\x0d"
	uuid   = "\x00\x0c"
	inet   = "\x00\x10"
	texts  = "\x00\x22\x00\x0d"
)

var userColumns = []column{{"id", text16, "17"}, {"name", text16, "a secret name"}}

// localColumns are what clients want to know of the server itself.
var localColumns = []column{
	{"key", text16, "local"},
	{"cluster_name", text16, "test"},
	{"data_center", text16, "dc1"},
	{"rack", text16, "rack1"},
	{"release_version", text16, "4.1.0"},
	{"cql_version", text16, "3.4.6"},
	{"partitioner", text16, "org.apache.cassandra.dht.Murmur3Partitioner"},
	{"host_id", uuid, strings.Repeat("\x11", 16)},
	{"schema_version", uuid, strings.Repeat("\x22", 16)},
	{"rpc_address", inet, "\x7f\x00\x00\x01"},
	{"broadcast_address", inet, "\x7f\x00\x00\x01"},
	{"tokens", texts, "\x00\x00\x00\x01\x00\x00\x00\x010"},
}

// rowsOf is a result of n equal rows.
func rowsOf(keyspace, table string, columns []column, n uint32) []byte {
	b := append(number(2), described(keyspace, table, columns)...)
	b = binary.BigEndian.AppendUint32(b, n)
	for range n {
		for _, c := range columns {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(c.value))), c.value...)
		}
	}
	return b
}

// described is what columns a result has.
func described(keyspace, table string, columns []column) []byte {
	b := append(number(1), number(uint32(len(columns)))...)
	b = append(append(b, short(keyspace)...), short(table)...)
	for _, c := range columns {
		b = append(append(b, short(c.name)...), c.kind...)
	}
	return b
}

// prepare is the response to the preparation of a statement: its number, what is
// bound to it, and what columns it results in.
func (s *session) prepare(r *request, text string) (opcode byte, body []byte) {
	if opcode, body = result(text); opcode == 0x00 {
		return opcode, body
	}
	b := append(number(4), short(s.prepared.put(text))...)
	if r.version >= 5 {
		b = append(b, short("of its result")...)
	}
	var bound []column
	for range strings.Count(text, "?") {
		bound = append(bound, column{name: "p", kind: text16})
	}
	b = append(append(b, number(1)...), number(uint32(len(bound)))...)
	b = append(b, number(0)...) // none of them is in the key of a partition
	b = append(append(b, short("shop")...), short("users")...)
	for _, c := range bound {
		b = append(append(b, short(c.name)...), c.kind...)
	}
	if strings.HasPrefix(text, "SELECT") {
		return 0x08, append(b, described("shop", "users", userColumns)...)
	}
	return 0x08, append(append(b, number(4)...), number(0)...)
}
