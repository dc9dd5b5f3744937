package amqp

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
)

// method takes a method of either side. It returns false when it can be none.
func (p *Parser) method(ch *channel, m *dbconn.Message, s *exchange.Segment) bool {
	if len(m.Body) < 4 { // lost with what was not copied
		p.interrupt(ch, s.Side, s.End)
		return m.Cut()
	}
	id := binary.BigEndian.Uint32(m.Body)
	what := methods[id]
	if what == nil || what.by == exchange.IsRequest && s.Side == exchange.Response ||
		what.by == exchange.IsResponse && s.Side == exchange.Request {
		return false
	}
	p.sure, p.misses = true, 0
	r := reader{b: m.Body[4:], ok: true}
	switch {
	case id == basicPublish || id == basicDeliver || id == basicReturn:
		p.message(ch, id, m, &r, s)
	case id == basicAck || id == basicNack || id == basicReject:
		a := answer{method: id, tag: r.number(8), start: s.Start, end: s.End}
		a.multiple = id != basicReject && r.number(1)&1 != 0
		if s.Side == exchange.Request {
			p.settled(ch, a)
		} else {
			p.confirmed(ch, a)
		}
	case id == channelClose || id == connectionClose:
		p.closed(ch, id, &r, s)
	case id == channelCloseOK:
		p.end(ch, s.End, exchange.ConnectionClosed, "")
		p.cancel(ch.id, nil)
		delete(p.channels, ch.id)
	case id == basicCancel:
		p.cancel(ch.id, r.short())
	case what.reply != 0:
		p.called(ch, what, m, &r, s)
	case s.Side == exchange.Response && id>>16 != classConnection:
		p.answered(ch, id, m, &r, s)
	}
	return true
}

// called takes a method of the client that will be answered.
func (p *Parser) called(ch *channel, what *method, m *dbconn.Message, r *reader, s *exchange.Segment) {
	if what.id == channelOpen {
		*ch = channel{id: ch.id, confirms: never, next: 1, content: ch.content, early: ch.early[:0]}
	}
	c := call{method: what}
	trusted := !ch.torn || s.Start > ch.last+quiet
	if trusted {
		ch.torn = false
	}
	ch.last = max(ch.last, s.End)
	switch {
	case what.quiet:
	case trusted:
		c.ex = p.begun(s.Side, what.name)
	default:
		p.sink.Count(exchange.Desynchronized)
	}
	nowait := p.subject(&c, what, r)
	p.took(c.ex, m, s.Side)
	switch {
	case nowait:
		if c.ex != nil {
			p.oneWay(c.ex, s.End)
		}
		p.effect(ch, &c, nil)
		return
	case !trusted:
		return
	}
	if c.ex != nil {
		if a, ok := ch.held(c.ex.Start, 0, what.reply); ok {
			p.effect(ch, &c, nil)
			c.ex.FirstByte = max(a.start, c.ex.Start)
			p.done(c.ex, a.end, exchange.Complete)
			return
		}
	}
	if len(ch.calls) >= maxCalls {
		p.endCalls(ch, s.End, exchange.Expired)
	}
	ch.calls = append(ch.calls, c)
}

// subject reads what a method is about, and tells whether it is not answered.
func (p *Parser) subject(c *call, what *method, r *reader) (nowait bool) {
	var texts [3][]byte
	if what.texts > 0 {
		r.number(2)
		for i := range what.texts {
			texts[i] = r.short()
		}
	}
	bits := byte(r.number(1))
	if what.id == basicConsume {
		c.noAck = bits&2 != 0
	}
	if c.ex == nil || what.texts == 0 {
		return r.ok && what.nowait != 0 && bits&what.nowait != 0
	}
	f := factsOf(c.ex)
	if what.id>>16 == classExchange {
		f.Exchange = append(f.Exchange, texts[0]...)
	} else {
		f.Queue = append(f.Queue, texts[0]...)
	}
	if what.id == basicGet {
		f.Type = messagingfacts.Receive
	}
	f.Cut = !r.ok
	f.Temporary = what.id == queueDeclare && bits&4 != 0 // exclusive
	f.destine(false)
	if what.id == basicConsume {
		f.consumer = append(f.consumer, texts[1]...)
	}
	return r.ok && what.nowait != 0 && bits&what.nowait != 0
}

