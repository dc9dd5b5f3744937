package postgresql

import (
	"encoding/binary"
	"strings"
)

// msg is a message with a type.
func msg(typ byte, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{typ}, uint32(len(body)+lengthSize))) + body
}

func untypedMsg(code uint32, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(untypedSize+len(body)))
	return string(binary.BigEndian.AppendUint32(b, code)) + body
}

func query(text string) string       { return msg('Q', text+"\x00") }
func parse(name, text string) string { return msg('P', name+"\x00"+text+"\x00\x00\x00") }
func bind(portal, name string) string {
	return msg('B', portal+"\x00"+name+"\x00\x00\x00\x00\x00\x00\x00")
}
func execute(portal string) string { return msg('E', portal+"\x00\x00\x00\x00\x00") }
func row(data string) string       { return msg('D', "\x00\x01"+data) }
func done(tag string) string       { return msg('C', tag+"\x00") }
func failure(state string) string  { return msg('E', "SERROR\x00C"+state+"\x00Mwhat\x00\x00") }
func ping() string                 { return query("SELECT a FROM last") }

const (
	describeP = "D\x00\x00\x00\x06P\x00"
	describeS = "D\x00\x00\x00\x06S\x00"
	sync      = "S\x00\x00\x00\x04"
	flush     = "H\x00\x00\x00\x04"
	readyI    = "Z\x00\x00\x00\x05I"
	parsed    = "1\x00\x00\x00\x04"
	bound     = "2\x00\x00\x00\x04"
	noData    = "n\x00\x00\x00\x04"
)

var (
	startup = untypedMsg(version3, "user\x00me\x00database\x00shop\x00application_name\x00x\x00\x00")
	welcome = msg('R', "\x00\x00\x00\x00") + msg('S', "server_version\x0015\x00") + msg('K', "\x00\x00\x00\x01\x00\x00\x00\x02") + readyI
	columns = msg('T', "\x00\x01a\x00"+strings.Repeat("\x00", 18))
	one     = query("SELECT a FROM t WHERE id = 17")
	oneRow  = columns + row("x") + done("SELECT 1") + readyI
)
