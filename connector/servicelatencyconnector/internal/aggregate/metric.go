package aggregate

import (
	"encoding/binary"
	"iter"
)

// Metric describes what a series measures. It is immutable once series use it.
type Metric struct {
	ID          uint32 // unique among the metrics of a Store
	Name        string
	Description string
	Unit        string
	// Attributes are the names of the values that stand at the beginning of
	// every key of this metric, in this order; attributes with a name of their
	// own may follow.
	Attributes []string
	Shape      *Shape
}

const headerBytes = 8

// AppendHeader begins a series' key. One value for each of m.Attributes
// (AppendValue) and any number of AppendNamed follow, in an order that must be
// the same every time.
func AppendHeader(dst []byte, o *Owner, m *Metric) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, o.id)
	return binary.LittleEndian.AppendUint32(dst, m.ID)
}

// Series is one metric with one set of attributes of one owner. Its fields have
// three kinds of owners, see the comments; no field has two. What recording
// needs stands first, on one cache line.
type Series struct {
	key string // set at creation

	// Guarded by the shard's lock.
	open  *Histogram // being filled; only valid if epoch is the shard's
	epoch uint32     // interval that open belongs to

	known    bool // the flusher's: it has the series on its list
	overflow bool // set at creation, as are the next three
	owner    *Owner
	metric   *Metric
	shard    *shard

	seen *history // merging only; guarded by the shard's lock

	// The flusher's.
	ready  *Histogram // the interval to hand out
	total  *Histogram // cumulative: everything since the series began
	start  uint64     // cumulative: begin of the series; delta: of the next interval
	active uint64     // end of the last interval with a value
}

// Owner returns the resource that the series belongs to.
func (s *Series) Owner() *Owner { return s.owner }

// Metric returns what the series measures.
func (s *Series) Metric() *Metric { return s.metric }

// Overflow reports whether the series collects what found no place elsewhere.
func (s *Series) Overflow() bool { return s.overflow }

// Attributes iterates over the attributes that are present.
func (s *Series) Attributes() iter.Seq2[string, Value] {
	return attributes(s.key[headerBytes:], s.metric.Attributes)
}

// DecodeNamed iterates over the attributes of a key made of AppendNamed only.
func DecodeNamed(key string) iter.Seq2[string, Value] { return attributes(key, nil) }

// attributes decodes a key: first a value for each of names, then named ones.
func attributes(key string, names []string) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		var v Value
		for i := 0; key != ""; i++ {
			var name string
			if i < len(names) {
				name = names[i]
			} else {
				name, key = takeText(key)
			}
			v, key = takeValue(key)
			if v.kind != Absent && !yield(name, v) {
				return
			}
		}
	}
}
