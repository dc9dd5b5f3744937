package translate

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Traces collects exchanges into batches of spans. One goroutine at a time.
type Traces struct {
	host       Host
	version    string
	translator *spans.Translator
	batch      ptrace.Traces
	resources  map[resourceKey]ptrace.SpanSlice
	last       [4]lastSpans // of the owners of late, whose key is not made anew
	turn       int          // which of them is replaced next
	n          int
}

// lastSpans are the spans of an owner. What is behind its pointers does not
// change.
type lastSpans struct {
	process *process.Process
	cgroup  *container.Info
	spans   ptrace.SpanSlice
}

// NewTraces returns a builder; the ids of its spans come from seed, and routes
// are those that the user has configured.
func NewTraces(host Host, version string, seed [32]byte, routes spans.Patterns) *Traces {
	t := &Traces{host: host, version: version, translator: spans.NewTranslator(seed)}
	t.translator.UseRoutes(routes)
	t.reset()
	return t
}

func (t *Traces) reset() {
	t.batch = ptrace.NewTraces()
	t.resources = make(map[resourceKey]ptrace.SpanSlice)
	t.last = [len(t.last)]lastSpans{}
	t.n = 0
}

// Len is the number of spans since Take.
func (t *Traces) Len() int { return t.n }

// Take hands out the batch, which then belongs to the caller.
func (t *Traces) Take() ptrace.Traces {
	batch := t.batch
	batch.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		return rs.ScopeSpans().At(0).Spans().Len() == 0
	})
	t.reset()
	return batch
}

// Append adds the span of an exchange, which stays the caller's. It reports
// false when too little is known of the request for a span.
func (t *Traces) Append(ex *exchange.Exchange, o Owner, wallOffset int64) bool {
	dst := t.spans(o)
	if !t.translator.Append(dst, ex, wallOffset) {
		return false
	}
	if o.Instrumented {
		dst.At(dst.Len()-1).Attributes().PutBool(schema.RequestInstrumented, true)
	}
	t.n++
	return true
}

// spans finds or makes the resource of an owner.
func (t *Traces) spans(o Owner) ptrace.SpanSlice {
	for i := range t.last {
		if l := &t.last[i]; l.cgroup == o.Cgroup && l.process == o.Process && l.cgroup != nil {
			return l.spans
		}
	}
	s := t.resource(o)
	t.last[t.turn] = lastSpans{o.Process, o.Cgroup, s}
	t.turn = (t.turn + 1) % len(t.last)
	return s
}

func (t *Traces) resource(o Owner) ptrace.SpanSlice {
	k := o.key()
	if s, ok := t.resources[k]; ok {
		return s
	}
	rs := t.batch.ResourceSpans().AppendEmpty()
	t.host.fill(rs.Resource().Attributes(), o)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(schema.ScopeName)
	ss.Scope().SetVersion(t.version)
	t.resources[k] = ss.Spans()
	return ss.Spans()
}
