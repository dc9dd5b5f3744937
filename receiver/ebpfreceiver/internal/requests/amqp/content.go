package amqp

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
)

// contentHeader is what the header of a message has at least: its class, a
// weight, the length of the bodies, and which properties follow.
const contentHeader = 14

// Properties before the headers that an application gives a message, and these.
const (
	hasType     = 1 << 15
	hasEncoding = 1 << 14
	hasHeaders  = 1 << 13
)

// begin begins a message that a method announces.
func (p *Parser) begin(ch *channel, side exchange.Side, c content, s *exchange.Segment) {
	p.interrupt(ch, side, s.End)
	ch.content[side] = c
}

// interrupt ends a message of which the rest does not come.
func (p *Parser) interrupt(ch *channel, side exchange.Side, now uint64) {
	if c := &ch.content[side]; c.ex != nil {
		p.done(c.ex, now, exchange.Truncated)
	}
	ch.content[side] = content{}
}

// header takes the header of a message.
func (p *Parser) header(ch *channel, m *dbconn.Message, s *exchange.Segment) {
	c := &ch.content[s.Side]
	if c.method == 0 || c.sized {
		return
	}
	r := reader{b: m.Body, ok: true}
	r.number(4)
	c.left = r.number(8)
	flags := r.number(2)
	if !r.ok { // how long the message is lies beyond what was copied
		p.interrupt(ch, s.Side, s.End)
		return
	}
	c.sized = true
	if c.ex != nil {
		p.trace(c.ex, flags, r)
	}
	if c.left == 0 {
		p.complete(ch, s)
	}
}

// trace reads the trace context among the headers of a message.
func (p *Parser) trace(ex *exchange.Exchange, flags uint64, r reader) {
	if flags&hasHeaders == 0 {
		return
	}
	if flags&hasType != 0 {
		r.short()
	}
	if flags&hasEncoding != 0 {
		r.short()
	}
	table := reader{b: r.long(), ok: true}
	for len(table.b) > 0 && table.ok {
		name := table.short()
		kind := byte(table.number(1))
		size, known := fieldSizes[kind]
		switch {
		case known:
			table.take(size)
		case kind == 'S' || kind == 'x' || kind == 'F' || kind == 'A':
			if v := table.long(); table.ok && kind == 'S' && string(name) == "traceparent" {
				f := factsOf(ex)
				f.TraceParent = append(f.TraceParent[:0], v...)
			}
		default:
			return
		}
	}
}

// fieldSizes are the lengths of the values in tables that always have the same.
var fieldSizes = map[byte]int{
	't': 1, 'b': 1, 'B': 1, 's': 2, 'u': 2, 'I': 4, 'i': 4, 'f': 4, 'l': 8, 'd': 8, 'T': 8, 'D': 5, 'V': 0,
}

// body takes a part of the body of a message.
func (p *Parser) body(ch *channel, n uint64, s *exchange.Segment) {
	c := &ch.content[s.Side]
	if !c.sized {
		return
	}
	if c.left -= min(c.left, n); c.left == 0 {
		p.complete(ch, s)
	}
}

// complete takes a message that has been handed over.
func (p *Parser) complete(ch *channel, s *exchange.Segment) {
	c := ch.content[s.Side]
	ch.content[s.Side] = content{}
	switch {
	case c.method == basicPublish:
		p.published(ch, c.ex, s.End)
	case c.ex == nil:
	case c.method == basicDeliver && c.settle:
		p.delivered(ch, c.ex, s.End)
	case c.method == basicGetOK:
		p.done(c.ex, p.sent(c.ex, s), exchange.Complete)
	default:
		p.oneWay(c.ex, s.End)
	}
}

// published takes a message that was published: it waits to be confirmed, if
// that is known to happen.
func (p *Parser) published(ch *channel, ex *exchange.Exchange, now uint64) {
	number := ch.next
	ch.next++
	switch {
	case ex == nil:
	case ch.confirms == numbered:
		if a, ok := ch.held(ex.Start, number, basicAck, basicNack); ok {
			p.confirm(ex, &a)
			return
		}
		if out := ch.out.add(tagged{tag: number, ex: ex, end: now}); out.ex != nil {
			p.done(out.ex, now, exchange.Expired)
		}
	case ch.confirms == uncounted:
		ch.since++
		factsOf(ex).Class = exchange.OneWay
		p.done(ex, now, exchange.Desynchronized)
	default:
		ch.since++
		p.oneWay(ex, now)
	}
}

// delivered takes a message that was delivered and will be settled.
func (p *Parser) delivered(ch *channel, ex *exchange.Exchange, now uint64) {
	f := factsOf(ex)
	f.Type = messagingfacts.Process
	if a, ok := ch.held(ex.Start, f.Tag, basicAck, basicNack, basicReject); ok {
		p.settle(ex, a.method, a.end)
		return
	}
	if out := ch.in.add(tagged{tag: f.Tag, ex: ex, end: now}); out.ex != nil {
		p.unsettled(out.ex, out.end)
	}
}

// unsettled ends a delivery that nobody settles: all that is known is that it
// was made.
func (p *Parser) unsettled(ex *exchange.Exchange, end uint64) {
	factsOf(ex).Type = messagingfacts.Receive
	p.oneWay(ex, end)
}

// oneWay ends an exchange that nothing answers.
func (p *Parser) oneWay(ex *exchange.Exchange, end uint64) {
	factsOf(ex).Class = exchange.OneWay
	p.done(ex, end, exchange.Complete)
}
