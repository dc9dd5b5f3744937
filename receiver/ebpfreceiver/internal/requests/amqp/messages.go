package amqp

import (
	"strconv"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
)

// message takes a method that a message follows.
func (p *Parser) message(ch *channel, id uint32, m *dbconn.Message, r *reader, s *exchange.Segment) {
	switch id {
	case basicPublish:
		p.publish(ch, m, r, s)
	case basicDeliver:
		p.deliver(ch, m, r, s)
	default:
		p.returned(ch, r, s)
	}
}

// address reads where a message is sent, or came from.
func (f *Facts) address(r *reader) {
	f.Exchange = append(f.Exchange[:0], r.short()...)
	f.RoutingKey = append(f.RoutingKey[:0], r.short()...)
	f.Cut = f.Cut || !r.ok
	f.destine(!f.Cut && len(f.Queue) == 0)
}

func (p *Parser) publish(ch *channel, m *dbconn.Message, r *reader, s *exchange.Segment) {
	ex := p.begun(s.Side, "publish")
	if ex != nil {
		f := factsOf(ex)
		f.Type = messagingfacts.Send
		r.number(2)
		f.address(r)
		f.Mandatory = r.number(1)&1 != 0
		p.took(ex, m, s.Side)
	}
	p.begin(ch, s.Side, content{method: basicPublish, ex: ex}, s)
}

func (p *Parser) deliver(ch *channel, m *dbconn.Message, r *reader, s *exchange.Segment) {
	ex := p.begun(s.Side, "deliver")
	c := content{method: basicDeliver, ex: ex}
	if ex != nil {
		f := factsOf(ex)
		f.Type = messagingfacts.Receive
		from := p.consumer(ch.id, r.short())
		f.Tag = r.number(8)
		r.number(1)
		if c.settle = ch.settles; from != nil {
			c.settle = !from.noAck
			f.Queue = append(f.Queue, from.queue...)
		}
		f.address(r)
		c.settle = c.settle && f.Tag != 0
		p.took(ex, m, s.Side)
	}
	p.begin(ch, s.Side, c, s)
}

// returned takes a message that comes back because it reached no queue. It was
// the oldest of those to the same place that wait to be confirmed; where none
// do, the return is told by itself.
func (p *Parser) returned(ch *channel, r *reader, s *exchange.Segment) {
	code := strconv.Itoa(int(r.number(2)))
	r.short()
	names := *r
	name, key := r.short(), r.short()
	c := content{method: basicReturn}
	for _, m := range ch.out.all() {
		if m.ex == nil {
			continue
		}
		f := factsOf(m.ex)
		if f.Mandatory && len(f.Error) == 0 && string(f.Exchange) == string(name) && string(f.RoutingKey) == string(key) {
			f.Fail(code)
			p.begin(ch, s.Side, c, s)
			return
		}
	}
	if c.ex = p.begun(s.Side, "return"); c.ex != nil {
		f := factsOf(c.ex)
		f.address(&names)
		f.Fail(code)
	}
	p.begin(ch, s.Side, c, s)
}

// confirmed takes the broker's word on messages that were published.
func (p *Parser) confirmed(ch *channel, a answer) {
	since := ch.since
	ch.since = 0
	switch {
	case ch.confirms == numbered && a.tag < ch.next:
	case ch.confirms == numbered && p.sink.Client() && !p.torn: // it was reported before the message
		ch.hold(a)
		return
	case since == 1 && !a.multiple: // nothing but this one is under way
		ch.confirms, ch.next = numbered, a.tag+1
		return
	default:
		ch.confirms = uncounted
	}
	if !a.multiple {
		if m := ch.out.take(a.tag); m.ex != nil {
			p.confirm(m.ex, &a)
		}
		return
	}
	for m := ch.out.first(a.tag); m.ex != nil; m = ch.out.first(a.tag) {
		if m.doubt != 0 { // an earlier word on it may have been lost
			p.done(m.ex, m.doubt, exchange.ResponseLost)
			continue
		}
		p.confirm(m.ex, &a)
	}
}

// confirm ends a message that was published and is confirmed, or is not.
func (p *Parser) confirm(ex *exchange.Exchange, a *answer) {
	if a.method == basicNack {
		factsOf(ex).Fail("nack")
	}
	ex.FirstByte = max(a.start, ex.Start)
	end := a.end
	if !p.sink.Client() {
		end = a.start // a send that cannot have waited
	}
	p.done(ex, end, exchange.Complete)
}

// settled takes the client's word on messages that were delivered.
func (p *Parser) settled(ch *channel, a answer) {
	ch.settles = true
	end := a.end
	if p.sink.Client() {
		end = a.start
	}
	if !a.multiple {
		m := ch.in.take(a.tag)
		switch {
		case m.ex != nil:
			p.settle(m.ex, a.method, end)
		case !p.sink.Client():
			a.end = end
			ch.hold(a)
		}
		return
	}
	upTo := a.tag
	if upTo == 0 { // all of them
		upTo = ^uint64(0)
	}
	for m := ch.in.first(upTo); m.ex != nil; m = ch.in.first(upTo) {
		if m.doubt != 0 { // it may have been settled before
			p.done(m.ex, m.doubt, exchange.ResponseLost)
			continue
		}
		p.settle(m.ex, a.method, end)
	}
}

// settle ends a delivery that was settled by a method.
func (p *Parser) settle(ex *exchange.Exchange, method uint32, end uint64) {
	f := factsOf(ex)
	f.Type = messagingfacts.Process
	switch method {
	case basicNack:
		f.Fail("nack")
	case basicReject:
		f.Fail("reject")
	}
	p.done(ex, end, exchange.Complete)
}
