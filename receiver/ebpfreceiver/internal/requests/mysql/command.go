package mysql

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
)

const (
	headerSize = 4 // length, 3 bytes, and number
	maxPacket  = 1<<24 - 1
	greeting   = 10 // version of the protocol, at the beginning of a greeting
)

// Commands that are referred to.
const (
	comQuit       = 0x01
	comInitDB     = 0x02
	comQuery      = 0x03
	comFieldList  = 0x04
	comStatistics = 0x09
	comPing       = 0x0e
	comChangeUser = 0x11
	comPrepare    = 0x16
	comExecute    = 0x17
	comClose      = 0x19
	comFetch      = 0x1c
	comReset      = 0x1f
	comBulk       = 0xfa
)

// shape is how a command is answered.
type shape uint8

const (
	silent   shape = iota // not at all
	simply                // OK or an error
	results               // OK, an error, or columns and rows
	rows                  // rows until the end
	prepared              // what is needed to execute it
	text                  // one packet
	login                 // more of an authentication
	changes               // the changes of the database, for ever
)

// command is what is known of a command.
type command struct {
	name     string
	min, max uint64 // length of its packet
	shape    shape
}

// commands by their number.
var commands = map[byte]command{
	comQuit:       {"", 1, 1, silent},
	comInitDB:     {"INIT_DB", 2, 256, simply},
	comQuery:      {"QUERY", 2, maxPacket, results},
	comFieldList:  {"FIELD_LIST", 2, 1024, rows},
	0x05:          {"CREATE_DB", 2, 256, simply},
	0x06:          {"DROP_DB", 2, 256, simply},
	0x07:          {"REFRESH", 2, 2, simply},
	0x08:          {"SHUTDOWN", 1, 2, simply},
	comStatistics: {"STATISTICS", 1, 1, text},
	0x0a:          {"PROCESS_INFO", 1, 1, results},
	0x0c:          {"PROCESS_KILL", 5, 5, simply},
	0x0d:          {"DEBUG", 1, 1, simply},
	comPing:       {"PING", 1, 1, simply},
	comChangeUser: {"CHANGE_USER", 4, 4096, login},
	0x12:          {"BINLOG_DUMP", 11, 1024, changes},
	0x15:          {"REGISTER_SLAVE", 18, 1024, simply},
	comPrepare:    {"PREPARE", 2, maxPacket, prepared},
	comExecute:    {"EXECUTE", 10, maxPacket, results},
	0x18:          {"", 7, maxPacket, silent}, // long data
	comClose:      {"", 5, 5, silent},
	0x1a:          {"STMT_RESET", 5, 5, simply},
	0x1b:          {"SET_OPTION", 3, 3, simply},
	comFetch:      {"FETCH", 9, 9, rows},
	0x1e:          {"BINLOG_DUMP_GTID", 19, 4096, changes},
	comReset:      {"RESET_CONNECTION", 1, 1, simply},
	comBulk:       {"EXECUTE", 7, maxPacket, results},
}

// packets are how both sides begin their messages.
func packets(keep int) dbconn.Header {
	return dbconn.Header{
		Size: headerSize,
		Length: func(head []byte) (uint64, bool) {
			return uint64(head[0]) | uint64(head[1])<<8 | uint64(head[2])<<16, true
		},
		Keep: func([]byte) int { return keep },
	}
}

// What is kept of a packet that comes in parts: of a response its beginning
// tells all.
var (
	requests  = packets(maxPacket)
	responses = packets(512)
)

// beginsRequest tells whether b, the first bytes of a segment of n bytes, begins
// a command, and whether what follows it in the segment does.
func beginsRequest(b []byte, n uint64) bool {
	for first := true; len(b) > headerSize; first = false {
		size, _ := requests.Length(b)
		if b[3] != 0 || !plausible(b[headerSize:], size) {
			return false
		}
		size += headerSize
		if size >= n {
			return true
		}
		if size >= uint64(len(b)) {
			return !first || n > uint64(len(b)) // the rest is not at hand
		}
		b, n = b[size:], n-size
	}
	return false
}

// plausible tells whether a packet of n bytes, which begins with b, is a
// command.
func plausible(b []byte, n uint64) bool {
	c, ok := commands[b[0]]
	if !ok || n < c.min || n > c.max {
		return false
	}
	switch b[0] {
	case comQuery, comPrepare:
		sql, _ := statementText(b)
		return len(sql) == 0 || sql[0] >= ' ' && sql[0] < 0x7f || sql[0] == '\n' || sql[0] == '\t' || sql[0] == '\r'
	case comExecute:
		return len(b) < 10 || b[5] < 16 && binary.LittleEndian.Uint32(b[6:]) == 1
	case comPing, comReset:
		return n == 1
	}
	return true
}

// statementText returns the statement in the packet of a query. Since MySQL 8.0
// attributes may precede it; where there are any, it is not looked for.
func statementText(b []byte) (sql []byte, ok bool) {
	sql = b[1:]
	switch {
	case b[0] != comQuery || len(sql) < 2 || sql[0] >= ' ' || sql[0] == '\n' || sql[0] == '\t' || sql[0] == '\r':
		return sql, true
	case sql[0] == 0 && sql[1] == 1:
		return sql[2:], true
	}
	return nil, false
}

// cutInteger takes an integer of variable length off b.
func cutInteger(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	size := map[byte]int{0xfc: 2, 0xfd: 3, 0xfe: 8}[b[0]]
	switch {
	case b[0] < 0xfb:
		return uint64(b[0]), b[1:], true
	case size == 0 || len(b) <= size:
		return 0, nil, false
	}
	for i := size; i > 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n, b[1+size:], true
}
