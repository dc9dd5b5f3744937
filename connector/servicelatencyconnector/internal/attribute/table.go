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

// Table maps attribute names to numbers. Names are grouped by length, which
// leaves at most a handful to compare with; nearly all lookups are of names
// that are not in the table, and most of those end at the length.
type Table struct {
	byLength [][]entry
}

type entry struct {
	name string
	slot uint8
	rank Rank
}

// Add maps a name to a slot. The first entry for a name wins.
func (t *Table) Add(name string, slot uint8, rank Rank) {
	for len(t.byLength) <= len(name) {
		t.byLength = append(t.byLength, nil)
	}
	t.byLength[len(name)] = append(t.byLength[len(name)], entry{name, slot, rank})
}

// Find returns the slot of a name.
func (t *Table) Find(name string) (slot uint8, rank Rank, ok bool) {
	if len(name) >= len(t.byLength) {
		return 0, 0, false
	}
	for i := range t.byLength[len(name)] {
		if e := &t.byLength[len(name)][i]; e.name == name {
			return e.slot, e.rank, true
		}
	}
	return 0, 0, false
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
