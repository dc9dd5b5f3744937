package requests

import (
	"time"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// opaqueGrace is how long a connection may be encrypted before its plain text is
// announced; without that it is one that is not decoded.
const opaqueGrace = 3 * time.Second

// encrypted is a connection that is encrypted, or became so.
type encrypted struct {
	exchange.Encryption
	decoded bool // its plain text is followed
	told    bool // Config.Opaque knows of it, or need not
	waits   bool // endpoint, protocol and since are set
	ep      exchange.Endpoint
	proto   int
	since   uint64
}

// encryptions are the encrypted connections by the socket of their cipher text.
type encryptions struct {
	bySocket map[uint64]*encrypted
	queue    []uint64 // sockets whose grace has begun, in this order
	max      int
}

// of returns what is known of a connection, a new entry when nothing is. The
// socket may be that of its plain text.
func (e *encryptions) of(socket uint64) *encrypted {
	socket &^= event.TLSStream
	known := e.bySocket[socket]
	if known != nil {
		return known
	}
	if len(e.bySocket) >= e.max {
		for other := range e.bySocket { // any: which one went unheard of for longest is not worth a list
			delete(e.bySocket, other)
			break
		}
	}
	known = &encrypted{}
	e.bySocket[socket] = known
	return known
}

// announced notes that the plain text of a connection is followed.
func (e *encryptions) announced(socket uint64) {
	known := e.of(socket)
	known.decoded, known.waits = true, false
}

// isAnnouncement tells whether a record says only that plain text will come.
func isAnnouncement(r *event.Request) bool {
	return r.Flags&event.RequestTLS != 0 && r.Direction == event.Send && r.Bytes == 0 && r.Error == 0
}

// encrypts takes a connection that goes on encrypted. It is told as opaque
// unless its plain text is, or soon will be, followed.
func (a *Assembler) encrypts(c *conn) {
	known := a.encrypted.of(c.ep.Socket)
	if known.decoded || known.told || known.waits {
		return
	}
	known.waits, known.proto, known.since = true, c.proto, c.seen
	known.ep = c.ep
	known.ep.Owner = c.owner
	a.encrypted.queue = append(a.encrypted.queue, c.ep.Socket)
	if a.cfg.Encrypts != nil {
		a.cfg.Encrypts(c.owner)
	}
}

// tellEncrypted tells of the connections whose grace ended before a time.
func (a *Assembler) tellEncrypted(before uint64) {
	n := 0
	for _, socket := range a.encrypted.queue {
		known := a.encrypted.bySocket[socket]
		if known != nil && known.waits && known.since > before {
			break
		}
		n++
		if known != nil {
			a.tellOpaque(known)
		}
	}
	a.encrypted.queue = append(a.encrypted.queue[:0], a.encrypted.queue[n:]...)
}

// endEncrypted forgets a connection, whose plain text the kernel side follows or not.
func (a *Assembler) endEncrypted(socket uint64, covered bool) {
	known := a.encrypted.bySocket[socket]
	if known == nil {
		return
	}
	if !covered {
		a.tellOpaque(known)
	}
	delete(a.encrypted.bySocket, socket)
}

// tellOpaque tells of a connection that is not decoded, once.
func (a *Assembler) tellOpaque(known *encrypted) {
	if !known.waits || known.told {
		return
	}
	known.waits, known.told = false, true
	a.stats.Opaque[exchange.TLS]++
	if a.cfg.Opaque != nil {
		a.cfg.Opaque(&known.ep, a.cfg.Protocols[known.proto].Name(), exchange.TLS)
	}
}
