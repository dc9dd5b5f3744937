package kafka

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request follows a segment of the client.
func (p *Parser) request(s *exchange.Segment) {
	if !p.req.follow(s, p.beginsRequest) {
		return
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && !p.refused {
		if p.req.frames.Between() {
			p.req.since = s.Start
		}
		m, found := p.req.frames.Next(&c, &p.req.header)
		switch found {
		case dbconn.Foreign:
			p.strayed(s)
			return
		case dbconn.Lost:
			p.req.lose(true)
			p.midway = true
			return
		case dbconn.Whole:
			p.req.hidden = false
			p.begin(&m, s)
		default:
		}
	}
}

// follow prepares for a segment. It returns false when the place of its messages
// is not known, and it does not begin with one. A header may come in two parts:
// many programs read the size first.
func (d *side) follow(s *exchange.Segment, begins func(*exchange.Segment) bool) bool {
	if !d.hidden || d.begun {
		d.begun = false
		return true
	}
	d.frames.Reset()
	if whole := uint64(len(s.Payload)) == s.Len; whole && len(s.Payload) < d.header.Size {
		d.begun = true
		return true
	}
	d.hidden = !begins(s)
	return !d.hidden
}

func (p *Parser) beginsRequest(s *exchange.Segment) bool {
	if !beginsRequest(s.Payload) {
		return false
	}
	h := parseHead(s.Payload)
	id := s.Payload[requestHeadBytes:]
	return len(p.client) == 0 || h.client < 0 || bytes.HasPrefix(id, p.client[:min(len(id), len(p.client))])
}

// strayed takes bytes that are no request. A connection that begins so is not
// Kafka's.
func (p *Parser) strayed(s *exchange.Segment) {
	if !p.proven && !p.midway {
		p.refuse()
		return
	}
	tried := p.req.hidden
	p.req.lose(true)
	p.midway = true
	if tried && p.beginsRequest(s) { // what came before was not its first part
		p.request(s)
	}
}

// requestLength is how many bytes follow the head of a request.
func (p *Parser) requestLength(b []byte) (n uint64, ok bool) {
	h := parseHead(b)
	return h.body(), h.valid(!p.proven || p.req.hidden)
}

// begin takes a whole request.
func (p *Parser) begin(m *dbconn.Message, s *exchange.Segment) {
	h := parseHead(m.Head)
	r := reader{b: m.Body, unseen: m.Len - uint64(len(m.Body))}
	ex := p.sink.New(s)
	if ex == nil {
		p.enqueue(pending{correlation: h.correlation, key: h.key})
		return
	}
	f := facts(ex)
	if !f.begin(&h, &r) || !f.readRequest(&r) {
		p.sink.Drop(ex)
		p.strayed(s)
		return
	}
	ex.Start = p.req.since
	size := uint64(h.size) + lengthBytes
	p.moved(ex, exchange.Request, size)
	p.client = append(p.client[:0], f.Client...)
	if f.key == keyFetch {
		p.session.request(f)
	}
	if f.OneWay {
		p.finish(ex, s.End, exchange.Complete)
		return
	}
	p.enqueue(pending{ex: ex, correlation: h.correlation, key: h.key})
	p.replay()
}

func (p *Parser) enqueue(it pending) {
	if len(p.open) == maxOpen {
		p.finish(p.take(0).ex, p.latest, exchange.Expired)
	}
	p.open = append(p.open, it)
}

// moved adds bytes to an exchange.
func (p *Parser) moved(ex *exchange.Exchange, which exchange.Side, n uint64) {
	if p.sink.Client() == (which == exchange.Request) {
		ex.Sent += n
	} else {
		ex.Received += n
	}
}
