package bolt

import (
	"strings"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
)

// magic is what a client begins a connection with, before the versions that it
// proposes.
const magic = "\x60\x60\xb0\x17"

// phase of a connection.
type phase uint8

const (
	proposes phase = iota // the client: magic and four versions
	chooses               // the server: one of them, or that it offers a list
	offers                // the server: its list
	settles               // the client: one of the list
	talks                 // messages
)

// Sizes of what is agreed on, in bytes.
const (
	versionBytes  = 4
	proposalBytes = 4 + 4*versionBytes
	maxOffer      = 256
)

// manifest is a "version" that says that the server offers a list.
const manifest = 0xff

// maxMajor is the newest version that is understood.
const maxMajor = 6

// shake takes bytes of the agreement, whichever side they are of. It returns
// false when there is no more of it in the segment.
func (p *Parser) shake(c *dbconn.Cursor) bool {
	for c.Left() > 0 {
		if len(c.Data) == 0 || len(p.hands) >= maxOffer {
			p.refuse()
			return false
		}
		p.hands = append(p.hands, c.Data[0])
		c.Skip(1)
		if p.phase == proposes && !strings.HasPrefix(magic, string(p.hands[:min(len(p.hands), len(magic))])) {
			p.refuse()
			return false
		}
		if p.agreed() {
			p.hands = p.hands[:0]
			return !p.Stopped && c.Left() > 0
		}
	}
	return false
}

// agreed tells whether a step of the agreement is complete, and takes the next.
func (p *Parser) agreed() bool {
	switch b := p.hands; p.phase {
	case proposes:
		if len(b) < proposalBytes {
			return false
		}
		p.phase = chooses
	case chooses:
		if len(b) < versionBytes {
			return false
		}
		switch major := b[3]; major {
		case manifest:
			p.phase = offers
		case 0: // none of them
			p.Stop()
		default:
			p.settled(major)
		}
	case offers: // a number, so many versions, and capabilities
		n, size, ok := variable(b)
		if !ok || n > maxOffer || len(b) < size+int(n)*versionBytes {
			return false
		}
		if _, _, ok = variable(b[size+int(n)*versionBytes:]); !ok {
			return false
		}
		p.phase = settles
	default: // a version, and capabilities
		if len(b) < versionBytes {
			return false
		}
		if _, _, ok := variable(b[versionBytes:]); !ok {
			return false
		}
		p.settled(b[3])
	}
	return true
}

// settled takes the version that was agreed on.
func (p *Parser) settled(major byte) {
	if major > maxMajor {
		p.refuse()
		return
	}
	p.phase = talks
}

// variable reads an integer of seven bits a byte, and how many bytes it has.
func variable(b []byte) (n uint64, size int, ok bool) {
	for i, c := range b[:min(len(b), 9)] {
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, i + 1, true
		}
	}
	return 0, 0, false
}

// identify takes what the server says of itself.
func (p *Parser) identify(server string) {
	switch {
	case strings.Contains(server, "Memgraph"):
		p.system = Memgraph
	case strings.Contains(server, "FalkorDB"):
		p.system = FalkorDB
	}
}
