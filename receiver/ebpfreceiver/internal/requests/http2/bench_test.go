package http2

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// benchSink hands what is done to a translator, if it has one.
type benchSink struct {
	pool *exchange.Pool
	tr   *spans.Translator
	list ptrace.SpanSlice
	done int
}

func (b *benchSink) New(s *exchange.Segment) *exchange.Exchange {
	ex := b.pool.Get()
	ex.Start, ex.Role, ex.Family, ex.LocalPort, ex.PeerPort = s.Start, event.RoleServer, 2, 8080, 40000
	return ex
}

func (b *benchSink) Done(ex *exchange.Exchange) {
	b.done++
	if b.tr != nil {
		if b.list.Len() == 4096 {
			b.list = ptrace.NewSpanSlice()
		}
		b.tr.Append(b.list, ex, 1e18)
	}
	ex.Release()
}

func (b *benchSink) Drop(ex *exchange.Exchange) { ex.Release() }
func (*benchSink) Count(exchange.Reason)        {}
func (*benchSink) Opaque(exchange.Form)         {}
func (*benchSink) Client() bool                 { return false }

// calls returns a function that plays one unary call as grpc-go sends it: the
// request in one segment, the response in another, and the stream ids rising.
func calls(sink *benchSink) func() {
	p := New().NewParser(sink)
	p.Reset(sink, true)
	c, s := newPeer(), newPeer()
	var request, response []byte
	for range 2 { // the second time everything is in the dynamic tables
		c.headers(1, false, ":method", "POST", ":scheme", "http", ":path", "/shop.Cart/Add", ":authority", "cart:8080",
			"content-type", "application/grpc", "user-agent", "grpc-go/1.83.0", "te", "trailers",
			"grpc-timeout", "999998u").message(1, true, 40)
		s.accept(1).message(1, false, 60).trailers(1, "0")
		request, response = []byte(c.take()), []byte(s.take())
		feedBoth(p, request, response, 1)
	}
	id := uint32(1)
	return func() {
		id += 2
		feedBoth(p, request, response, id)
	}
}

var benchSegment exchange.Segment

// feedBoth gives a request and its response to a parser, as of another stream.
func feedBoth(p exchange.Parser, request, response []byte, id uint32) {
	for side, b := range [][]byte{request, response} {
		for at := 0; at < len(b); {
			h, _ := parseHeader(b[at:])
			b[at+5], b[at+6], b[at+7], b[at+8] = byte(id>>24), byte(id>>16), byte(id>>8), byte(id)
			at += frameHeader + int(h.length)
		}
		benchSegment = exchange.Segment{
			Side: exchange.Side(side), Start: uint64(id), End: uint64(id), Len: uint64(len(b)), Payload: b,
		}
		p.Segment(&benchSegment)
	}
}

func BenchmarkCall(b *testing.B) {
	sink := &benchSink{pool: exchange.NewPool(New())}
	play := calls(sink)
	b.ReportAllocs()
	for b.Loop() {
		play()
	}
}

func BenchmarkCallSpan(b *testing.B) {
	sink := &benchSink{pool: exchange.NewPool(New()), tr: spans.NewTranslator([32]byte{1}), list: ptrace.NewSpanSlice()}
	play := calls(sink)
	b.ReportAllocs()
	for b.Loop() {
		play()
	}
}

// A call up to its exchange allocates nothing.
func TestAllocates(t *testing.T) {
	alloctest.NotRaced(t)
	sink := &benchSink{pool: exchange.NewPool(New())}
	play := calls(sink)
	for range 300 {
		play()
	}
	done := sink.done
	require.Zero(t, alloctest.PerRun(100, play))
	require.Equal(t, done+101, sink.done)
}
