package requests

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// maxPieces bounds the sockets whose first bytes were too few.
const maxPieces = 1024

// piece is the first records of a socket, whose bytes are too few to tell what
// they begin: many programs read the length of a message first, some byte by byte.
// What follows decides.
type piece struct {
	records []event.Event // of one direction, each where the one before ended
	payload [tellingBytes]byte
	n       int // bytes of payload
}

// isShort tells whether a record has too few bytes, and all of them.
func isShort(r *event.Request, had int) bool {
	n := uint64(len(r.Payload))
	return n > 0 && n == r.Bytes && n+uint64(had) < tellingBytes && r.Flags&event.RequestDatagram == 0
}

// hold puts the first record of a socket aside, if it has too few bytes. Nothing
// is waited for when its protocol knows them.
func (a *Assembler) hold(ev *event.Event) bool {
	r := &ev.Request
	proto := int(r.Class) - 1
	if !isShort(r, 0) || len(a.pieces) >= maxPieces || proto < 0 || proto >= len(a.cfg.Protocols) ||
		a.cfg.Protocols[proto].Classify(r.Payload) != exchange.Foreign {
		return false
	}
	p := &piece{}
	p.add(ev)
	a.pieces[r.Socket] = p
	return true
}

// add keeps a record.
func (p *piece) add(ev *event.Event) {
	begin := p.n
	p.n += copy(p.payload[begin:], ev.Request.Payload)
	p.records = append(p.records, *ev)
	kept := &p.records[len(p.records)-1].Request
	kept.Payload, kept.Tail = p.payload[begin:p.n], nil
}

// adjoins tells whether a record goes on where the piece ends.
func (p *piece) adjoins(r *event.Request) bool {
	last := &p.records[len(p.records)-1].Request
	return r.Direction == last.Direction && r.Position == last.Position+last.Bytes
}

// join takes up the socket of a piece, by it and the record that comes after it,
// and feeds the piece. It returns false when that is too short as well, and was
// put aside, too.
func (a *Assembler) join(p *piece, next *event.Event) bool {
	n, r := &next.Request, p.records[0].Request
	adjoins := p.adjoins(n)
	if adjoins && isShort(n, p.n) {
		p.add(next)
		return false
	}
	delete(a.pieces, n.Socket)
	a.joined = append(a.joined[:0], p.payload[:p.n]...)
	r.Bytes = uint64(p.n)
	if adjoins {
		a.joined, r.Bytes = append(a.joined, n.Payload...), r.Bytes+n.Bytes
	}
	r.Payload = a.joined
	c := a.take(&r)
	if c == nil {
		a.stats.Unknown += uint64(len(p.records))
		return true
	}
	c.name(&p.records[0])
	for i := range p.records {
		if c = a.find(n); c == nil { // it was refused by the one before
			a.stats.Unknown += uint64(len(p.records) - i)
			break
		}
		a.follow(c, &p.records[i])
	}
	return true
}

// forget drops the piece of a socket that has ended.
func (a *Assembler) forget(socket uint64) {
	if p := a.pieces[socket]; p != nil {
		a.stats.Unknown += uint64(len(p.records))
		delete(a.pieces, socket)
	}
}
