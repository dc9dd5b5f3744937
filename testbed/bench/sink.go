package main

import (
	"context"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// delay is how late one kind of record was at two points of its way.
type delay struct {
	read    []time.Duration // kernel timestamp to the receiver's reading
	arrival []time.Duration // kernel timestamp to the back end
}

// sink is the back end: an OTLP receiver that notes when records arrive. It
// speaks gRPC, which the agent does not follow as requests: an export that is
// itself reported would never end.
type sink struct {
	endpoint  string
	receivers []component.Component

	mu     sync.Mutex
	delays map[string]*delay // by event name; spans are "span"
}

func startSink(ctx context.Context) (*sink, error) {
	s := &sink{endpoint: freeAddress(ctx), delays: map[string]*delay{}}
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	conf := confmap.NewFromStringMap(map[string]any{
		"protocols": map[string]any{"grpc": map[string]any{"endpoint": s.endpoint}},
	})
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	set := receivertest.NewNopSettings(factory.Type())
	logs, err := factory.CreateLogs(ctx, set, cfg, must(consumer.NewLogs(s.logs)))
	if err != nil {
		return nil, err
	}
	traces, err := factory.CreateTraces(ctx, set, cfg, must(consumer.NewTraces(s.traces)))
	if err != nil {
		return nil, err
	}
	metrics, err := factory.CreateMetrics(ctx, set, cfg, must(consumer.NewMetrics(ignoreMetrics)))
	if err != nil {
		return nil, err
	}
	for _, r := range []component.Component{logs, traces, metrics} {
		if err := r.Start(ctx, componenttest.NewNopHost()); err != nil {
			return nil, err
		}
		s.receivers = append(s.receivers, r)
	}
	return s, nil
}

func (s *sink) stop(ctx context.Context) {
	for _, r := range s.receivers {
		_ = r.Shutdown(ctx)
	}
}

func (s *sink) logs(_ context.Context, ld plog.Logs) error {
	now := time.Now()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				s.note(rec.EventName(), rec.Timestamp(), rec.ObservedTimestamp(), now)
			}
		}
	}
	return nil
}

func (s *sink) traces(_ context.Context, td ptrace.Traces) error {
	now := time.Now()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.note("span", span.EndTimestamp(), 0, now)
			}
		}
	}
	return nil
}

func ignoreMetrics(context.Context, pmetric.Metrics) error { return nil }

// note adds one record; a record without a time of its own is not counted.
func (s *sink) note(name string, at, observed pcommon.Timestamp, now time.Time) {
	if at == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.delays[name]
	if d == nil {
		d = &delay{}
		s.delays[name] = d
	}
	d.arrival = append(d.arrival, now.Sub(at.AsTime()))
	if observed != 0 {
		d.read = append(d.read, observed.AsTime().Sub(at.AsTime()))
	}
}

// take returns what has arrived since the last call.
func (s *sink) take() map[string]*delay {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.delays
	s.delays = map[string]*delay{}
	return out
}

// freeAddress is a loopback address that nobody listens on at the moment.
func freeAddress(ctx context.Context) string {
	l := must((&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

// must is for what fails only by a mistake in this program.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
