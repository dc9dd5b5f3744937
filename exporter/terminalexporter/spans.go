package terminalexporter

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/latency"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
	"github.com/sightglass/sightglass/internal/schema"
)

// requestLine makes a line of a span.
func requestLine(resource pcommon.Map, span ptrace.Span) screen.Line {
	attributes := span.Attributes()
	l := screen.Line{
		Time:    max(span.StartTimestamp(), span.EndTimestamp()).AsTime(),
		Tag:     screen.TagRequest,
		Service: serviceOf(resource),
		Text:    requestText(span),
	}
	if pid, ok := attributes.Get(schema.ProcessPID); ok && pid.Type() == pcommon.ValueTypeInt {
		l.PID = pid.Int()
	}
	if container := containerOf(resource); container != l.Service {
		l.Container = container
	}
	if failure := rawOf(attributes, schema.ErrorType); failure != "" || span.Status().Code() == ptrace.StatusCodeError {
		l.Tag = screen.TagFailed
	}
	if took := time.Duration(span.EndTimestamp() - span.StartTimestamp()); span.EndTimestamp() >= span.StartTimestamp() {
		l.Took, l.Timed = took, true
	}
	peer := safe(rawOf(attributes, schema.ServicePeerName, schema.ClientAddress, schema.NetworkPeerAddress))
	switch {
	case peer == "":
	case span.Kind() == ptrace.SpanKindClient || span.Kind() == ptrace.SpanKindProducer:
		l.Peer = "to " + peer
	default:
		l.Peer = "from " + peer
	}
	return l
}

// requestText says what was asked and the answer. What a method of HTTP is, a
// command of Redis may be, too: all but HTTP name their system.
func requestText(span ptrace.Span) text.Safe {
	attributes := span.Attributes()
	what := safe(span.Name())
	if method := safe(rawOf(attributes, schema.HTTPRequestMethod)); method != "" {
		what = method + " " + safe(rawOf(attributes, schema.URLPath, schema.URLFull, schema.HTTPRoute))
	} else if system := safe(rawOf(attributes, latency.SystemAttributes[:]...)); system != "" && system != what {
		what = system + " " + what
	}
	answer := safe(rawOf(attributes, schema.HTTPResponseStatusCode, "db.response.status_code", "rpc.response.status_code", schema.ErrorType))
	if answer != "" {
		what += " " + answer
	}
	return what
}
