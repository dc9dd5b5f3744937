package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Capabilities that the client asks for.
const (
	capDatabase   = 1 << 3
	capCompress   = 1 << 5
	capProtocol41 = 1 << 9
	capTLS        = 1 << 11
	capSecure     = 1 << 15 // authentication data have a length
	capLongAuth   = 1 << 21 // of variable size
	capZstd       = 1 << 26
)

// form of what follows the authentication.
type form uint8

const (
	packedNot  form = iota
	packedZlib      // in frames
	packedZstd      // in frames, which are not followed
)

// welcome follows what the server says before commands are sent.
func (p *Parser) welcome(s *exchange.Segment) {
	if b := s.Payload; p.phase == greets && p.resp.Between() && len(b) > headerSize+2 && !isGreeting(b) && b[headerSize] != isError {
		p.Refuse() // or wait for millions of bytes
		return
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && !p.Stopped {
		m, found := p.resp.Next(&c, &responses)
		switch {
		case found == dbconn.More:
			return
		case found != dbconn.Whole || len(m.Body) == 0:
			p.Refuse()
			return
		case p.phase == greets:
			p.greeted(&m)
		case p.phase == proves:
			p.proved(m.Body[0])
		}
	}
}

// greeted takes the greeting.
func (p *Parser) greeted(m *dbconn.Message) {
	switch {
	case m.Head[3] == 0 && m.Body[0] == isError: // too many connections, or the like
		p.Stop()
		return
	case m.Body[0] != greeting || m.Head[3] != 0:
		p.Refuse()
		return
	}
	version, _, _ := bytes.Cut(m.Body[1:], []byte{0})
	if bytes.Contains(version, []byte("MariaDB")) {
		p.system = MariaDB
	}
	p.phase = answers
}

// proved takes what the server says about who the client is.
func (p *Parser) proved(first byte) {
	switch first {
	case 0:
		if p.packs == packedZstd {
			p.undecoded(exchange.Compressed)
			return
		}
		p.phase, p.packing.on = commanding, p.packs == packedZlib
	case 0xff:
		p.Stop()
	}
}

// identify follows what the client says before commands are sent.
func (p *Parser) identify(s *exchange.Segment) {
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		m, found := p.req.Next(&c, &requests)
		if found == dbconn.More {
			return
		}
		if found != dbconn.Whole {
			p.Stop()
			return
		}
		if p.phase != answers {
			continue // secrets
		}
		if len(m.Body) < 32 || m.Head[3] == 0 || m.Head[3] > 2 {
			p.Refuse()
			return
		}
		if m.Head[3] == 2 {
			p.resume()
		}
		p.identified(m.Body)
		if p.Stopped {
			return
		}
	}
}

// identified takes the first packet of the client.
func (p *Parser) identified(b []byte) {
	caps := binary.LittleEndian.Uint32(b)
	switch { // as servers choose
	case caps&capCompress != 0:
		p.packs = packedZlib
	case caps&capZstd != 0:
		p.packs = packedZstd
	}
	p.phase = proves
	b = b[32:]
	switch {
	case caps&capProtocol41 == 0:
		return
	case caps&capTLS != 0 && len(b) == 0:
		if s, ok := p.Q.Sink.(exchange.EncryptionSink); ok {
			s.Encryption().Before = p.system
		}
		p.undecoded(exchange.TLS)
		return
	}
	_, b, ok := bytes.Cut(b, []byte{0}) // the user
	if !ok || caps&capDatabase == 0 {
		return
	}
	size, rest, ok := cutInteger(b)
	switch {
	case caps&capLongAuth != 0:
	case caps&capSecure != 0 && len(b) > 0:
		size, rest, ok = uint64(b[0]), b[1:], true
	default:
		size, rest, ok = 0, b[bytes.IndexByte(b, 0)+1:], true
	}
	if !ok || size > uint64(len(rest)) {
		return
	}
	if database, _, whole := bytes.Cut(rest[size:], []byte{0}); whole {
		p.database = append(p.database[:0], database...)
	}
}

// resume goes on with a conversation that was greeted in plain text.
func (p *Parser) resume() {
	if s, ok := p.Q.Sink.(exchange.EncryptionSink); ok && s.Encryption().Before != "" {
		p.system = s.Encryption().Before
	}
}
