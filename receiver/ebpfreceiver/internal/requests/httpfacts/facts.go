// Package httpfacts holds what is known about an HTTP exchange, whichever
// version of the protocol carried it, and turns it into the attributes of a
// span.
package httpfacts

import (
	"bytes"
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpapi"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Facts of one HTTP exchange. The byte slices are its own; an empty one means
// that the message did not have it, or that it lies beyond the bound.
type Facts struct {
	Method         []byte // as sent
	Target         []byte // request target: origin, absolute, authority or asterisk form
	Host           []byte
	UserAgent      []byte
	TraceParent    []byte
	TraceState     []byte
	b3             b3
	ForwardedFor   []byte // of X-Forwarded-For or Forwarded: the first address
	ForwardedProto []byte // of X-Forwarded-Proto or Forwarded: http or https
	Version        Version
	Status         uint16        // 0 when the response was not seen
	TargetCut      bool          // Target goes on beyond the bound
	HeadCut        bool          // there are request headers beyond the bound
	EventStream    bool          // the response is text/event-stream
	Upgraded       bool          // the connection left HTTP with the response
	CallerGone     bool          // the client ended its side before the response was complete
	Held           bool          // the request asks the server to wait (Prefer: wait)
	HTTPS          bool          // the connection is encrypted, or the request's :scheme is https
	HeadersUnknown bool          // there are request headers that are not known
	API            httpapi.Hints // of what the exchange carries
	StreamError    string        // name of the HTTP/2 error code that ended it early; empty when none did
}

// Version of HTTP.
type Version uint8

// Versions.
const (
	HTTP11 Version = iota
	HTTP10
	HTTP2
)

var versionNames = [...]string{HTTP11: "1.1", HTTP10: "1.0", HTTP2: "2"}

func (v Version) String() string { return versionNames[v] }

var (
	_ exchange.Facts  = (*Facts)(nil)
	_ spans.Describer = (*Facts)(nil)
)

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	f.b3.reset()
	f.API.Reset()
	*f = Facts{
		Method: f.Method[:0], Target: f.Target[:0], Host: f.Host[:0], UserAgent: f.UserAgent[:0],
		TraceParent: f.TraceParent[:0], TraceState: f.TraceState[:0], b3: f.b3,
		ForwardedFor: f.ForwardedFor[:0], ForwardedProto: f.ForwardedProto[:0],
		API: f.API,
	}
}

// SetHeader takes over a request header that is worth keeping. The name is
// compared without regard to case; name and value may be reused afterwards.
func (f *Facts) SetHeader(name, value []byte) {
	f.API.Header(name, value, false)
	switch len(name) {
	case 2:
		set(&f.b3.single, name, "b3", value)
	case 4:
		set(&f.Host, name, "host", value)
	case 6:
		f.Held = f.Held || Fold(name, "prefer") && containsFold(value, "wait=")
	case 9:
		if Fold(name, "forwarded") {
			f.setForwarded(value)
		}
	case 10:
		set(&f.UserAgent, name, "user-agent", value)
		set(&f.TraceState, name, "tracestate", value)
		f.b3.set(name, value)
	case 11:
		set(&f.TraceParent, name, "traceparent", value)
		f.b3.set(name, value)
	case 12:
		f.b3.set(name, value)
	case 15:
		if Fold(name, "x-forwarded-for") && len(f.ForwardedFor) == 0 {
			first, _, _ := bytes.Cut(value, []byte(","))
			f.ForwardedFor = append(f.ForwardedFor, bytes.TrimSpace(first)...)
		}
	case 17:
		set(&f.ForwardedProto, name, "x-forwarded-proto", value)
	}
}

// set copies value when name is want and nothing was set before: of a repeated
// header the first counts.
func set(dst *[]byte, name []byte, want string, value []byte) {
	if len(*dst) == 0 && Fold(name, want) {
		*dst = append(*dst, value...)
	}
}

