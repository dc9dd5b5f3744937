package kafka

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// spanSink makes spans.
type spanSink struct {
	endpoint   exchange.Endpoint
	pool       *exchange.Pool
	translator *spans.Translator
	list       ptrace.SpanSlice
}

func newSpanSink(p *Protocol, role event.Role) *spanSink {
	return &spanSink{
		endpoint: exchange.Endpoint{
			Role: role, Family: 2, LocalPort: 40000, PeerPort: 9092, LocalAddr: [16]byte{10, 0, 0, 1}, PeerAddr: [16]byte{10, 0, 0, 2},
		},
		pool: exchange.NewPool(p), translator: spans.NewTranslator([32]byte{1}), list: ptrace.NewSpanSlice(),
	}
}

func (s *spanSink) New(seg *exchange.Segment) *exchange.Exchange {
	ex := s.pool.Get()
	ex.Endpoint, ex.Start = s.endpoint, seg.Start
	return ex
}

func (s *spanSink) Done(ex *exchange.Exchange) {
	s.translator.Append(s.list, ex, 0)
	ex.Release()
}

func (*spanSink) Drop(ex *exchange.Exchange) { ex.Release() }
func (*spanSink) Count(exchange.Reason)      {}
func (*spanSink) Opaque(exchange.Form)       {}
func (s *spanSink) Client() bool             { return s.endpoint.Role == event.RoleClient }

// say makes spans of what is said by the client and the broker in turns.
func say(p *Protocol, role event.Role, turns ...string) ptrace.SpanSlice {
	sink := newSpanSink(p, role)
	parser := p.NewParser(sink)
	parser.Reset(sink, false)
	for i, data := range turns {
		now := uint64(i + 1)
		parser.Segment(&exchange.Segment{Side: exchange.Side(i & 1), Start: now, End: now, Len: uint64(len(data)), Payload: []byte(data)})
	}
	parser.Close(uint64(len(turns) + 1))
	return sink.list
}

// told are the attributes of a span that are Kafka's.
func told(s ptrace.Span) map[string]any {
	all := map[string]any{}
	for name, v := range s.Attributes().AsRaw() {
		if strings.HasPrefix(name, "messaging.") || strings.HasPrefix(name, "sightglass.messaging") || strings.HasPrefix(name, "sightglass.kafka") ||
			name == "error.type" || name == "sightglass.truncated" || name == "sightglass.request.class" {
			all[name] = v
		}
	}
	return all
}

func TestSpans(t *testing.T) {
	one, two := part{topic: "orders", partition: 3, records: batch(7, 10)}, part{topic: "payments", records: batch(2, 10)}
	bad := part{topic: "orders", partition: 3, code: 6}
	for _, tt := range []struct {
		title  string
		turns  []string
		name   string
		client ptrace.SpanKind
		failed bool
		want   map[string]any
	}{
		{"produce", []string{produce(9, 1, 1, one), produced(9, 1, one)}, "produce orders", ptrace.SpanKindProducer, false, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "produce", "messaging.operation.type": "send",
			"messaging.destination.name": "orders", "messaging.destination.partition.id": "3", "messaging.client.id": "app",
			"messaging.batch.message_count": int64(7), "sightglass.request.class": "unary",
		}},
		{"one-way", []string{produce(9, 1, 0, one)}, "produce orders", ptrace.SpanKindProducer, false, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "produce", "messaging.operation.type": "send",
			"messaging.destination.name": "orders", "messaging.destination.partition.id": "3", "messaging.client.id": "app",
			"messaging.batch.message_count": int64(7), "sightglass.request.class": "oneway",
		}},
		{"error", []string{produce(9, 1, 1, one), produced(9, 1, bad)}, "produce orders", ptrace.SpanKindProducer, true, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "produce", "messaging.operation.type": "send",
			"messaging.destination.name": "orders", "messaging.destination.partition.id": "3", "messaging.client.id": "app",
			"messaging.batch.message_count": int64(7), "sightglass.request.class": "unary", "error.type": "NOT_LEADER_OR_FOLLOWER",
		}},
		{"several topics", []string{fetch(11, 1, alone, one, two), fetched(11, 1, 0, one, two)}, "fetch", ptrace.SpanKindConsumer, false, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "fetch", "messaging.operation.type": "receive",
			"sightglass.messaging.destinations": []any{"orders", "payments"}, "messaging.client.id": "app",
			"messaging.batch.message_count": int64(9), "sightglass.request.class": "unary",
		}},
		{"a topic without a name", []string{fetch(17, 1, alone, part{topic: topicKey}), fetched(17, 1, 0)}, "fetch", ptrace.SpanKindConsumer, false, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "fetch", "messaging.operation.type": "receive",
			"sightglass.kafka.topic.id": "AXRvcGljLWlkLW9mLTE2Yg", "messaging.destination.partition.id": "0", "messaging.client.id": "app",
			"messaging.batch.message_count": int64(0), "sightglass.request.class": "wait",
		}},
		{"signal", []string{heartbeat(1), heartbeatAnswer(1, 27)}, "heartbeat", ptrace.SpanKindClient, false, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "heartbeat", "messaging.consumer.group.name": "billing",
			"messaging.client.id": "app", "sightglass.kafka.signal": "REBALANCE_IN_PROGRESS", "sightglass.request.class": "probe",
		}},
		{"error of a heartbeat", []string{heartbeat(1), heartbeatAnswer(1, 25)}, "heartbeat", ptrace.SpanKindClient, true, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "heartbeat", "messaging.consumer.group.name": "billing",
			"messaging.client.id": "app", "error.type": "UNKNOWN_MEMBER_ID", "sightglass.request.class": "probe",
		}},
		{"waits until it leaves", []string{fetch(11, 1, alone, one)}, "fetch orders", ptrace.SpanKindConsumer, false, map[string]any{
			"messaging.system": "kafka", "messaging.operation.name": "fetch", "messaging.operation.type": "receive",
			"messaging.destination.name": "orders", "messaging.destination.partition.id": "3", "messaging.client.id": "app",
			"sightglass.request.class": "wait",
		}},
	} {
		t.Run(tt.title, func(t *testing.T) {
			s := say(New(), event.RoleClient, tt.turns...).At(0)
			require.Equal(t, tt.name, s.Name())
			require.Equal(t, tt.client, s.Kind())
			require.Equal(t, tt.failed, s.Status().Code() == ptrace.StatusCodeError)
			require.Equal(t, tt.want, told(s))
			s = say(New(), event.RoleServer, tt.turns...).At(0)
			require.Equal(t, ptrace.SpanKindServer, s.Kind())
		})
	}
}

