package amqp

import (
	"bytes"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Facts of one operation. The byte slices are its own.
type Facts struct {
	messagingfacts.Facts

	Exchange   []byte
	RoutingKey []byte
	Queue      []byte
	Tag        uint64 // of a delivery; 0 for none
	Class      exchange.Class
	consumer   []byte // of a method that begins one
	Cut        bool   // names lie beyond what was copied
	Mandatory  bool   // a message that reaches no queue comes back
}

var (
	_ exchange.Facts     = (*Facts)(nil)
	_ exchange.Contexter = (*Facts)(nil)
	_ spans.Describer    = (*Facts)(nil)
)

// defaultExchange stands for the exchange without a name.
const defaultExchange = "amq.default"

// temporary are the beginnings of the names that brokers make up.
var temporary = [][]byte{[]byte("amq.gen-"), []byte("amq.rabbitmq.reply-to")}

// factsOf returns what is known of an exchange of this protocol.
func factsOf(ex *exchange.Exchange) *Facts { return ex.Facts.(*Facts) }

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	f.Facts.Reset()
	*f = Facts{Facts: f.Facts, Exchange: f.Exchange[:0], RoutingKey: f.RoutingKey[:0], Queue: f.Queue[:0], consumer: f.consumer[:0]}
}

// destine names the destination: the exchange, the routing key and the queue, as
// far as they are known and differ.
func (f *Facts) destine(defaults bool) {
	d := f.Destination[:0]
	key := f.RoutingKey
	if bytes.Equal(key, f.Queue) {
		key = nil
	}
	for _, part := range [][]byte{f.Exchange, key, f.Queue} {
		if len(part) == 0 {
			continue
		}
		if len(d) > 0 {
			d = append(d, ':')
		}
		d = append(d, part...)
	}
	if len(d) == 0 && defaults {
		d = append(d, defaultExchange...)
	}
	f.Destination = d
	f.Temporary = f.Temporary || isTemporary(f.Queue) || len(f.Exchange) == 0 && isTemporary(f.RoutingKey)
}

// isTemporary tells names that brokers make up.
func isTemporary(name []byte) bool {
	for _, prefix := range temporary {
		if bytes.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if !f.Facts.Describe(ex, w) {
		return false
	}
	w.Bytes(schema.MessagingRoutingKey, f.RoutingKey)
	if f.Cut {
		w.List(schema.Truncated, schema.MessagingDestinationName)
	}
	if f.Tag != 0 {
		w.Int(schema.MessagingDeliveryTag, int64(f.Tag))
	}
	return true
}
