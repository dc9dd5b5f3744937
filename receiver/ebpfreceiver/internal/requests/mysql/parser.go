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
	proto      *Protocol
	q          dbconn.Queue[request]
	req, resp  dbconn.Frames
	since      uint64 // when the message of the client began
	taken      uint64 // bytes of it
	answer     answer
	system     string
	database   []byte
	statements dbconn.Statements
	prepared   *querytext.Statement // by the latest command that did so

	phase      phase
	stray      byte // number of a packet that may follow a preparation; 0: none
	compressed bool // from the end of the authentication on
	reqHidden  bool // where the next command begins is not known
	respHidden bool // where the next packet of the response begins is not known
	stopped    bool // the connection goes on in another way
	refused    bool // it was never of this protocol
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.q.Reset(sink, midway)
	p.forget()
	if p.phase = greets; midway {
		p.phase = commanding
	}
	p.system, p.database = System, p.database[:0]
	p.compressed, p.stopped, p.refused = false, false, false
	p.statements.Clear()
	p.prepared = nil
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.Reset()
	p.resp.Reset()
	p.answer = answer{}
	p.reqHidden, p.respHidden = false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.q.Lose(now, why)
	p.forget()
	p.phase = commanding
	p.prepared = nil
}

// stop ends the following of a connection that goes on in another way.
func (p *Parser) stop() {
	p.lose(0, exchange.Desynchronized)
	p.statements.Clear()
	p.stopped = true
}

// undecoded says how the connection goes on, and stops.
func (p *Parser) undecoded(form exchange.Form) {
	p.q.Sink.Opaque(form)
	p.stop()
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	p.q.Discard()
	p.stop()
	p.refused = true
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// Open implements exchange.Parser.
func (p *Parser) Open() int { return p.q.Open() }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if p.stopped {
		return
	}
	if s.Side == exchange.Request {
		p.request(s)
		p.q.Replay(p.response)
	} else {
		p.response(s)
	}
	p.q.Seen(s)
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	switch {
	case p.stopped:
	case side == exchange.Request:
		if !p.req.Survives(n) {
			p.q.Missed()
			p.lose(now, exchange.Desynchronized)
			p.database = p.database[:0] // it may have been changed
		}
	case !p.resp.Survives(n):
		p.lose(now, exchange.ResponseLost)
		p.statements.Clear() // numbers may have been given anew
	}
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	if side == exchange.Request {
		p.q.CallerGone(at)
		return
	}
	p.q.Close(at, p.respHidden)
	p.forget()
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) {
	p.q.Close(at, p.respHidden)
	p.forget()
	p.statements.Clear()
	p.prepared = nil
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) { p.q.Tick(now) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.q.Abandon(why)
	p.forget()
	p.statements.Clear()
	p.prepared = nil
}

// report makes a command one that is reported.
func (p *Parser) report(r *dbconn.Pending[request], s *exchange.Segment) *dbfacts.Facts {
	f := p.q.Report(r, s)
	if f != nil {
		f.System = p.system
		f.Namespace = append(f.Namespace, p.database...)
	}
	return f
}
