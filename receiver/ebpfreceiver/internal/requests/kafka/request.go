package kafka

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request follows a segment of the client.
func (p *Parser) request(s *exchange.Segment) {
	if !p.req.follow(s, p.proven || p.sound, p.beginsRequest) {
		p.skip()
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
			p.sound = false
			return
		case dbconn.Whole:
			tried := p.req.hidden
			p.req.hidden = false
			if !p.begin(&m, s, tried) {
				p.strayed(s)
				return
			}
		default:
		}
	}
}

// follow prepares for a segment. It returns false when the place of its messages
// is not known, and it does not begin with one. A header may come in two parts:
// many programs read the size first. As long as nothing proves that what was
// taken for a header is one, a better one counts.
func (d *side) follow(s *exchange.Segment, certain bool, begins func(*exchange.Segment) bool) bool {
	inside := !d.frames.Between()
	switch {
	case d.begun, !d.hidden && (certain || !inside):
		d.begun = false
		return true
	case inside && !begins(s):
		return true
	case inside:
	case uint64(len(s.Payload)) == s.Len && len(s.Payload) < d.header.Size:
		d.begun = true
	case !begins(s):
		d.frames.Reset()
		return false
	}
	d.frames.Reset()
	d.hidden = d.begun
	return true
}

func (p *Parser) beginsRequest(s *exchange.Segment) bool {
	if !beginsRequest(s.Payload) {
		return false
	}
	h := parseHead(s.Payload)
	id := s.Payload[requestHeadBytes:]
	return p.likely(&h) && bytes.HasPrefix(id, p.client[:min(len(id), len(p.client))])
}

// strayed takes bytes that are no request. A connection that begins so is not
// Kafka's.
func (p *Parser) strayed(s *exchange.Segment) {
	if !p.proven && p.sound {
		p.refuse()
		return
	}
	tried := p.req.hidden
	if !tried {
		p.doubt()
	}
	p.req.lose(true)
	p.sound = false
	if tried && !p.refused && p.beginsRequest(s) { // what came before was not its first part
		p.request(s)
	}
}

// requestLength is how many bytes follow the head of a request.
func (p *Parser) requestLength(b []byte) (n uint64, ok bool) {
	h := parseHead(b)
	if p.req.hidden && !p.likely(&h) {
		return 0, false
	}
	return h.body(), h.valid(!p.proven || p.req.hidden)
}

// likely tells whether a head of which nothing but its bytes say that it is one
// may be the client's: it has an id of the same length, or if that was not seen,
// of any.
func (p *Parser) likely(h *head) bool {
	if len(p.client) > 0 {
		return int(h.client) == len(p.client)
	}
	return h.client != 0
}

// begin takes a whole request. One that was tried, without being certain that it
// is one, must have all that is looked for; so must one that nothing will prove.
// It returns false when it is none.
func (p *Parser) begin(m *dbconn.Message, s *exchange.Segment, tried bool) bool {
	h := parseHead(m.Head)
	p.reader = reader{b: m.Body, unseen: m.Len - uint64(len(m.Body))}
	ex := p.sink.New(s)
	if ex == nil {
		p.enqueue(pending{correlation: h.correlation})
		return true
	}
	f := facts(ex)
	if !f.begin(&h, &p.reader) || !f.readRequest(&p.reader) || (tried || f.OneWay && !p.proven && !p.sound) && !f.whole(&h) {
		p.sink.Drop(ex)
		return false
	}
	ex.Start = p.req.since
	size := uint64(h.size) + lengthBytes
	p.moved(ex, exchange.Request, size)
	if len(f.Client) > 0 {
		p.client = append(p.client[:0], f.Client...)
	}
	if f.key == keyFetch {
		p.session.request(f)
	}
	if f.OneWay {
		p.finish(ex, s.End, exchange.Complete)
		return true
	}
	p.enqueue(pending{ex: ex, correlation: h.correlation})
	p.replay()
	return true
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
