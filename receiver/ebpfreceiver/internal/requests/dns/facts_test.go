package dns

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// newLookup is a lookup with an alias and an address for an answer, seen by the
// client.
func newLookup() (*exchange.Exchange, *Facts) {
	f := &Facts{Question: []byte("db.example"), Type: typeA, Answered: true, Datagram: true}
	msg := answer(1, "db.example.", 1)
	_, _, next, _ := parseQuestion(msg, nil)
	f.parseAnswers(msg, next, 2)
	return &exchange.Exchange{
		Endpoint: exchange.Endpoint{
			Owner: event.ProcessKey{TGID: 5, Start: 1}, NetNS: 7, Family: 2, LocalPort: 40000, PeerPort: 53,
			LocalAddr: [16]byte{10, 0, 0, 9}, PeerAddr: [16]byte{10, 96, 0, 10}, Role: event.RoleClient,
		},
		Start: 1e9, FirstByte: 2e9, End: 2e9, Facts: f,
	}, f
}

func translate(t *testing.T, ex *exchange.Exchange) ptrace.Span {
	t.Helper()
	list := ptrace.NewSpanSlice()
	require.True(t, spans.NewTranslator([32]byte{1}).Append(list, ex, 0))
	return list.At(0)
}

func TestSpan(t *testing.T) {
	ex, _ := newLookup()
	span := translate(t, ex)
	require.Equal(t, "DNS A", span.Name())
	require.Equal(t, ptrace.SpanKindClient, span.Kind())
	require.Equal(t, ptrace.StatusCodeUnset, span.Status().Code())
	require.Equal(t, map[string]any{
		"dns.question.name":                     "db.example",
		"dns.answers":                           []any{"alias.db.example", "10.0.0.0"},
		"sightglass.dns.question.type":          "A",
		"server.address":                        "10.96.0.10",
		"server.port":                           int64(53),
		"network.peer.address":                  "10.96.0.10",
		"network.peer.port":                     int64(53),
		"network.local.address":                 "10.0.0.9",
		"network.local.port":                    int64(40000),
		"network.protocol.name":                 "dns",
		"network.transport":                     "udp",
		"sightglass.network.namespace":          int64(7),
		"sightglass.request.class":              "unary",
		"sightglass.request.time_to_first_byte": float64(1),
	}, span.Attributes().AsRaw())
}

func TestOutcome(t *testing.T) {
	for _, tt := range []struct {
		name     string
		role     event.Role
		answered bool
		rcode    uint8
		want     string
		failed   bool
	}{
		{"answered", event.RoleClient, true, 0, "", false},
		{"no such name", event.RoleClient, true, 3, "NXDOMAIN", true},
		{"no such name, server", event.RoleServer, true, 3, "NXDOMAIN", false},
		{"failed, server", event.RoleServer, true, 2, "SERVFAIL", true},
		{"not answered", event.RoleClient, false, 0, "timeout", true},
		{"not answered, server", event.RoleServer, false, 0, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ex, f := newLookup()
			ex.Role, f.Answered, f.RCode, f.Answers = tt.role, tt.answered, tt.rcode, nil
			span := translate(t, ex)
			got, _ := span.Attributes().AsRaw()["error.type"].(string)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.failed, span.Status().Code() == ptrace.StatusCodeError)
		})
	}
}

func TestTypeName(t *testing.T) {
	require.Equal(t, "AAAA", typeName(28))
	require.Equal(t, "TYPE65280", typeName(65280))
}

func TestTeach(t *testing.T) {
	ex, f := newLookup()
	table := names.New(10)
	f.Teach(table, ex)
	asker := names.Asker{Process: ex.Owner, NetNS: 7}
	require.Equal(t, "db.example", table.Lookup(asker, netip.MustParseAddr("10.0.0.0"), ex.End))
	for _, change := range []func(){
		func() { ex.Role = event.RoleServer },
		func() { f.RCode = 3 },
		func() { f.Answered = false },
	} {
		ex, f = newLookup()
		table = names.New(10)
		change()
		f.Teach(table, ex)
		require.Zero(t, table.Len())
	}
}

// A lookup from its datagrams to its exchange allocates nothing.
func TestAllocates(t *testing.T) {
	alloctest.NotRaced(t)
	s := newScript(true, false)
	q, a := query(1, "db.example."), answer(1, "db.example.", 3)
	sink := &quietSink{fakeSink: s.sink}
	s.p.Reset(sink, false)
	play := func() { s.ask(q).answer(a) }
	play()
	require.LessOrEqual(t, alloctest.PerRun(100, play), float64(2), "the segments of the test itself")
}

// quietSink describes nothing.
type quietSink struct{ *fakeSink }

func (q *quietSink) Done(ex *exchange.Exchange) { q.open--; ex.Release() }

func BenchmarkLookup(b *testing.B) {
	s := newScript(true, false)
	q, a := query(1, "db.example."), answer(1, "db.example.", 3)
	s.p.Reset(&quietSink{fakeSink: s.sink}, false)
	b.ReportAllocs()
	for b.Loop() {
		s.ask(q).answer(a)
	}
}
