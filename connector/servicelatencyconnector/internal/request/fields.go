package request

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/sampling"
)

// maxMatched is how many attributes of a span dimensions given as patterns may
// match; further ones are left out.
const maxMatched = 16

// maxDecisions bounds the memory of which names patterns match.
const maxDecisions = 4096

// Fields are the attributes of one span. They are reused from span to span by
// one goroutine; strings belong to the span.
type Fields struct {
	set     uint64
	service string // of older RPC names: stands before the method
	others  uint64 // how many further spans this one stands for
	values  [slots]aggregate.Value
	matched []matched       // by patterns, in the order of their names
	decided map[string]bool // name -> some pattern matches
}

type matched struct {
	name  string
	value aggregate.Value
}

func (f *Fields) reset() {
	f.set = 0
	f.service = ""
	f.matched = f.matched[:0]
}

// Others returns how many further requests the span stands for, because a
// sampler has dropped them.
func (f *Fields) Others() uint64 { return f.others }

// weigh reads how many spans a sampler meant this one to stand for.
func (f *Fields) weigh(span ptrace.Span) {
	f.others = 0
	if state := span.TraceState().AsRaw(); state != "" {
		if f.others = sampling.Weight(state, span.SpanID()) - 1; f.others > 0 {
			f.put(Estimated, aggregate.BoolValue(true))
		}
	}
}

// Has reports whether the span has the attribute.
func (f *Fields) Has(slot Slot) bool { return f.set&(1<<slot) != 0 }

// Get returns an attribute's value, the zero value if the span does not have it.
func (f *Fields) Get(slot Slot) aggregate.Value {
	if !f.Has(slot) {
		return aggregate.Value{}
	}
	return f.values[slot]
}

// Text returns a string attribute, empty if the span does not have it.
func (f *Fields) Text(slot Slot) string {
	if !f.Has(slot) {
		return ""
	}
	return f.values[slot].Str()
}

func (f *Fields) put(slot Slot, v aggregate.Value) {
	f.values[slot] = v
	f.set |= 1 << slot
}

func (f *Fields) drop(slot Slot) { f.set &^= 1 << slot }

// scan sorts a span's attributes into their slots. Empty ones count as absent.
func (c *Catalog) scan(attrs pcommon.Map, f *Fields) {
	for name, v := range attrs.All() {
		slot, rank, ok := c.table.Find(name)
		switch {
		case !ok:
			if len(c.patterns) > 0 {
				c.match(name, v, f)
			}
			continue
		case rank == attribute.Older && f.Has(Slot(slot)):
			continue
		}
		if value := attribute.Value(v); !value.Empty() {
			f.put(Slot(slot), value)
		}
	}
}

// match keeps an attribute that a pattern among the dimensions wants.
func (c *Catalog) match(name string, v pcommon.Value, f *Fields) {
	wanted, known := f.decided[name]
	if !known {
		wanted = c.wantedByPattern(name)
		if f.decided == nil {
			f.decided = map[string]bool{}
		}
		if len(f.decided) < maxDecisions {
			f.decided[strings.Clone(name)] = wanted
		}
	}
	if wanted && len(f.matched) < maxMatched {
		f.insert(matched{name, attribute.Value(v)})
	}
}

// insert keeps f.matched sorted: the same attributes in another order are the
// same series.
func (f *Fields) insert(m matched) {
	f.matched = append(f.matched, m)
	for i := len(f.matched) - 1; i > 0 && f.matched[i-1].name > m.name; i-- {
		f.matched[i-1], f.matched[i] = f.matched[i], f.matched[i-1]
	}
}
