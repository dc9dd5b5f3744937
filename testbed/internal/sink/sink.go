// Package sink is a back end for tests: an OTLP server that hands over what
// arrives together with the time of its arrival.
package sink

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// Consumers take what arrives, on any goroutine. They own the data for the
// time of the call only. One that is nil drops its signal.
type Consumers struct {
	Logs    func(data plog.Logs, arrived time.Time)
	Traces  func(data ptrace.Traces, arrived time.Time)
	Metrics func(data pmetric.Metrics, arrived time.Time)
}

// Server listens on an address of this machine. It speaks gRPC, which the agent does
// not follow as requests: an export that is itself reported would never end.
type Server struct {
	Endpoint string // host:port

	receivers []component.Component
}

// Start returns a server that listens on a loopback address; the caller stops it.
func Start(ctx context.Context, to Consumers) (*Server, error) {
	return StartAt(ctx, "127.0.0.1", to)
}

// attempts bounds how many ports are tried.
const attempts = 10

// StartAt is Start for an address of this machine that others reach.
func StartAt(ctx context.Context, host string, to Consumers) (s *Server, err error) {
	for range attempts { // somebody may take the port between finding and using it
		if s, err = startOnce(ctx, freeAddress(ctx, host), to); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return s, err
}

func startOnce(ctx context.Context, endpoint string, to Consumers) (*Server, error) {
	s := &Server{Endpoint: endpoint}
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	conf := confmap.NewFromStringMap(map[string]any{
		"protocols": map[string]any{"grpc": map[string]any{"endpoint": s.Endpoint}},
	})
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	if err := s.create(ctx, factory, cfg, to); err != nil {
		return nil, err
	}
	for i, r := range s.receivers {
		if err := r.Start(ctx, componenttest.NewNopHost()); err != nil {
			s.receivers = s.receivers[:i]
			s.Stop(ctx)
			return nil, err
		}
	}
	return s, nil
}

// create makes one receiver per signal; otlpreceiver shares one server among
// those of one configuration.
func (s *Server) create(ctx context.Context, factory receiver.Factory, cfg component.Config, to Consumers) error {
	set := receivertest.NewNopSettings(factory.Type())
	logs, err := factory.CreateLogs(ctx, set, cfg, must(consumer.NewLogs(adapt(to.Logs))))
	if err != nil {
		return err
	}
	traces, err := factory.CreateTraces(ctx, set, cfg, must(consumer.NewTraces(adapt(to.Traces))))
	if err != nil {
		return err
	}
	metrics, err := factory.CreateMetrics(ctx, set, cfg, must(consumer.NewMetrics(adapt(to.Metrics))))
	if err != nil {
		return err
	}
	s.receivers = []component.Component{logs, traces, metrics}
	return nil
}

// Stop ends the server. It may be called twice.
func (s *Server) Stop(ctx context.Context) {
	for _, r := range s.receivers {
		_ = r.Shutdown(ctx)
	}
	s.receivers = nil
}

// adapt turns one of the Consumers into the collector's form.
func adapt[T any](to func(T, time.Time)) func(context.Context, T) error {
	return func(_ context.Context, data T) error {
		if to != nil {
			to(data, time.Now())
		}
		return nil
	}
}

// freeAddress is one of a host that nobody listens on at the moment.
func freeAddress(ctx context.Context, host string) string {
	l := must((&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, "0")))
	defer l.Close()
	return l.Addr().String()
}

// must is for what fails only by a mistake in this package or without any
// network at all.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
