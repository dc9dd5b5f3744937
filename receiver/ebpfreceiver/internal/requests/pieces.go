package requests

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// maxPieces bounds the sockets whose first bytes were too few.
const maxPieces = 1024

// piece is the first bytes of a socket, too few to tell what they begin: many
// programs read the length of a message first. What follows decides.
type piece struct {
	ev      event.Event
	payload [tellingBytes]byte
}

// isPiece tells whether the first record of a socket has too few bytes. Nothing
// is waited for when its protocol knows them.
func (a *Assembler) isPiece(r *event.Request) bool {
	n := uint64(len(r.Payload))
	if n == 0 || n >= tellingBytes || n != r.Bytes || r.Flags&event.RequestDatagram != 0 {
		return false
	}
	proto := int(r.Class) - 1
	return proto >= 0 && proto < len(a.cfg.Protocols) && a.cfg.Protocols[proto].Classify(r.Payload) == exchange.Foreign
}

// keep puts a piece aside. It returns false when there is no room.
func (a *Assembler) keep(ev *event.Event) bool {
	if len(a.pieces) >= maxPieces {
		return false
	}
	p := &piece{ev: *ev}
	p.ev.Request.Payload = p.payload[:copy(p.payload[:], ev.Request.Payload)]
	p.ev.Request.Tail = nil
	a.pieces[ev.Request.Socket] = p
	return true
}

// join takes up the socket of a piece, by it and the record that came after it,
// and feeds the piece.
func (a *Assembler) join(p *piece, next *event.Request) {
	delete(a.pieces, next.Socket)
	r := p.ev.Request
	if next.Direction == r.Direction && next.Position == r.Position+r.Bytes {
		a.joined = append(append(a.joined[:0], r.Payload...), next.Payload...)
		r.Payload, r.Bytes = a.joined, r.Bytes+next.Bytes
	}
	c := a.take(&r)
	if c == nil {
		a.stats.Unknown++
		return
	}
	c.name(&p.ev)
	a.follow(c, &p.ev)
}
