package spans

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// fakeFacts describes itself as it is told to.
type fakeFacts struct {
	describe func(*Writer)
}

func (*fakeFacts) Reset() {}

func (f *fakeFacts) Describe(_ *exchange.Exchange, w *Writer) bool {
	if f.describe == nil {
		return false
	}
	f.describe(w)
	return true
}

type mute struct{}

func (mute) Reset() {}

func TestAppendWithoutDescription(t *testing.T) {
	list := ptrace.NewSpanSlice()
	tr := NewTranslator([32]byte{})
	require.False(t, tr.Append(list, &exchange.Exchange{Facts: mute{}}, 0))
	require.False(t, tr.Append(list, &exchange.Exchange{Facts: &fakeFacts{}}, 0))
	require.Zero(t, list.Len())
}

func TestTimesNeverRunBackwards(t *testing.T) {
	list := ptrace.NewSpanSlice()
	ex := &exchange.Exchange{Facts: &fakeFacts{func(*Writer) {}}, Start: 10, End: 5}
	require.True(t, NewTranslator([32]byte{}).Append(list, ex, 0))
	require.EqualValues(t, 10, list.At(0).EndTimestamp())
}

func TestIDsDiffer(t *testing.T) {
	list := ptrace.NewSpanSlice()
	tr := NewTranslator([32]byte{7})
	ex := &exchange.Exchange{Facts: &fakeFacts{func(*Writer) {}}, Endpoint: exchange.Endpoint{Role: event.RoleClient}}
	spanIDs, traceIDs := map[string]bool{}, map[string]bool{}
	for range 1000 {
		require.True(t, tr.Append(list, ex, 0))
		span := list.At(list.Len() - 1)
		spanIDs[span.SpanID().String()] = true
		traceIDs[span.TraceID().String()] = true
		require.Equal(t, ptrace.SpanKindClient, span.Kind())
	}
	require.Len(t, spanIDs, 1000)
	require.Len(t, traceIDs, 1000)
}

// Who names a parent knows better than we: it is a span of the same service between
// the request and the one that its thread serves.
func TestParentThatIsNamedCountsFirst(t *testing.T) {
	inferred := exchange.Context{Trace: [16]byte{1}, Span: [8]byte{2}, Flags: 1, State: "a=b"}
	for named, want := range map[bool]exchange.Context{false: inferred, true: {Trace: [16]byte{3}, Span: [8]byte{4}}} {
		list := ptrace.NewSpanSlice()
		ex := &exchange.Exchange{Parent: inferred, Facts: &fakeFacts{func(w *Writer) {
			if named {
				w.Parent(want.Trace, want.Span, want.Flags, want.State)
			}
		}}}
		require.True(t, NewTranslator([32]byte{}).Append(list, ex, 0))
		span := list.At(0)
		require.EqualValues(t, want.Trace, span.TraceID())
		require.EqualValues(t, want.Span, span.ParentSpanID())
		require.Equal(t, want.State, span.TraceState().AsRaw())
		require.Equal(t, uint32(want.Flags), span.Flags()&0xff)
		require.Equal(t, named, span.Flags()&(1<<9) != 0, "remote")
		require.NotZero(t, span.Flags()&(1<<8), "known whether it is")
	}
}

func TestWriter(t *testing.T) {
	list := ptrace.NewSpanSlice()
	ex := &exchange.Exchange{Facts: &fakeFacts{func(w *Writer) {
		w.Name("n")
		w.Text("text", "a")
		w.Bytes("bytes", []byte("b"))
		w.Bytes("no bytes", nil)
		w.Unique("unique", []byte("c"))
		w.Unique("not unique", nil)
		w.Int("int", 4)
		w.List("list", "x", "y")
		w.Failed()
	}}, Endpoint: exchange.Endpoint{NetNS: 9}}
	require.True(t, NewTranslator([32]byte{}).Append(list, ex, 0))
	span := list.At(0)
	require.Equal(t, "n", span.Name())
	require.Equal(t, ptrace.StatusCodeError, span.Status().Code())
	require.Equal(t, map[string]any{
		"text": "a", "bytes": "b", "unique": "c", "int": int64(4), "list": []any{"x", "y"},
		"sightglass.network.namespace": int64(9), "sightglass.request.class": "unary",
	}, span.Attributes().AsRaw())
}

func TestRoutesAreBounded(t *testing.T) {
	r := newRoutes()
	a, b := Server{Port: 80}, Server{Port: 81}
	_, ok := r.admit(a, []byte("/scan"), false)
	require.False(t, ok, "what was not found does not make a template")
	for i := range maxRoutesPerServer {
		got, ok := r.admit(a, []byte("/"+strconv.Itoa(i)), true)
		require.True(t, ok)
		require.Equal(t, "/"+strconv.Itoa(i), got)
	}
	_, ok = r.admit(a, []byte("/more"), true)
	require.False(t, ok)
	_, ok = r.admit(a, []byte("/7"), false)
	require.True(t, ok, "what was admitted stays")
	_, ok = r.admit(b, []byte("/more"), true)
	require.True(t, ok, "each server has its own")
	for i := range 2 * maxServers {
		r.admit(Server{NetNS: uint32(i)}, []byte("/"), true)
		require.LessOrEqual(t, len(r), maxServers)
	}
}
