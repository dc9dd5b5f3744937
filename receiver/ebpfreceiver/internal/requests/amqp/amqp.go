// Package amqp follows connections of AMQP 0-9-1, as RabbitMQ speaks it: many
// channels at once, publishing with and without confirms, deliveries until they
// are settled, fetched messages, and the methods that are answered. Bodies are
// walked over by the lengths of their frames.
//
// An exchange is one publishing, one delivery, or one method with its answer.
package amqp

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// System is messaging.system. Other brokers speak the protocol, too, but hardly
// any but RabbitMQ this version.
const System = "rabbitmq"

// Protocol is AMQP 0-9-1. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16
}

// New returns the protocol with its default bound: a broker writes many
// messages at once.
func New() *Protocol { return &Protocol{Bound: event.MaxPayload} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "amqp" }

// Signatures implements exchange.Protocol: what a client begins with, and on
// older connections methods of a channel below 2048 and heartbeats.
func (p *Protocol) Signatures() []event.Signature {
	const exact = 0xff
	list := []event.Signature{{Every: true, Bound: p.Bound}, {Every: true, Bound: p.Bound}}
	copy(list[0].Value[:], preface)
	copy(list[1].Value[:], heartbeatFrame)
	for i := range preface {
		list[0].Mask[i], list[1].Mask[i] = exact, exact
	}
	for _, class := range []byte{classExchange, classQueue, classBasic} {
		list = append(list, event.Signature{
			Value: [event.SignatureBytes]byte{0: frameMethod, 8: class},
			Mask:  [event.SignatureBytes]byte{exact, 0xf8, 0, exact, exact, 0, 0, exact, exact, exact, 0x80},
			Every: true, Bound: p.Bound,
		})
	}
	for i := range list {
		list[i].Frames = framing
	}
	return list
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if len(first) >= len(preface) && string(first[:len(preface)]) == preface {
		return exchange.IsRequest
	}
	return begins(first)
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &Facts{} }

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	return &Parser{sink: sink, channels: make(map[uint16]*channel)}
}
