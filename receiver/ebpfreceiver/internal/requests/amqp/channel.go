package amqp

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// Bounds of one connection.
const (
	maxChannels  = 1024
	maxCalls     = 64  // of one channel that wait for their answers
	maxConsumers = 256 // that are remembered
	maxEarly     = 16  // answers of one channel that were reported too early
)

// channel is one channel of a connection.
type channel struct {
	id      uint16
	calls   []call     // that wait for their answers, oldest first
	content [2]content // that is under way, by side
	out     tags       // published messages that wait to be confirmed
	in      tags       // delivered ones that wait to be settled
	early   []answer   // that were reported before what they answer

	confirms confirms
	next     uint64 // number of the next message that is published, if known
	since    int    // messages that may be unconfirmed and have no known number
	settles  bool   // messages of consumers that were not seen to begin are settled
	torn     bool   // answers of calls may be under way that were not seen to be made
	last     uint64 // when a call was made or answered
}

// confirms says whether published messages are confirmed.
type confirms uint8

const (
	perhaps   confirms = iota // not known
	never                     // the channel was seen to be opened
	numbered                  // and the number of the next one is known
	uncounted                 // but the numbers are not known
)

// call is a method that waits for its answer.
type call struct {
	method *method
	ex     *exchange.Exchange // nil when it is not reported
	noAck  bool               // of a consumer: its messages are not settled
}

// answer is one that was reported before what it answers: the thread that
// received it was faster out of its call than the one that had sent.
type answer struct {
	method     uint32
	tag        uint64
	multiple   bool
	start, end uint64
}

// content is a message that is under way: a method, then a header, then bodies.
type content struct {
	method uint32
	ex     *exchange.Exchange // nil when it is not reported
	sized  bool               // the header was seen
	left   uint64             // bytes of the bodies to come
	settle bool               // of a delivery: it will be settled
}

// consumer is one that was seen to begin.
type consumer struct {
	channel uint16
	tag     string
	queue   string
	noAck   bool
}

// channel returns the state of a channel, nil when there are too many.
func (p *Parser) channel(id uint16) *channel {
	if ch := p.channels[id]; ch != nil {
		return ch
	}
	if len(p.channels) >= maxChannels {
		return nil
	}
	ch := &channel{id: id, since: 1}
	p.channels[id] = ch
	return ch
}

// hold keeps an answer for what it answers, in place of the oldest.
func (ch *channel) hold(a answer) {
	if len(ch.early) >= maxEarly {
		copy(ch.early, ch.early[1:])
		ch.early = ch.early[:maxEarly-1]
	}
	ch.early = append(ch.early, a)
}

// held takes out an answer that was reported before what it answers, which
// began at a time. A tag is only looked at where the method has one.
func (ch *channel) held(since, tag uint64, wanted ...uint32) (answer, bool) {
	for i, a := range ch.early {
		fits := a.tag == tag || a.multiple && tag <= a.tag
		for _, id := range wanted {
			if a.method == id && fits && a.end >= since {
				if !a.multiple {
					ch.early = append(ch.early[:i], ch.early[i+1:]...)
				}
				return a, true
			}
		}
	}
	return answer{}, false
}

// consume remembers a consumer.
func (p *Parser) consume(c consumer) {
	p.cancel(c.channel, []byte(c.tag))
	if len(p.consumers) < maxConsumers {
		p.consumers = append(p.consumers, c)
	}
}

// cancel forgets a consumer; all of a channel if there is no tag.
func (p *Parser) cancel(channel uint16, tag []byte) {
	kept := p.consumers[:0]
	for _, c := range p.consumers {
		if c.channel != channel || tag != nil && c.tag != string(tag) {
			kept = append(kept, c)
		}
	}
	clear(p.consumers[len(kept):])
	p.consumers = kept
}

// consumer finds a consumer, nil when it was not seen to begin.
func (p *Parser) consumer(channel uint16, tag []byte) *consumer {
	for i := range p.consumers {
		if c := &p.consumers[i]; c.channel == channel && c.tag == string(tag) {
			return c
		}
	}
	return nil
}