// setForwarded reads the first element of a Forwarded header (RFC 7239).
func (f *Facts) setForwarded(value []byte) {
	first, _, _ := bytes.Cut(value, []byte(","))
	for len(first) > 0 {
		var pair []byte
		pair, first, _ = bytes.Cut(first, []byte(";"))
		key, val, ok := bytes.Cut(pair, []byte("="))
		key, val = bytes.TrimSpace(key), bytes.Trim(bytes.TrimSpace(val), `"`)
		switch {
		case !ok:
		case Fold(key, "for") && len(f.ForwardedFor) == 0:
			f.ForwardedFor = append(f.ForwardedFor, val...)
		case Fold(key, "proto") && len(f.ForwardedProto) == 0:
			f.ForwardedProto = append(f.ForwardedProto, val...)
		}
	}
}

// ExportsTraces tells whether the request sends spans by OTLP: over HTTP to the
// path that the protocol recommends, or by gRPC.
func (f *Facts) ExportsTraces() bool {
	return bytes.HasSuffix(f.Target, []byte("/v1/traces")) ||
		string(f.Target) == "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
}

// IsEventStream tells whether a content type is that of server-sent events.
func IsEventStream(value []byte) bool {
	const kind = "text/event-stream"
	return len(value) >= len(kind) && Fold(value[:len(kind)], kind)
}

// Exporter is the user agent of a request that delivers telemetry by OTLP; false
// for any other request.
func (f *Facts) Exporter() (userAgent []byte, ok bool) {
	ok = f.ExportsTraces() || bytes.HasSuffix(f.Target, []byte("/v1/metrics")) || bytes.HasSuffix(f.Target, []byte("/v1/logs")) ||
		bytes.HasPrefix(f.Target, []byte("/opentelemetry.proto.collector.")) && bytes.HasSuffix(f.Target, []byte("/Export"))
	return f.UserAgent, ok
}

// Encrypted notes that the connection is encrypted.
func (f *Facts) Encrypted() { f.HTTPS = true }

// Serving tells what is being asked of a server while it serves the request: the
// method, as the conventions name it, and the scheme. Until its head has been read
// the method is empty.
func (f *Facts) Serving() (method, scheme string) {
	if len(f.Method) == 0 {
		return "", ""
	}
	scheme = "http"
	if f.HTTPS || Fold(f.ForwardedProto, "https") {
		scheme = "https"
	}
	return methodName(f.Method), scheme
}

// Class tells what kind of waiting the exchange is.
func (f *Facts) Class() exchange.Class {
	switch {
	case f.isProbe(), f.probesAPI():
		return exchange.Probe
	case f.Upgraded, f.EventStream:
		return exchange.Stream
	case f.isWait():
		return exchange.Wait
	}
	return exchange.Unary
}

// probeAgents are what user agents of health checks begin with.
var probeAgents = []string{
	"kube-probe/", "GoogleHC/", "ELB-HealthChecker/", "Consul Health Check",
	"Envoy/HC", "HAProxy/HealthCheck", "Go-Health-Check",
}

func (f *Facts) isProbe() bool {
	return slices.ContainsFunc(probeAgents, func(agent string) bool {
		return len(f.UserAgent) >= len(agent) && string(f.UserAgent[:len(agent)]) == agent
	})
}

// isWait recognises requests to be held until something happens: Prefer: wait
// (RFC 7240), watches of the Kubernetes API and blocking queries of Consul.
func (f *Facts) isWait() bool {
	if f.Held {
		return true
	}
	_, query, _ := bytes.Cut(f.Target, []byte("?"))
	var index, wait bool
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		switch key, value, _ := bytes.Cut(pair, []byte("=")); string(key) {
		case "watch":
			if string(value) == "true" || string(value) == "1" {
				return true
			}
		case "index":
			index = true
		case "wait":
			wait = true
		}
	}
	return index && wait
}

// Fold tells whether b is s, which must be lower-case, without regard to the
// case of ASCII letters.
func Fold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// containsFold tells whether b contains s, which must be lower-case.
func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if Fold(b[i:i+len(s)], s) {
			return true
		}
	}
	return false
}
