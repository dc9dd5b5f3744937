package mysql

import (
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request is what is remembered of a command under way.
type request struct {
	code     byte
	shape    shape
	st       *querytext.Statement // that is prepared
	database string               // that is chosen
	long     bool                 // it goes on in further packets
}

// phase of a connection.
type phase uint8

const (
	greets     phase = iota // the server has the word
	answers                 // the client says who it is
	proves                  // until the server is content
	commanding              // the rest
)

// Parser follows one connection.
type Parser struct {
	proto *Protocol
	dbconn.Conn[request]

	req, resp  dbconn.Frames
	since      uint64 // when the message of the client began
	taken      uint64 // bytes of it
	answer     answer
	system     string
	database   []byte
	statements dbconn.Statements
	prepared   *querytext.Statement // by the latest command that did so

	phase     phase
	stray     byte // number of a packet that may follow a preparation; 0: none
	reqHidden bool // where the next command begins is not known

	packs   form    // of what follows the authentication
	packing packing // since then

	head   []byte // of a command, read by itself while the connection is adrift
	headAt uint64 // when that began
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.Restart(sink, midway)
	p.forget()
	if p.phase = greets; midway {
		p.phase = commanding
	}
	p.system, p.database = System, p.database[:0]
	p.packs, p.packing.on = packedNot, false
	p.packing.reset()
	p.statements.Clear()
	p.prepared = nil
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.Reset()
	p.resp.Reset()
	p.head = p.head[:0]
	p.answer = answer{}
	p.reqHidden, p.RespHidden = false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.Q.Lose(now, why)
	p.forget()
	p.phase = commanding
	p.prepared = nil
	p.packing.lost = p.packing.on
}

// unlearn forgets what the connection was made to know.
func (p *Parser) unlearn() {
	p.forget()
	p.statements.Clear()
	p.prepared, p.database = nil, p.database[:0]
}

// undecoded says how the connection goes on, and stops.
func (p *Parser) undecoded(form exchange.Form) {
	p.Q.Sink.Opaque(form)
	p.Stop()
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.Q.Gap(side, now, p.req.Between() && len(p.head) == 0 && !p.packing.on && !p.reqHidden && !p.RespHidden)
	switch {
	case p.Stopped:
	case p.packing.on:
		p.packedGap(side, n, now)
	case side == exchange.Request:
		if !p.req.Survives(n) {
			p.Q.Missed()
			p.lose(now, exchange.Desynchronized)
			p.database = p.database[:0] // it may have been changed
		}
	case !p.resp.Survives(n):
		p.lose(now, exchange.ResponseLost)
		p.statements.Clear() // numbers may have been given anew
	}
}

// report makes a command one that is reported.
func (p *Parser) report(r *dbconn.Pending[request], s *exchange.Segment) *dbfacts.Facts {
	f := p.Q.Report(r, s)
	if f != nil {
		f.System = p.system
		f.Namespace = append(f.Namespace, p.database...)
	}
	return f
}
