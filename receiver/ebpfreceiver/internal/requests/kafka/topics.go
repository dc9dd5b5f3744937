package kafka

import (
	"bytes"
	"encoding/base64"
	"math/bits"
	"slices"
)

// Bounds of a set of topics: how many are told apart, and of their names.
const (
	maxTopics     = 8
	maxTopicBytes = 8 << 10
)

// idBytes is the length of a topic's id.
const idBytes = 16

// topics is a set of topics with their partitions. The names are its own.
type topics struct {
	names []byte
	list  []topic
	more  bool // there are further ones
}

// topic is a name, or an id of which the name is not known, in topics.names.
type topic struct {
	begin, end int
	isID       bool
	first      int32  // partition that was added first
	partitions uint64 // bits of those below 64
	others     bool   // there are others than these
	several    bool   // first is not the only one
}

func (t *topics) reset() { *t = topics{names: t.names[:0], list: t.list[:0]} }

// copy makes t the same as from.
func (t *topics) copy(from *topics) {
	t.names, t.list, t.more = append(t.names[:0], from.names...), append(t.list[:0], from.list...), from.more
}

func (t *topics) name(i int) []byte { return t.names[t.list[i].begin:t.list[i].end] }

func (t *topics) find(name []byte, isID bool) int {
	for i := range t.list {
		if t.list[i].isID == isID && bytes.Equal(t.name(i), name) {
			return i
		}
	}
	return -1
}

// add adds a topic, if it has a name and is not there yet, and returns its place;
// -1 when it has none, or there is no room.
func (t *topics) add(name []byte, isID bool) int {
	if len(name) == 0 {
		return -1
	}
	if i := t.find(name, isID); i >= 0 {
		return i
	}
	if len(t.list) == maxTopics || len(t.names) > maxTopicBytes {
		t.more = true
		return -1
	}
	begin := len(t.names)
	t.names = append(t.names, name...)
	t.list = append(t.list, topic{begin: begin, end: len(t.names), isID: isID})
	return len(t.list) - 1
}

// unknownPartition stands for partitions that cannot be told.
const unknownPartition = -1

// addPartition adds a partition to the topic at a place that add returned.
func (t *topics) addPartition(i int, partition int32) {
	if i < 0 {
		return
	}
	p := &t.list[i]
	switch {
	case partition == unknownPartition:
		p.several = true
	case p.partitions == 0 && !p.others:
		p.first = partition
	case p.first != partition:
		p.several = true
	}
	if partition >= 0 && partition < 64 {
		p.partitions |= 1 << partition
	} else {
		p.others = true
	}
}

// merge adds another set.
func (t *topics) merge(o *topics) {
	t.more = t.more || o.more
	for k := range o.list {
		i := t.add(o.name(k), o.list[k].isID)
		if i < 0 {
			continue
		}
		p, q := &t.list[i], &o.list[k]
		if p.partitions == 0 && !p.others {
			p.first = q.first
		}
		p.several = p.several || q.several || p.first != q.first
		p.partitions |= q.partitions
		p.others = p.others || q.others
	}
}

// remove takes out the partitions of another set.
func (t *topics) remove(o *topics) {
	for k := range o.list {
		i := t.find(o.name(k), o.list[k].isID)
		if i < 0 {
			continue
		}
		p := &t.list[i]
		if p.partitions &^= o.list[k].partitions; p.partitions == 0 && !p.others {
			t.list = slices.Delete(t.list, i, i+1) // the name stays until reset, as few do
		}
	}
}

// only returns the place of the topic if there is one and no other, else -1.
func (t *topics) only() int {
	if len(t.list) == 1 && !t.more {
		return 0
	}
	return -1
}

// partition returns the partition of the topic at a place if there is one and no
// other.
func (t *topics) partition(i int) (n int, ok bool) {
	p := &t.list[i]
	switch {
	case p.partitions == 0 && !p.others:
		return 0, false
	case !p.others && bits.OnesCount64(p.partitions) == 1:
		return bits.TrailingZeros64(p.partitions), true // of several, the others were removed
	}
	return int(p.first), !p.several
}

// resolve gives names to ids, as far as they are known.
func (t *topics) resolve(known *ids) {
	for i := range t.list {
		if !t.list[i].isID {
			continue
		}
		if name, ok := known.names[[idBytes]byte(t.name(i))]; ok {
			begin := len(t.names)
			t.names = append(t.names, name...)
			t.list[i].begin, t.list[i].end, t.list[i].isID = begin, len(t.names), false
		}
	}
}

// appendID appends an id as Kafka's tools print it.
func appendID(dst, id []byte) []byte { return base64.RawURLEncoding.AppendEncode(dst, id) }

// maxIDs bounds the names that are remembered; when there are more, all are
// forgotten.
const maxIDs = 1 << 16

// ids are the names of topics by their ids, which no two topics of any cluster
// share.
type ids struct{ names map[[idBytes]byte]string }

// learn notes what metadata say.
func (d *ids) learn(id, name []byte) {
	if len(id) != idBytes || len(name) == 0 || [idBytes]byte(id) == [idBytes]byte{} {
		return
	}
	if d.names[[idBytes]byte(id)] == string(name) {
		return
	}
	if d.names == nil || len(d.names) >= maxIDs {
		d.names = make(map[[idBytes]byte]string)
	}
	d.names[[idBytes]byte(id)] = string(name)
}
