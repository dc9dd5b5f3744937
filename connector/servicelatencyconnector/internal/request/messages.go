package request

import "github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"

// Direction is which way messages go.
type Direction uint8

// Directions of messages, as their clients see it.
const (
	Sent Direction = iota
	Consumed
	Directions
)

// messageSlots are the attributes of the metrics that count messages.
var messageSlots = []Slot{
	MessagingSystem, MessagingOperation, MessagingDestination, MessagingTemplate, MessagingGroup, ErrorType, PeerName, Estimated,
}

// MessageAttributes returns their names.
func MessageAttributes() []string {
	names := make([]string, len(messageSlots))
	for i, slot := range messageSlots {
		names[i] = slotNames[slot][0]
	}
	return names
}

// Messages returns how many messages an operation of a client has sent or
// received; 0 when it did neither, or that is not known. One that does not say
// how many it sent has sent one, unless it was told to be cut.
func (f *Fields) Messages(m *Metric) (Direction, uint64) {
	if m.ID != messagingClient {
		return Sent, 0
	}
	n := uint64(max(f.number(MessagingCount), 0))
	switch f.Text(MessagingType) {
	case "receive":
		return Consumed, n
	case "send", "publish", "create":
		if !f.Has(MessagingCount) && !f.Has(Truncated) {
			n = 1
		}
		return Sent, n
	}
	return Sent, 0
}

// AppendMessageKey appends the values of MessageAttributes.
func (f *Fields) AppendMessageKey(dst []byte) []byte {
	for _, slot := range messageSlots {
		dst = aggregate.AppendValue(dst, f.Get(slot))
	}
	return dst
}

// AppendMessageOverflowKey appends those that totals are made of.
func (f *Fields) AppendMessageOverflowKey(dst []byte) []byte {
	for _, slot := range messageSlots {
		v := aggregate.Value{}
		if slot == Estimated {
			v = f.Get(slot)
		}
		dst = aggregate.AppendValue(dst, v)
	}
	return dst
}