// effect is what a method that succeeded changes; tag is the consumer's that the
// broker chose, nil when the client did.
func (p *Parser) effect(ch *channel, c *call, tag []byte) {
	switch c.method.id {
	case confirmSelect:
		if ch.confirms != numbered {
			// The first message after this has number 1, unless some were lost.
			ch.confirms, ch.next = numbered, 1
		}
	case basicConsume:
		if c.ex == nil {
			return
		}
		f := factsOf(c.ex)
		if tag == nil {
			tag = f.consumer
		}
		p.consume(consumer{channel: ch.id, tag: string(tag), queue: string(f.Queue), noAck: c.noAck})
	}
}

// answered takes a method of the broker that answers one of the client's.
func (p *Parser) answered(ch *channel, id uint32, m *dbconn.Message, r *reader, s *exchange.Segment) {
	asked := id
	if id == basicGetEmpty {
		asked = basicGetOK
	}
	i := slices.IndexFunc(ch.calls, func(c call) bool { return c.method.reply == asked })
	ch.last = max(ch.last, s.End)
	if i < 0 {
		if p.sink.Client() && id != basicGetOK {
			ch.hold(answer{method: id, start: s.Start, end: s.End})
		}
		return
	}
	for _, c := range ch.calls[:i] { // answered before, unseen
		if c.ex != nil {
			p.done(c.ex, s.End, exchange.ResponseLost)
		}
	}
	c := ch.calls[i]
	ch.calls = slices.Delete(ch.calls, 0, i+1)
	var tag []byte
	if id == basicConsumeOK {
		tag = r.short()
	}
	p.effect(ch, &c, tag)
	if c.ex == nil {
		return
	}
	c.ex.FirstByte = max(p.sides[s.Side].first.Start, c.ex.Start)
	p.took(c.ex, m, s.Side)
	if id == basicGetOK {
		f := factsOf(c.ex)
		f.Tag = r.number(8)
		r.number(1)
		f.address(r)
		p.begin(ch, s.Side, content{method: id, ex: c.ex}, s)
		return
	}
	p.done(c.ex, p.sent(c.ex, s), exchange.Complete)
}

// closed takes the end of a channel, or of the connection, that one side
// announces, with the reason.
func (p *Parser) closed(ch *channel, id uint32, r *reader, s *exchange.Segment) {
	const success = 200
	code, text := int(r.number(2)), ""
	if code != success && r.ok && s.Side == exchange.Response {
		text = strconv.Itoa(code)
	}
	told := 0
	if id == connectionClose {
		for _, other := range p.channels {
			told += p.end(other, s.End, exchange.ConnectionClosed, text)
		}
	} else {
		told = p.denied(ch, text, r, s) + p.end(ch, s.End, exchange.ConnectionClosed, text)
		p.cancel(ch.id, nil)
	}
	if text == "" || told > 0 {
		return
	}
	name := "channel.close"
	if id == connectionClose {
		name = "connection.close"
	}
	if ex := p.begun(s.Side, name); ex != nil { // what it is about was not answered
		factsOf(ex).Fail(text)
		p.oneWay(ex, s.End)
	}
}

// denied ends the oldest call, if that is what a channel is closed for with a
// code. It returns how many calls were told.
func (p *Parser) denied(ch *channel, code string, r *reader, s *exchange.Segment) int {
	r.short()
	cause := uint32(r.number(4))
	if code == "" || len(ch.calls) == 0 || ch.calls[0].method.id != cause || ch.calls[0].ex == nil {
		return 0
	}
	ex := ch.calls[0].ex
	ch.calls = slices.Delete(ch.calls, 0, 1)
	factsOf(ex).Fail(code)
	ex.FirstByte = max(p.sides[s.Side].first.Start, ex.Start)
	p.done(ex, p.sent(ex, s), exchange.Complete)
	return 1
}
