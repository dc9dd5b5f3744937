// Package cqltest is a server that answers clients of Cassandra's native protocol
// as a script has it, for where no real one is to be had. It is used by tests
// only, and shares no code with the parser.
//
// A statement is answered by what it mentions: "many" by 500 rows, "missing" by
// an error, "SELEC " by another one, any other SELECT by two rows.
package cqltest

import (
	"bufio"
	"bytes"
	"crypto/md5" //nolint:gosec // as the numbers of statements are made
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Serve answers connections until the listener is closed.
func Serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s := &session{conn: c, in: bufio.NewReader(c), prepared: prepared}
		go s.run()
	}
}

// prepared are the statements by their numbers, of all connections.
var prepared = &statements{texts: map[string]string{}}

type statements struct {
	mu    sync.Mutex
	texts map[string]string
}

func (s *statements) put(text string) (number string) {
	sum := md5.Sum([]byte(text)) //nolint:gosec // see above
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[string(sum[:])] = text
	return string(sum[:])
}

func (s *statements) get(number string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts[number]
}

// session is one connection.
type session struct {
	conn     net.Conn
	in       *bufio.Reader
	prepared *statements
	framed   bool   // envelopes are in segments
	rest     []byte // of segments that were read

	mu sync.Mutex // of writes
}

// request is an envelope of a client.
type request struct {
	version, opcode byte
	stream          uint16
	body            []byte
}

func (s *session) run() {
	defer s.conn.Close()
	for n := 0; ; n++ {
		r, err := s.read()
		if err != nil {
			return
		}
		if r.version < 3 || r.version > 5 {
			s.write(&r, 0x00, failure(0x0a, "Invalid or unsupported protocol version"))
			return
		}
		if r.opcode == opStartup {
			s.write(&r, 0x02, nil) // READY
			s.framed = r.version >= 5
			continue
		}
		go func() { // answered in any order
			time.Sleep(time.Duration(n%3) * time.Millisecond)
			opcode, body := s.answer(&r)
			s.write(&r, opcode, body)
		}()
	}
}

const (
	opStartup = 0x01
	opOptions = 0x05
	opQuery   = 0x07
	opPrepare = 0x09
	opExecute = 0x0a
	opBatch   = 0x0d
)

func (s *session) read() (r request, err error) {
	head, err := s.take(9)
	if err != nil {
		return r, err
	}
	r = request{version: head[0], opcode: head[4], stream: binary.BigEndian.Uint16(head[2:])}
	r.body, err = s.take(int(binary.BigEndian.Uint32(head[5:])))
	return r, err
}

// take reads n bytes of envelopes.
func (s *session) take(n int) ([]byte, error) {
	for s.framed && len(s.rest) < n {
		var head [6]byte
		if _, err := io.ReadFull(s.in, head[:]); err != nil {
			return nil, err
		}
		length := int(head[0]) | int(head[1])<<8 | int(head[2]&1)<<16
		payload := make([]byte, length+4)
		if _, err := io.ReadFull(s.in, payload); err != nil {
			return nil, err
		}
		s.rest = append(s.rest, payload[:length]...)
	}
	if s.framed {
		b := bytes.Clone(s.rest[:n])
		s.rest = s.rest[n:]
		return b, nil
	}
	b := make([]byte, n)
	_, err := io.ReadFull(s.in, b)
	return b, err
}

func (s *session) write(r *request, opcode byte, body []byte) {
	out := []byte{r.version | 0x80, 0}
	out = binary.BigEndian.AppendUint16(out, r.stream)
	out = append(out, opcode)
	out = append(binary.BigEndian.AppendUint32(out, uint32(len(body))), body...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.framed {
		out = segments(out)
	}
	_, _ = s.conn.Write(out)
}

// segments puts an envelope into segments.
func segments(envelope []byte) (out []byte) {
	const most = 1<<17 - 1
	whole := uint32(1 << 17)
	if len(envelope) > most {
		whole = 0
	}
	for len(envelope) > 0 {
		part := envelope[:min(len(envelope), most)]
		envelope = envelope[len(part):]
		head := uint32(len(part)) | whole
		crc := uint32(0x875060)
		for i := range 3 {
			crc ^= head >> (8 * i) & 0xff << 16
			for range 8 {
				if crc <<= 1; crc&0x1000000 != 0 {
					crc ^= 0x1974f0b
				}
			}
		}
		out = append(out, byte(head), byte(head>>8), byte(head>>16), byte(crc), byte(crc>>8), byte(crc>>16))
		out = append(out, part...)
		// The checksum of a payload begins with four bytes that stand for it.
		sum := crc32.Update(crc32.ChecksumIEEE([]byte{0xfa, 0x2d, 0x55, 0xca}), crc32.IEEETable, part)
		out = binary.LittleEndian.AppendUint32(out, sum)
	}
	return out
}

// answer returns the opcode and the body of the response to a request.
func (s *session) answer(r *request) (opcode byte, body []byte) {
	switch r.opcode {
	case opOptions:
		return 0x06, binary.BigEndian.AppendUint16(nil, 0) // SUPPORTED: nothing
	case opQuery:
		return result(longText(r.body))
	case opPrepare:
		return s.prepare(r, longText(r.body))
	case opExecute:
		n := binary.BigEndian.Uint16(r.body)
		return result(s.prepared.get(string(r.body[2 : 2+n])))
	case opBatch:
		return 0x08, number(1)
	}
	return 0x02, nil // READY, to REGISTER
}

func longText(b []byte) string { return string(b[4 : 4+binary.BigEndian.Uint32(b)]) }

// result is the response to a statement.
func result(text string) (opcode byte, body []byte) {
	switch word, rest, _ := strings.Cut(text, " "); {
	case word == "SELEC":
		return 0x00, failure(0x2000, "line 1:0 no viable alternative at input 'SELEC'")
	case strings.Contains(text, "missing"):
		return 0x00, failure(0x2200, "unconfigured table missing")
	case strings.EqualFold(word, "USE"):
		return 0x08, append(number(3), short(strings.Trim(rest, `"; `))...)
	case !strings.EqualFold(word, "SELECT"):
		return 0x08, number(1)
	case strings.Contains(text, "system.local"):
		return 0x08, rowsOf("system", "local", localColumns, 1)
	case strings.Contains(text, "system"):
		return 0x08, rowsOf("system", "none", []column{{"key", text16, "x"}}, 0)
	case strings.Contains(text, "many"):
		return 0x08, rowsOf("shop", "many", userColumns, 500)
	}
	return 0x08, rowsOf("shop", "users", userColumns, 2)
}

func failure(code uint32, message string) []byte {
	return append(number(code), short(message)...)
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func short(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}
