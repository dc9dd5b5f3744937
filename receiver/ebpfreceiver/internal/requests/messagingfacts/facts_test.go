package messagingfacts_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// facts are those of a protocol that knows nothing more.
type facts struct{ messagingfacts.Facts }

func span(t *testing.T, f *messagingfacts.Facts, change func(*exchange.Exchange)) ptrace.Span {
	t.Helper()
	ex := &exchange.Exchange{
		Endpoint: exchange.Endpoint{
			Role: event.RoleClient, Family: 2, LocalPort: 40000, PeerPort: 5672,
			LocalAddr: [16]byte{10, 0, 0, 1}, PeerAddr: [16]byte{10, 0, 0, 2},
		},
		Start: 1, End: 2, Facts: &facts{*f},
	}
	if change != nil {
		change(ex)
	}
	list := ptrace.NewSpanSlice()
	require.True(t, spans.NewTranslator([32]byte{1}).Append(list, ex, 0))
	return list.At(0)
}

// told are the attributes of a span that the package is about.
func told(s ptrace.Span) map[string]any {
	all := s.Attributes().AsRaw()
	for _, key := range []string{
		"network.peer.address", "network.peer.port", "network.local.address", "network.local.port",
		"sightglass.network.namespace", "sightglass.request.class",
	} {
		delete(all, key)
	}
	return all
}

func served(ex *exchange.Exchange) { ex.Role = event.RoleServer }

func TestSend(t *testing.T) {
	f := &messagingfacts.Facts{
		System: "rabbitmq", Operation: "publish", Type: messagingfacts.Send, Destination: []byte("orders:new"),
		TraceParent: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	}
	s := span(t, f, nil)
	require.Equal(t, "publish orders:new", s.Name())
	require.Equal(t, ptrace.SpanKindProducer, s.Kind())
	require.Equal(t, "b7ad6b7169203331", s.ParentSpanID().String())
	require.Equal(t, map[string]any{
		"messaging.system": "rabbitmq", "messaging.operation.name": "publish", "messaging.operation.type": "send",
		"messaging.destination.name": "orders:new", "server.address": "10.0.0.2", "server.port": int64(5672),
	}, told(s))
	s = span(t, f, served)
	require.Equal(t, ptrace.SpanKindServer, s.Kind(), "of the broker")
	require.Equal(t, "10.0.0.2", told(s)["client.address"])
}

func TestKinds(t *testing.T) {
	for typ, want := range map[messagingfacts.Type]ptrace.SpanKind{
		messagingfacts.Other: ptrace.SpanKindClient, messagingfacts.Receive: ptrace.SpanKindClient,
		messagingfacts.Settle: ptrace.SpanKindClient, messagingfacts.Process: ptrace.SpanKindConsumer,
	} {
		f := &messagingfacts.Facts{System: "kafka", Operation: "x", Type: typ}
		require.Equal(t, want, span(t, f, nil).Kind())
		require.Equal(t, ptrace.SpanKindServer, span(t, f, served).Kind())
	}
}

func TestTemporaryDestination(t *testing.T) {
	f := &messagingfacts.Facts{System: "rabbitmq", Operation: "publish", Destination: []byte("amq.gen-x"), Temporary: true}
	s := span(t, f, nil)
	require.Equal(t, "publish", s.Name())
	require.Equal(t, true, told(s)["messaging.destination.temporary"])
}

func TestOutcome(t *testing.T) {
	f := &messagingfacts.Facts{System: "rabbitmq", Operation: "queue.declare"}
	require.Equal(t, ptrace.StatusCodeUnset, span(t, f, nil).Status().Code())
	broken := func(ex *exchange.Exchange) { ex.Incomplete = exchange.ConnectionClosed }
	require.Equal(t, "connection_closed", told(span(t, f, broken))["error.type"])
	f.Fail("404")
	f.Fail("405")
	s := span(t, f, broken)
	require.Equal(t, ptrace.StatusCodeError, s.Status().Code())
	require.Equal(t, "404", told(s)["error.type"])
	f.Reset()
	f.CallerGone, f.Operation = true, "x"
	gone := func(ex *exchange.Exchange) { broken(ex); served(ex) }
	require.Equal(t, ptrace.StatusCodeUnset, span(t, f, gone).Status().Code())
}

func TestNothingKnown(t *testing.T) {
	require.False(t, spans.NewTranslator([32]byte{}).Append(ptrace.NewSpanSlice(), &exchange.Exchange{Facts: &facts{}}, 0))
}
