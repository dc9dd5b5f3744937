// Package attribute finds and converts the attributes of spans and resources
// without allocating.
package attribute

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// Rank says which of several spellings of an attribute wins when a span has
// more than one.
type Rank uint8

// The ranks, the stronger first.
const (
	Current Rank = iota
	Older        // a name that earlier conventions used
)

// Table maps attribute names to numbers. Names are grouped by length and two of
// their letters. Most lookups are of names that are not in the table, and nearly
// all of those end at an empty group.
type Table struct {
	groups [groups][]entry
}

const groups = 512

func group(name string) uint {
	n := uint(len(name))
	if n == 0 {
		return 0
	}
	return (n*37 + uint(name[n-1])*5 + uint(name[n/2])*67) % groups
}

type entry struct {
	name string
	slot uint8
	rank Rank
}

// Add maps a name to a slot. The first entry for a name wins.
func (t *Table) Add(name string, slot uint8, rank Rank) {
	t.groups[group(name)] = append(t.groups[group(name)], entry{name, slot, rank})
}

// Find returns the slot of a name.
func (t *Table) Find(name string) (slot uint8, rank Rank, ok bool) {
	in := t.groups[group(name)]
	for i := range in {
		if in[i].name == name {
			return in[i].slot, in[i].rank, true
		}
	}
	return 0, 0, false
}

// Longest returns the size of the largest group.
func (t *Table) Longest() (n int) {
	for _, g := range t.groups {
		n = max(n, len(g))
	}
	return n
}

// Value converts an attribute's value. Only slices, maps and bytes, which have
// no place in a dimension, allocate: they become text.
func Value(v pcommon.Value) aggregate.Value {
	switch v.Type() {
	case pcommon.ValueTypeEmpty:
		return aggregate.Value{}
	case pcommon.ValueTypeStr:
		return aggregate.StringValue(v.Str())
	case pcommon.ValueTypeInt:
		return aggregate.IntValue(v.Int())
	case pcommon.ValueTypeBool:
		return aggregate.BoolValue(v.Bool())
	case pcommon.ValueTypeDouble:
		return aggregate.DoubleValue(v.Double())
	default:
		return aggregate.StringValue(v.AsString())
	}
}

// Put sets an attribute to a decoded value.
func Put(to pcommon.Map, name string, v aggregate.Value) {
	switch v.Kind() {
	case aggregate.Absent:
	case aggregate.String:
		to.PutStr(name, v.Str())
	case aggregate.Int:
		to.PutInt(name, v.Int())
	case aggregate.Bool:
		to.PutBool(name, v.Bool())
	case aggregate.Double:
		to.PutDouble(name, v.Double())
	}
}
