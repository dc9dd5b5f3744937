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
	owed     int    // of its messages, those that are not answered
	done     int    // executions that were answered
	opened   bool   // a portal, the execution of which is to come
	failed   bool   // the server passes over what is left of it
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
	proto *Protocol
	dbconn.Conn[group]

	req, resp  dbconn.Frames
	since      uint64 // when the message of the client began
	taken      uint64 // bytes of it
	database   []byte
	statements dbconn.Statements
	portals    dbconn.Portals

	starting  bool // the next message of the client has no type
	building  bool // the youngest request is not complete
	swallow   bool // the next Sync is not answered
	reqHidden bool // where the next request message begins is not known
	answering bool // the response to the oldest request has begun
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.Restart(sink, midway)
	p.forget()
	p.starting = !midway
	p.database = p.database[:0]
	p.statements.Clear()
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.Reset()
	p.resp.Reset()
	p.portals.Clear()
	p.starting, p.building, p.swallow = false, false, false
	p.reqHidden, p.RespHidden, p.answering = false, false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.Q.Lose(now, why)
	p.forget()
}

// unlearn forgets all but the database, which stays.
func (p *Parser) unlearn() {
	p.forget()
	p.statements.Clear()
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.Q.Gap(side, now, p.req.Between() && !p.building && !p.reqHidden && !p.RespHidden)
	switch {
	case p.Stopped:
	case side == exchange.Response:
		p.responseGap(n, now)
	case p.req.Survives(n):
	case p.reqHidden && !p.building: // the rest of what is being answered
		p.Q.Missed()
	default:
		p.Q.Missed()
		p.statements.Clear() // some of them may have been replaced
		p.lose(now, exchange.Desynchronized)
	}
}

func (p *Parser) responseGap(n, now uint64) {
	switch {
	case p.resp.Survives(n):
	case p.Q.Len() == 0 && !p.Q.Adrift(): // a notice
		p.resp.Reset()
	default:
		p.lose(now, exchange.ResponseLost)
	}
}

// statement reads the text of a statement.
func (p *Parser) statement(text []byte, cut bool) (st *querytext.Statement, parent string) {
	return p.proto.cache.Statement(text, querytext.SQL, cut)
}
