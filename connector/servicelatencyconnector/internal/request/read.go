package request

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// Outcome says what became of a span.
type Outcome uint8

// The outcomes.
const (
	OutcomeCounted    Outcome = iota
	OutcomeIgnored            // not a request: internal work, or its metric is off
	OutcomeInvalid            // no end time
	OutcomeIncomplete         // the response was not seen, so that there is no duration
)

// hasDuration tells whether a request that is not whole has a duration all the
// same: one side gave up, or only headers are not known.
func hasDuration(incomplete string) bool {
	switch incomplete {
	case "", "connection_closed", "stream_reset", "headers_unknown":
		return true
	}
	return false
}

// Read reads a span into f and returns the metric that counts it, nil unless
// the outcome is OutcomeCounted. f is valid as long as the span is.
func (c *Catalog) Read(span ptrace.Span, r *Resource, f *Fields) (*Metric, Outcome) {
	switch span.Kind() {
	case ptrace.SpanKindServer, ptrace.SpanKindClient, ptrace.SpanKindProducer, ptrace.SpanKindConsumer:
	default:
		return nil, OutcomeIgnored
	}
	if span.EndTimestamp() == 0 {
		return nil, OutcomeInvalid
	}
	f.reset()
	c.scan(span.Attributes(), f)
	if !hasDuration(f.Text(Incomplete)) {
		return nil, OutcomeIncomplete
	}
	row := classify(span.Kind(), f)
	m := c.metrics[row]
	if m == nil {
		return nil, OutcomeIgnored
	}
	f.weigh(span)
	rules[row](f, span)
	f.finish(m, r, span.Status().Code())
	c.inherit(f, r)
	return m, OutcomeCounted
}

// Duration returns how long a span lasted, in ns. Clocks that disagree can make
// it negative; such a request has happened all the same and lasted 0.
func Duration(span ptrace.Span) uint64 {
	start, end := span.StartTimestamp(), span.EndTimestamp()
	if end < start {
		return 0
	}
	return uint64(end - start)
}

// Sampled reports whether a span can be expected at the back end. A sender that
// fills in the flags says so; one that leaves them all zero has sent the span,
// which is the best sign there is.
func Sampled(span ptrace.Span) bool {
	const sampled = 1
	return span.Flags() == 0 || span.Flags()&sampled != 0
}

// classify returns the row of Definitions that measures a span.
func classify(kind ptrace.SpanKind, f *Fields) int {
	server := kind == ptrace.SpanKindServer || kind == ptrace.SpanKindConsumer
	switch {
	case f.Has(RPCSystem):
		return pick(server, rpcServer, rpcClient)
	case server && f.Has(HTTPMethod):
		// A handler that also carries its database's attributes is still a handler.
		return httpServer
	case f.Has(DBSystem):
		return pick(server, dbServer, dbClient)
	case f.Has(MessagingSystem) && kind == ptrace.SpanKindServer && f.Has(MessagingOperation): // what a broker does
		return messagingServer
	case f.Has(MessagingSystem):
		return pick(processes(kind, f), messagingProcess, messagingClient)
	case f.Has(HTTPMethod):
		return httpClient
	case f.Has(DNSQuestion) && !server:
		return dnsLookup
	default:
		return pick(server, otherServer, otherClient)
	}
}

func pick(condition bool, yes, no int) int {
	if condition {
		return yes
	}
	return no
}

// processes tells processing a message from fetching it: by the operation's
// type, and by the kind where there is none.
func processes(kind ptrace.SpanKind, f *Fields) bool {
	switch f.Text(MessagingType) {
	case "process", "deliver":
		return true
	case "":
		return kind == ptrace.SpanKindConsumer || kind == ptrace.SpanKindServer
	default:
		return false
	}
}

// AppendKey appends the key of the series that counts the request.
func (m *Metric) AppendKey(dst []byte, o *aggregate.Owner, f *Fields) []byte {
	dst = aggregate.AppendHeader(dst, o, &m.Metric)
	for _, slot := range m.slots {
		switch {
		case !f.Has(slot):
			dst = append(dst, byte(aggregate.Absent))
		case slot == RPCMethod && f.service != "":
			dst = aggregate.AppendJoined(dst, f.service, f.values[slot].Str())
		default:
			dst = aggregate.AppendValue(dst, f.values[slot])
		}
	}
	for i := range f.matched {
		dst = aggregate.AppendNamed(dst, f.matched[i].name, f.matched[i].value)
	}
	return dst
}

// AppendOverflowKey appends the key, but for the mark, of the series that counts
// the request when a limit forbids its own. It keeps apart what totals are made
// of: failures, classes, estimates, and requests from within the pod.
func (m *Metric) AppendOverflowKey(dst []byte, o *aggregate.Owner, f *Fields) []byte {
	dst = aggregate.AppendHeader(dst, o, &m.Metric)
	for _, slot := range m.slots {
		v := aggregate.Value{}
		switch slot {
		case Class, WithinPod, Estimated:
			v = f.Get(slot)
		case ErrorType:
			if f.Has(ErrorType) {
				v = aggregate.StringValue(OtherError)
			}
		default:
		}
		dst = aggregate.AppendValue(dst, v)
	}
	return dst
}

// Protocol says what kind of thing a metric's requests go to.
type Protocol uint8

// The protocols that are told apart.
const (
	OtherProtocol Protocol = iota
	DatabaseProtocol
	MessagingProtocol
)

// Protocol returns the kind of thing that the metric's requests go to.
func (m *Metric) Protocol() Protocol {
	switch m.ID {
	case dbClient, dbServer:
		return DatabaseProtocol
	case messagingClient, messagingProcess, messagingServer:
		return MessagingProtocol
	default:
		return OtherProtocol
	}
}

// operations are the attributes that name what a request is for.
var operations = []Slot{HTTPRoute, RouteInferred, URLTemplate, RPCMethod, DBSummary, DBProcedure, DBOperation, MessagingDestination, Operation}

// Operation names what the request is for, as far as that has few values.
func (f *Fields) Operation() string {
	for _, slot := range operations {
		switch text := f.Text(slot); {
		case text == "":
		case slot == RPCMethod && f.service != "":
			return f.service + "/" + text
		default:
			return text
		}
	}
	return ""
}
