package translate

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

// Traces collects the spans of owners into batches. One goroutine at a time.
type Traces struct {
	host      Host
	version   string
	batch     ptrace.Traces
	resources map[resourceKey]ptrace.SpanSlice
	n         int
}

// NewTraces returns a builder.
func NewTraces(host Host, version string) *Traces {
	t := &Traces{host: host, version: version}
	t.reset()
	return t
}

func (t *Traces) reset() {
	t.batch = ptrace.NewTraces()
	t.resources = make(map[resourceKey]ptrace.SpanSlice)
	t.n = 0
}

// Len is the number of spans since Take.
func (t *Traces) Len() int { return t.n }

// Take hands out the batch, which then belongs to the caller.
func (t *Traces) Take() ptrace.Traces {
	batch := t.batch
	t.reset()
	return batch
}

// Join puts spans into the batch, as those of their owner, and empties list.
func (t *Traces) Join(list ptrace.SpanSlice, o Owner) {
	if list.Len() == 0 {
		return
	}
	if o.Instrumented {
		for _, span := range list.All() {
			span.Attributes().PutBool(schema.RequestInstrumented, true)
		}
	}
	t.n += list.Len()
	list.MoveAndAppendTo(t.spans(o))
}

// spans finds or makes the resource of an owner.
func (t *Traces) spans(o Owner) ptrace.SpanSlice {
	k := o.key()
	if s, ok := t.resources[k]; ok {
		return s
	}
	rs := t.batch.ResourceSpans().AppendEmpty()
	t.host.fill(rs.Resource().Attributes(), o)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(schema.ScopeName)
	ss.Scope().SetVersion(t.version)
	ss.Scope().Attributes().PutStr(schema.RequestSource, "ebpf")
	t.resources[k] = ss.Spans()
	return ss.Spans()
}
