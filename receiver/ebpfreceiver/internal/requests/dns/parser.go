package dns

import (
	"bytes"
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Bounds of what one connection may hold, and waits in ns.
const (
	maxOpen  = 256  // queries under way
	recent   = 16   // ids of queries that are over
	patience = 15e9 // how long a query waits for its response
)

// Ports of protocols that look like DNS and are not asked of a server: mDNS and
// LLMNR.
const (
	portMDNS  = 5353
	portLLMNR = 5355
)

// Parser follows what is said over a connection, or between a socket and a peer.
type Parser struct {
	sink     exchange.Sink
	open     []*exchange.Exchange // in the order of their beginning
	sides    [2]stream            // of TCP, by exchange.Side
	over     [recent]uint16       // ids of queries that are over
	overs    int                  // how many there were
	midway   bool
	lastSeen uint64
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	*p = Parser{sink: sink, open: p.open[:0], sides: p.sides, midway: midway}
	for i := range p.sides {
		p.sides[i].reset(!midway)
	}
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.open) }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	p.lastSeen = max(p.lastSeen, s.End)
	if s.Datagram {
		p.message(s, s.Payload, s.Len)
		return
	}
	p.sides[s.Side].follow(p, s)
}

// message takes a message of so many bytes, of which msg are at hand. s gives
// its times and who sent or received it.
func (p *Parser) message(s *exchange.Segment, msg []byte, length uint64) {
	h, ok := parseHeader(msg)
	if !ok || !h.isLookup() || h.response != (s.Side == exchange.Response) {
		return
	}
	if h.response {
		p.response(s, &h, msg, length)
	} else {
		p.query(s, &h, msg, length)
	}
}

// query begins an exchange, unless it repeats a query that is under way.
func (p *Parser) query(s *exchange.Segment, h *header, msg []byte, length uint64) {
	ex := p.sink.New(s)
	if ex == nil {
		return
	}
	f := facts(ex)
	var ok bool
	f.Question, f.Type, _, ok = parseQuestion(msg, f.Question[:0])
	local := ex.LocalPort == portMDNS || ex.PeerPort == portMDNS || ex.LocalPort == portLLMNR || ex.PeerPort == portLLMNR
	if !ok || local || f.Type == 0 {
		p.sink.Drop(ex)
		return
	}
	f.id, f.Datagram, f.abandoned = h.id, s.Datagram, false
	if i := p.find(h.id, f.Question, f.Type); i >= 0 {
		p.sink.Drop(ex)
		p.took(p.open[i], exchange.Request, length)
		return
	}
	if len(p.open) == maxOpen {
		p.finish(0, p.lastSeen, exchange.Expired)
	}
	p.took(ex, exchange.Request, length)
	p.open = append(p.open, ex)
}

// find returns the place of a query that is under way, or -1.
func (p *Parser) find(id uint16, question []byte, qtype uint16) int {
	return slices.IndexFunc(p.open, func(ex *exchange.Exchange) bool {
		f := facts(ex)
		return f.id == id && f.Type == qtype && bytes.Equal(f.Question, question)
	})
}

// response ends the exchange of its query. One to another question with the same
// id is not an answer to it.
func (p *Parser) response(s *exchange.Segment, h *header, msg []byte, length uint64) {
	var name [4 * maxName]byte // every byte may be escaped
	question, qtype, next, ok := parseQuestion(msg, name[:0])
	if !ok {
		return
	}
	i := p.find(h.id, question, qtype)
	if i < 0 {
		if !p.midway && !slices.Contains(p.over[:min(p.overs, recent)], h.id) && !p.asked(h.id) {
			p.sink.Count(exchange.RequestLost)
		}
		return
	}
	ex := p.open[i]
	f := facts(ex)
	f.Answered, f.RCode = true, h.rcode
	f.AnswersCut = !f.parseAnswers(msg, next, int(h.answers)) || h.truncated
	p.took(ex, exchange.Response, length)
	ex.FirstByte = s.Start
	end := s.End
	if !p.sink.Client() {
		end = s.Start // a message fits in every socket's buffer
	}
	if h.truncated && s.Datagram && p.sink.Client() {
		p.abandon(f.Question)
	}
	p.finish(i, end, exchange.Complete)
}

// abandon notes that a client asks again over TCP for a name, the addresses of both
// families of which it had asked for at once.
func (p *Parser) abandon(question []byte) {
	for _, ex := range p.open {
		if f := facts(ex); bytes.Equal(f.Question, question) {
			f.abandoned = true
		}
	}
}

// asked tells whether a query with an id is under way.
func (p *Parser) asked(id uint16) bool {
	return slices.ContainsFunc(p.open, func(ex *exchange.Exchange) bool { return facts(ex).id == id })
}

// took adds bytes to what an exchange has moved.
func (p *Parser) took(ex *exchange.Exchange, side exchange.Side, n uint64) {
	if p.sink.Client() == (side == exchange.Request) {
		ex.Sent += n
	} else {
		ex.Received += n
	}
}

// finish ends a query under way.
func (p *Parser) finish(i int, end uint64, why exchange.Reason) {
	ex := p.open[i]
	p.open = slices.Delete(p.open, i, i+1)
	p.over[p.overs%recent] = facts(ex).id
	p.overs++
	if f := facts(ex); f.abandoned && !f.Answered {
		p.sink.Drop(ex)
		return
	}
	ex.End, ex.Incomplete = max(end, ex.Start), why
	p.sink.Done(ex)
}

func (p *Parser) finishAll(end uint64, why exchange.Reason) {
	for len(p.open) > 0 {
		p.finish(0, end, why)
	}
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.sides[side].gap(n)
	p.midway = true // a query may have been lost
	if side == exchange.Request {
		return
	}
	p.finishAll(now, exchange.ResponseLost)
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	if side == exchange.Response {
		p.finishAll(at, exchange.ConnectionClosed)
	}
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) { p.finishAll(at, exchange.ConnectionClosed) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) { p.finishAll(p.lastSeen, why) }

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	for len(p.open) > 0 && now > p.open[0].Start+patience {
		p.finish(0, now, exchange.Expired)
	}
}
