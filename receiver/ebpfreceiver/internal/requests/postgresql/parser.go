package postgresql

import (
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// group is what one answer is expected for.
type group struct {
	kind     kind
	extended bool   // it is of messages up to a Sync
	synced   bool   // nothing of it is to come
	cut      bool   // some of it was not copied
	parses   int    // named statements that it prepares
	named    string // the last of them
}

type kind uint8

const (
	asks     kind = iota // ends with ReadyForQuery
	asksTLS              // one byte: S or N
	asksGSS              // one byte: G or N
	connects             // the beginning of a session; ends with ReadyForQuery
)

// Parser follows one connection.
type Parser struct {
	proto      *Protocol
	q          dbconn.Queue[group]
	req, resp  dbconn.Frames
	since      uint64 // when the message of the client began
	taken      uint64 // bytes of it
	database   []byte
	statements dbconn.Statements
	portals    dbconn.Portals

	starting   bool // the next message of the client has no type
	building   bool // the youngest request is not complete
	swallow    bool // the next Sync is not answered
	reqHidden  bool // where the next request message begins is not known
	respHidden bool // the same of the response
	answering  bool // the response to the oldest request has begun
	stopped    bool // the connection goes on in another way
	refused    bool // it was never of this protocol
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.q.Reset(sink, midway)
	p.forget()
	p.starting, p.stopped, p.refused = !midway, false, false
	p.database = p.database[:0]
	p.statements.Clear()
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.Reset()
	p.resp.Reset()
	p.portals.Clear()
	p.starting, p.building, p.swallow = false, false, false
	p.reqHidden, p.respHidden, p.answering = false, false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.q.Lose(now, why)
	p.forget()
}

// stop ends the following of a connection that goes on in another way.
func (p *Parser) stop() {
	p.q.Lose(0, exchange.Desynchronized)
	p.forget()
	p.stopped = true
	p.statements.Clear()
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
	case side == exchange.Response:
		p.responseGap(n, now)
	case p.req.Survives(n):
	case p.reqHidden && !p.building: // the rest of what is being answered
		p.q.Missed()
	default:
		p.q.Missed()
		p.statements.Clear() // some of them may have been replaced
		p.lose(now, exchange.Desynchronized)
	}
}

func (p *Parser) responseGap(n, now uint64) {
	switch {
	case p.resp.Survives(n):
	case p.q.Len() == 0 && !p.q.Adrift(): // a notice
		p.resp.Reset()
	default:
		p.lose(now, exchange.ResponseLost)
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
	p.statements.Clear()
	p.portals.Clear()
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) { p.q.Tick(now) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.q.Abandon(why)
	p.forget()
	p.statements.Clear()
}

// statement reads the text of a statement.
func (p *Parser) statement(text []byte, cut bool) (st *querytext.Statement, parent string) {
	return p.proto.cache.Statement(text, querytext.SQL, cut)
}
