package amqp

import (
	"cmp"
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// maxTags bounds the messages of one channel that wait to be confirmed or
// settled.
const maxTags = 2048

// tagged is a message that waits to be confirmed or settled.
type tagged struct {
	tag   uint64
	ex    *exchange.Exchange // nil: it is over
	end   uint64             // when it had been handed over
	doubt uint64             // when bytes were lost that its end may have been told in; 0 when none were
}

// tags are the messages that wait, in the order of their tags.
type tags struct {
	list []tagged
	head int // of list: those before are over
}

// add puts in a message. It returns the one that gives way to it, if there is no
// room, or the message itself if its tag is not higher than all before.
func (t *tags) add(m tagged) (out tagged) {
	if len(t.list) > t.head && m.tag <= t.list[len(t.list)-1].tag {
		return m
	}
	if len(t.list)-t.head >= maxTags {
		out = t.list[t.head]
		t.list[t.head] = tagged{}
		t.head++
	}
	t.trim()
	t.list = append(t.list, m)
	return out
}

// trim gives up room before the first that waits.
func (t *tags) trim() {
	for t.head < len(t.list) && t.list[t.head].ex == nil {
		t.head++
	}
	if t.head == len(t.list) || len(t.list) == cap(t.list) && t.head > 0 {
		n := copy(t.list, t.list[t.head:])
		clear(t.list[n:])
		t.list, t.head = t.list[:n], 0
	}
}

// take takes out the message with a tag; without one, ex is nil.
func (t *tags) take(tag uint64) tagged {
	i, ok := slices.BinarySearchFunc(t.list[t.head:], tag, func(m tagged, tag uint64) int { return cmp.Compare(m.tag, tag) })
	if !ok {
		return tagged{}
	}
	m := t.list[t.head+i]
	t.list[t.head+i].ex = nil
	t.trim()
	return m
}

// first takes out the oldest message, if its tag is not above one.
func (t *tags) first(upTo uint64) tagged {
	t.trim()
	if t.head == len(t.list) || t.list[t.head].tag > upTo {
		return tagged{}
	}
	m := t.list[t.head]
	t.list[t.head].ex = nil
	t.trim()
	return m
}

// all is every message that waits.
func (t *tags) all() []tagged { return t.list[t.head:] }