// ofReplica makes a fetch that of a broker which keeps copies: it says so in a field,
// since version 15 in a tagged one.
func ofReplica(version int16, request string) string {
	b := []byte(request)
	if version <= 14 {
		at := 4 + 2 + 2 + 4 + 2 + len(clientName)
		if apis[keyFetch].isFlexible(version) {
			at++
		}
		binary.BigEndian.PutUint32(b[at:], 7)
		return string(b)
	}
	const id, epoch = "\x00\x00\x00\x07", "\x00\x00\x00\x00\x00\x00\x00\x01"
	b = append(b[:len(b)-1], "\x01\x01\x0d"+id+epoch+"\x00"...)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return string(b)
}

// What brokers copy from each other is nobody's consumption.
func TestReplicas(t *testing.T) {
	one := part{topic: topicKey, partition: 3, records: batch(7, 10)}
	for version := range apis[keyFetch].newest + 1 {
		request := fetch(version, 1, alone, one)
		for text, want := range map[string]ptrace.SpanKind{request: ptrace.SpanKindConsumer, ofReplica(version, request): ptrace.SpanKindClient} {
			s := say(New(), event.RoleClient, text, fetched(version, 1, 0, one)).At(0)
			require.Equal(t, want, s.Kind(), version)
			require.Equal(t, want == ptrace.SpanKindConsumer, told(s)["messaging.operation.type"] == "receive", version)
			require.EqualValues(t, 7, told(s)["messaging.batch.message_count"], version)
			s = say(New(), event.RoleServer, text, fetched(version, 1, 0, one)).At(0)
			require.Equal(t, ptrace.SpanKindServer, s.Kind(), version)
		}
	}
}

// Nothing of a message becomes part of a span.
func TestNoSecrets(t *testing.T) {
	files, err := filepath.Glob("testdata/*.conversation")
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(raw), "planted-secret")
		p, sink := New(), map[int]*spanSink{}
		parsers := map[int]exchange.Parser{}
		for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
			var n, size int
			var way, head, tail string
			_, err := fmt.Sscanf(line, "%d %s %d %q %q", &n, &way, &size, &head, &tail)
			require.NoError(t, err)
			if parsers[n] == nil {
				sink[n] = newSpanSink(p, event.RoleServer)
				parsers[n] = p.NewParser(sink[n])
				parsers[n].Reset(sink[n], false)
			}
			side := exchange.Request
			if way == "<" {
				side = exchange.Response
			}
			parsers[n].Segment(&exchange.Segment{Side: side, Start: uint64(i), End: uint64(i), Len: uint64(size), Payload: []byte(head)})
		}
		total := 0
		for n, s := range sink {
			parsers[n].Close(1e9)
			for _, span := range s.list.All() {
				total++
				require.NotContains(t, fmt.Sprint(span.Name(), span.Attributes().AsRaw()), "planted")
			}
		}
		require.Greater(t, total, 10)
	}
}
