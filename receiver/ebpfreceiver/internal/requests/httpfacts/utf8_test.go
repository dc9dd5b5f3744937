package httpfacts_test

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// One text that is not UTF-8 would make a back end refuse a whole batch.
func FuzzSpansAreUTF8(f *testing.F) {
	f.Add([]byte("GET"), []byte("/caf\xe9?q=\xff"), []byte("h\x80st:1"), []byte("k=\xfe"), uint16(200))
	f.Add([]byte("P\xd6ST"), []byte("http://u\xff@h/\xc3"), []byte("[\xff]"), []byte("\xff"), uint16(500))
	f.Add([]byte("CONNECT"), []byte("\xff:1"), []byte(""), []byte(""), uint16(0))
	tr := spans.NewTranslator([32]byte{1})
	f.Fuzz(func(t *testing.T, method, target, host, rest []byte, status uint16) {
		list := ptrace.NewSpanSlice()
		for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
			ex, facts := newExchange()
			ex.Role = role
			facts.Method, facts.Target, facts.Host, facts.Status = method, target, host, status
			facts.UserAgent, facts.TraceState, facts.ForwardedFor, facts.ForwardedProto = rest, rest, rest, rest
			facts.TraceParent = []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
			tr.Append(list, ex, 0)
		}
		for _, span := range list.All() {
			require.True(t, utf8.ValidString(span.Name()), "%q", span.Name())
			require.True(t, utf8.ValidString(span.TraceState().AsRaw()))
			require.True(t, utf8.ValidString(fmt.Sprint(span.Attributes().AsRaw())), "%q", span.Attributes().AsRaw())
		}
	})
}

func TestBrokenPathIsReplaced(t *testing.T) {
	ex, facts := newExchange()
	facts.Target = []byte("/caf\xe9")
	span := translate(t, ex)
	require.Equal(t, "GET /{id}", span.Name())
	path, _ := span.Attributes().Get("url.path")
	require.Equal(t, "/caf\uFFFD", path.Str())
}
