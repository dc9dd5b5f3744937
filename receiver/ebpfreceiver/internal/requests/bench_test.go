package requests

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Messages as nginx and wrk exchange them.
const (
	benchRequest  = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8180\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n"
	benchResponse = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 17:05:33 GMT\r\n" +
		"Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n"
)

// benchEvents are the two records of an exchange on each of n sockets, and a
// function that moves them on to the next exchange.
func benchEvents(n int) (events []event.Event, next func()) {
	for i := range n {
		for _, d := range []event.Direction{event.Receive, event.Send} {
			data := benchRequest
			if d == event.Send {
				data = benchResponse
			}
			events = append(events, event.Event{
				Header: event.Header{Type: event.TypeData, Key: event.ProcessKey{Start: 1, TGID: 2}, TID: 2},
				Request: event.Request{
					Socket: uint64(i + 1), Family: 2, Role: event.RoleServer, Class: 1, Direction: d,
					LocalPort: 8180, PeerPort: uint16(40000 + i), LocalAddr: [16]byte{127, 0, 0, 1}, PeerAddr: [16]byte{127, 0, 0, 1},
					Bytes: uint64(len(data)), Payload: []byte(data),
				},
			})
		}
	}
	now := uint64(1e9)
	round := uint64(0)
	return events, func() {
		for i := range events {
			now += 1000
			ev := &events[i]
			ev.Time = now
			r := &ev.Request
			r.Enter = now - 500
			r.Position = round * r.Bytes
			r.Opposite = uint32(round * uint64(len(benchResponse)))
			if r.Direction == event.Send {
				r.Opposite = uint32((round + 1) * uint64(len(benchRequest)))
			}
		}
		round++
	}
}

// BenchmarkAssembler is the cost of one exchange from decoded records to the
// hand-over.
func BenchmarkAssembler(b *testing.B) {
	done := 0
	a := New(Config{Emit: func(ex *exchange.Exchange) {
		done++
		ex.Release()
	}})
	events, next := benchEvents(64)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%64 == 0 {
			next()
		}
		a.Handle(&events[n%64*2])
		a.Handle(&events[n%64*2+1])
		n++
	}
	require.Equal(b, n, done)
}

// BenchmarkSpan is the cost of one exchange from decoded records to its span.
func BenchmarkSpan(b *testing.B) {
	tr := spans.NewTranslator([32]byte{1})
	list := ptrace.NewSpanSlice()
	a := New(Config{Emit: func(ex *exchange.Exchange) {
		tr.Append(list, ex, 1e18)
		ex.Release()
	}})
	events, next := benchEvents(64)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%64 == 0 {
			next()
			if list.Len() > 4096 {
				list = ptrace.NewSpanSlice()
			}
		}
		a.Handle(&events[n%64*2])
		a.Handle(&events[n%64*2+1])
		n++
	}
}

// BenchmarkEncode is the cost of one span's encoding, as an exporter does it.
func BenchmarkEncode(b *testing.B) {
	const spansPerBatch = 512
	data := ptrace.NewTraces()
	list := data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	tr := spans.NewTranslator([32]byte{1})
	a := New(Config{Emit: func(ex *exchange.Exchange) {
		tr.Append(list, ex, 1e18)
		ex.Release()
	}})
	events, next := benchEvents(64)
	for list.Len() < spansPerBatch {
		next()
		for i := range events {
			a.Handle(&events[i])
		}
	}
	var encode ptrace.ProtoMarshaler
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%spansPerBatch == 0 {
			if _, err := encode.MarshalTraces(data); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// The way of an exchange up to its span allocates nothing.
func TestAssemblerAllocates(t *testing.T) {
	a := New(Config{})
	events, next := benchEvents(8)
	play := func() {
		next()
		for i := range events {
			a.Handle(&events[i])
		}
	}
	play()
	require.Zero(t, alloctest.PerRun(100, play))
	require.Zero(t, a.Stats().Gaps)
}

// A span is an allocation; what is in it has parts in larger ones.
func TestSpanAllocates(t *testing.T) {
	tr := spans.NewTranslator([32]byte{1})
	list := ptrace.NewSpanSlice()
	list.EnsureCapacity(1 << 12)
	a := New(Config{Emit: func(ex *exchange.Exchange) {
		tr.Append(list, ex, 1e18)
		ex.Release()
	}})
	events, next := benchEvents(1)
	play := func() {
		next()
		a.Handle(&events[0])
		a.Handle(&events[1])
	}
	play()
	require.LessOrEqual(t, alloctest.PerRun(1000, play), 2.0)
}

// A crowd of connections costs memory in proportion, and gives it back.
func TestManyConnections(t *testing.T) {
	p := newTape(Config{MaxConnections: 5000})
	for socket := range uint64(20000) {
		p.serve(socket)
	}
	require.Len(t, p.got, 20000)
	require.Equal(t, 5000, p.a.Stats().Connections, strconv.Itoa(len(p.a.conns)))
	for socket := range uint64(20000) {
		p.close(socket)
	}
	require.Zero(t, p.a.Stats().Connections)
	for _, free := range p.a.free {
		require.LessOrEqual(t, len(free), maxFree)
	}
}
