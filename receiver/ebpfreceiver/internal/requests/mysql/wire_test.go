package mysql

import (
	"encoding/binary"
	"strings"
)

// pkt is a packet with a number.
func pkt(number byte, body string) string {
	n := len(body)
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), number}) + body
}

// run numbers packets one after the other.
func run(number byte, bodies ...string) string {
	var b strings.Builder
	for _, body := range bodies {
		b.WriteString(pkt(number, body))
		number++
	}
	return b.String()
}

func com(code byte, body string) string { return pkt(0, string([]byte{code})+body) }
func query(sql string) string           { return com(comQuery, sql) }
func prepare(sql string) string         { return com(comPrepare, sql) }

func execute(number uint32) string {
	b := binary.LittleEndian.AppendUint32(nil, number)
	return com(comExecute, string(b)+"\x00\x01\x00\x00\x00")
}

func failure(code uint16, state string) string {
	return "\xff" + string(binary.LittleEndian.AppendUint16(nil, code)) + "#" + state + "message"
}

// prepareOK is the first packet of the answer to a preparation.
func prepareOK(number uint32, columns, parameters uint16) string {
	b := binary.LittleEndian.AppendUint32([]byte{0}, number)
	b = binary.LittleEndian.AppendUint16(b, columns)
	b = binary.LittleEndian.AppendUint16(b, parameters)
	return string(b) + "\x00\x00\x00"
}

const (
	ok       = "\x00\x00\x00\x02\x00\x00\x00"
	okMore   = "\x00\x01\x00\x0a\x00\x00\x00"
	eof      = "\xfe\x00\x00\x02\x00"
	eofMore  = "\xfe\x00\x00\x0a\x00"
	cursor   = "\xfe\x00\x00\x42\x00"
	okForEOF = "\xfe\x00\x00\x02\x00\x00\x00"
	column   = "\x03def\x04shop\x01t\x01t\x01a\x01a\x0c\x3f\x00\x0b\x00\x00\x00\x03\x00\x00\x00\x00\x00"
	row      = "\x0217"
)

// hello is the greeting of a server, login the answer of a client.
func hello(version string) string {
	return pkt(0, "\x0a"+version+"\x00\x08\x00\x00\x00saltsalt\x00\xff\xf7\x2d\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00salt\x00mysql_native_password\x00")
}

func identity(caps uint32, database string) string {
	b := binary.LittleEndian.AppendUint32(nil, caps)
	b = append(b, make([]byte, 28)...)
	body := string(b) + "me\x00\x06secret"
	if caps&capDatabase != 0 {
		body += database + "\x00"
	}
	return pkt(1, body+"mysql_native_password\x00")
}

const plainCaps = capProtocol41 | capSecure | capLongAuth | capDatabase

var (
	one    = query("SELECT a FROM t WHERE id = 17")
	oneRow = run(1, "\x01", column, eof, row, eof)
)
