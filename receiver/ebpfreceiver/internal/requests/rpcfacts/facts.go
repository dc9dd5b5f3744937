// Package rpcfacts holds what is known about a remote procedure call that HTTP
// carries, and turns it into the attributes of a span. An exchange that turns
// out to be no call is an HTTP exchange like any other.
package rpcfacts

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Facts of one exchange. The method of a call is the target of the request.
type Facts struct {
	httpfacts.Facts
	GRPC      bool
	Code      Code   // grpc-status; NoCode when none was seen
	Timeout   uint64 // ns that the client allows, from grpc-timeout; 0 when it does not say
	Streaming bool   // more than one message of a side, or a response that waited between messages
	// ResponseUnknown says that fields of the response or its trailers are not
	// known (see httpfacts.Facts.HeadersUnknown for the request).
	ResponseUnknown bool
}

var (
	_ exchange.Facts  = (*Facts)(nil)
	_ spans.Describer = (*Facts)(nil)
)

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	f.Facts.Reset()
	*f = Facts{Facts: f.Facts}
}

// SetContentType takes in a content-type of the request or the response.
func (f *Facts) SetContentType(value []byte) {
	f.GRPC = f.GRPC || isGRPC(value)
}

// isGRPC tells whether a content type is that of gRPC: with a suffix such as
// +proto, or parameters. That of gRPC-Web carries its status in the body.
func isGRPC(value []byte) bool {
	const kind = "application/grpc"
	if len(value) < len(kind) || !httpfacts.Fold(value[:len(kind)], kind) {
		return false
	}
	return len(value) == len(kind) || value[len(kind)] == '+' || value[len(kind)] == ';' || value[len(kind)] == ' '
}

// SetStatus takes in a grpc-status.
func (f *Facts) SetStatus(value []byte) {
	f.GRPC = true
	if n, ok := parseNumber(value, 2); ok && n < uint64(len(codeNames)) {
		f.Code = Code(n + 1)
	} else {
		f.Code = Unknown
	}
}

// SetTimeout takes in a grpc-timeout: at most 8 digits and a unit.
func (f *Facts) SetTimeout(value []byte) {
	if len(value) == 0 {
		return
	}
	unit := unitOf(value[len(value)-1])
	if n, ok := parseNumber(value[:len(value)-1], 8); ok {
		f.Timeout = n * unit
	}
}

// unitOf is a unit of grpc-timeout in ns, 0 when it is none.
func unitOf(c byte) uint64 {
	switch c {
	case 'n':
		return 1
	case 'u':
		return 1e3
	case 'm':
		return 1e6
	case 'S':
		return 1e9
	case 'M':
		return 60e9
	case 'H':
		return 3600e9
	}
	return 0
}

func parseNumber(b []byte, digits int) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > digits {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// EndedBy takes in how the exchange ended, when it was not by a status.
func (f *Facts) EndedBy(ex *exchange.Exchange) {
	if !f.GRPC || f.Code != NoCode || f.ResponseUnknown {
		return
	}
	switch {
	case f.StreamError != "":
		f.Code = f.resetCode(ex)
	case ex.Incomplete == exchange.Complete && f.Status != 0 && f.Status != 200:
		f.Code = codeOfHTTP(f.Status)
	}
}

// lateness is how much of a timeout, in ns, may pass at most between the moment
// when it was written down and the sending of the request.
const lateness = 5e6

// resetCode is what a client library makes of a stream that was reset. A client
// resets one when its deadline has passed.
func (f *Facts) resetCode(ex *exchange.Exchange) Code {
	if f.CallerGone && f.Timeout != 0 && ex.End-ex.Start+min(f.Timeout/10, lateness) >= f.Timeout {
		return DeadlineExceeded
	}
	return codeOfReset(f.StreamError)
}

// healthCheck is the method of the health protocol's unary call.
const healthCheck = "/grpc.health.v1.Health/Check"

// Class tells what kind of waiting the exchange is.
func (f *Facts) Class() exchange.Class {
	class := f.Facts.Class()
	switch {
	case !f.GRPC:
		return class
	case class == exchange.Probe, bytes.HasPrefix(f.Target, []byte(healthCheck)) && len(f.Target) == len(healthCheck):
		return exchange.Probe
	case f.Streaming:
		return exchange.Stream
	}
	return exchange.Unary
}
