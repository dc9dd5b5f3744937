package terminalexporter

import (
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

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
	peer := safe(rawOf(attributes, schema.ServicePeerName, schema.ClientAddress, schema.NetworkPeerAddress))
	switch {
	case peer == "":
	case span.Kind() == ptrace.SpanKindClient || span.Kind() == ptrace.SpanKindProducer:
		l.Text += "  to " + peer
	default:
		l.Text += "  from " + peer
	}
	return l
}

// requestText says what was asked, the answer, and how long it took.
func requestText(span ptrace.Span) text.Safe {
	attributes := span.Attributes()
	what := safe(span.Name())
	if method := safe(rawOf(attributes, schema.HTTPRequestMethod)); method != "" {
		what = method + " " + safe(rawOf(attributes, schema.URLPath, schema.URLFull, schema.HTTPRoute))
	}
	answer := safe(rawOf(attributes, schema.HTTPResponseStatusCode, "db.response.status_code", "rpc.response.status_code", schema.ErrorType))
	if answer != "" {
		what += " " + answer
	}
	took := time.Duration(span.EndTimestamp() - span.StartTimestamp())
	if span.EndTimestamp() < span.StartTimestamp() {
		return what
	}
	return what + "  " + text.Safe(strconv.FormatFloat(float64(took)/1e6, 'f', 1, 64)) + " ms"
}
