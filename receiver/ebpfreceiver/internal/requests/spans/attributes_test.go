package spans

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// pdata keeps attributes in the form that is described here. If a new version of
// it does not, the agent works and is slower, and the description has to follow.
func TestFormIsKnown(t *testing.T) { require.True(t, formOf().known) }

// traced makes n spans, of which the i'th is described by describe(i).
func traced(n int, describe func(i int, w *Writer)) ptrace.Traces {
	return tracedBy(NewTranslator([32]byte{1}), n, describe)
}

func tracedBy(tr *Translator, n int, describe func(i int, w *Writer)) ptrace.Traces {
	data := ptrace.NewTraces()
	list := data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		ex := &exchange.Exchange{Facts: &fakeFacts{func(w *Writer) { describe(i, w) }}, Start: uint64(i), FirstByte: uint64(i) + 5}
		ex.Family, ex.PeerPort, ex.LocalPort = []uint16{0, familyUnix, familyInet, familyInet6}[i%4], uint16(i%9), uint16(i%7)
		ex.PeerAddr[3] = byte(i % 3)
		tr.Append(list, ex, 0)
	}
	return data
}

// However attributes get into a span, it is the same span.
func TestAttributesAreAsPdataWritesThem(t *testing.T) {
	describe := func(i int, w *Writer) {
		w.Name("a span")
		for k := range []int{0, 3, 17, mostAttributes, 3 * mostAttributes, pieceAttributes + 5}[i%6] {
			switch key := fmt.Sprint("key ", k); (i + k) % 5 {
			case 0:
				w.Int(key, int64(i-k))
			case 1:
				w.Bool(key, i%2 == 0)
			case 2:
				w.List(key, "a", key)
			case 3:
				w.float(key, float64(i)/7)
			default:
				w.Text(key, fmt.Sprint("text ", i, " ", k))
			}
		}
		if i%2 == 0 { // again, of another kind
			w.Text("key 1", "changed")
			w.Int("key 2", 7)
		}
	}
	const n = 200
	marshal := func(tr *Translator) []byte {
		data := tracedBy(tr, n, describe)
		runtime.GC()
		b, err := new(ptrace.ProtoMarshaler).MarshalTraces(data)
		require.NoError(t, err)
		return b
	}
	byPdata := NewTranslator([32]byte{1})
	byPdata.pieces.form = form{}
	require.Equal(t, marshal(byPdata), marshal(NewTranslator([32]byte{1})))
}

// What happens to the attributes of one span does not reach another one's.
func TestAttributesAreApart(t *testing.T) {
	data := traced(8, func(i int, w *Writer) { w.Int("number", int64(i)); w.Text("text", fmt.Sprint(i)) })
	list := data.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for i, span := range list.All() {
		attrs := span.Attributes()
		require.True(t, attrs.Remove("number"))
		for k := range 2 * mostAttributes {
			attrs.PutInt(fmt.Sprint("more ", k), int64(i))
		}
		attrs.PutStr("text", fmt.Sprint("changed ", i))
	}
	runtime.GC()
	for i, span := range list.All() {
		text, ok := span.Attributes().Get("text")
		require.True(t, ok)
		require.Equal(t, fmt.Sprint("changed ", i), text.Str())
		more, ok := span.Attributes().Get("more 7")
		require.True(t, ok)
		require.EqualValues(t, i, more.Int())
	}
}
