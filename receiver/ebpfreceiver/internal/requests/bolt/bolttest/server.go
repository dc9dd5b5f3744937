// Package bolttest is a server that answers clients of Bolt as a script has it, for
// where no real one runs. It is used by tests only, and shares no code with the
// parser.
//
// A statement is answered by how it begins: "MATC " by an error, "UNWIND " by 1000
// rows, "CREATE (:" by none, any other by one row.
package bolttest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
)

// Tags of messages.
const (
	tagGoodbye = 0x02
	tagReset   = 0x0f
	tagRun     = 0x10
	tagPull    = 0x3f
	tagSuccess = 0x70
	tagRecord  = 0x71
	tagIgnored = 0x7e
	tagFailure = 0x7f
)

var errProtocol = errors.New("not Bolt")

// Serve answers connections until the listener is closed.
func Serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s := &session{in: bufio.NewReader(c), out: bufio.NewWriter(c)}
		go func() {
			defer c.Close()
			_ = s.run() // the client sees what becomes of it
		}()
	}
}

// session is one connection.
type session struct {
	in     *bufio.Reader
	out    *bufio.Writer
	rows   int  // of the last statement that were not fetched yet
	failed bool // until it is reset, what is asked is ignored
}

func (s *session) run() error {
	var offer [20]byte // how all connections begin, and four versions
	if _, err := io.ReadFull(s.in, offer[:]); err != nil {
		return err
	}
	if string(offer[:4]) != "\x60\x60\xb0\x17" {
		return errProtocol
	}
	_, _ = s.out.WriteString("\x00\x00\x04\x05") // version 5.4
	for {
		if s.in.Buffered() == 0 { // what was asked at once is answered at once
			if err := s.out.Flush(); err != nil {
				return err
			}
		}
		m, err := s.read()
		if err != nil || m[1] == tagGoodbye {
			return err
		}
		s.answer(m[1], m[2:])
	}
}

// read returns a message, of at least a marker and a tag.
func (s *session) read() (m []byte, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(s.in, head[:]); err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint16(head[:])
		if n == 0 && len(m) >= 2 {
			return m, nil
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(s.in, chunk); err != nil {
			return nil, err
		}
		m = append(m, chunk...)
	}
}

func (s *session) answer(tag byte, body []byte) {
	switch {
	case tag == tagReset:
		s.failed = false
		s.write(tagSuccess, "\xa0")
	case s.failed:
		s.write(tagIgnored)
	case tag == tagRun:
		s.statement(text(body))
	case tag == tagPull:
		s.pull(wanted(body))
	default: // a greeting, or an end of a transaction
		s.write(tagSuccess, "\xa2"+str("server")+str("Neo4j/5.26.0")+str("connection_id")+str("bolt-1"))
	}
}

func (s *session) statement(text string) {
	switch s.rows = 1; {
	case strings.HasPrefix(text, "MATC "):
		s.failed = true
		s.write(tagFailure, "\xa2"+str("code")+str("Neo.ClientError.Statement.SyntaxError")+str("message")+str("Invalid input"))
		return
	case strings.HasPrefix(text, "UNWIND "):
		s.rows = 1000
	case strings.HasPrefix(text, "CREATE (:"):
		s.rows = 0
	}
	s.write(tagSuccess, "\xa2"+str("fields")+"\x91"+str("n")+str("t_first")+"\x01")
}

// pull writes so many rows, and whether there are more.
func (s *session) pull(n int) {
	for range min(n, s.rows) {
		s.write(tagRecord, "\x91"+str("some text"))
	}
	if s.rows -= min(n, s.rows); s.rows > 0 {
		s.write(tagSuccess, "\xa1"+str("has_more")+"\xc3")
		return
	}
	s.write(tagSuccess, "\xa2"+str("type")+str("r")+str("db")+str("shop"))
}

// text is a string at the beginning of b.
func text(b []byte) string {
	if len(b) < 3 {
		return ""
	}
	n, at := 0, 0
	switch marker := b[0]; {
	case marker&0xf0 == 0x80:
		n, at = int(marker&0xf), 1
	case marker == 0xd0:
		n, at = int(b[1]), 2
	case marker == 0xd1:
		n, at = int(binary.BigEndian.Uint16(b[1:])), 3
	}
	return string(b[at:min(at+n, len(b))])
}

// wanted is how many rows a map with a number of them asks for.
func wanted(b []byte) int {
	_, n, ok := strings.Cut(string(b), str("n"))
	switch {
	case ok && n != "" && n[0] < 0x80:
		return int(n[0])
	case ok && len(n) > 2 && n[0] == 0xc9:
		return int(binary.BigEndian.Uint16([]byte(n[1:])))
	}
	return 1 << 30 // all
}

// str encodes a string of less than 256 bytes.
func str(s string) string {
	if len(s) < 16 {
		return string([]byte{0x80 | byte(len(s))}) + s
	}
	return string([]byte{0xd0, byte(len(s))}) + s
}

// write writes a message of encoded fields.
func (s *session) write(tag byte, fields ...string) {
	m := string([]byte{0xb0 | byte(len(fields)), tag}) + strings.Join(fields, "")
	_, _ = s.out.Write(binary.BigEndian.AppendUint16(nil, uint16(len(m)))) // what fails is told when it is flushed
	_, _ = s.out.WriteString(m + "\x00\x00")
}
