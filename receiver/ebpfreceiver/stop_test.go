//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"io"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/probesite"
	"github.com/sightglass/sightglass/internal/process"
)

// The steps of an end share one deadline, whatever the steps before have taken.
func TestBudget(t *testing.T) {
	for _, tt := range []struct{ left, deliver, grace time.Duration }{
		{stopTimeout, stopTimeout - graceTimeout, graceTimeout},
		{stopTimeout - drainTimeout, stopTimeout - drainTimeout - graceTimeout, graceTimeout},
		{graceTimeout, minDeliver, graceTimeout},
		{50 * time.Millisecond, minDeliver, 50 * time.Millisecond},
		{0, minDeliver, minGrace},
		{-time.Hour, minDeliver, minGrace},
	} {
		deliver, grace := budget(tt.left)
		require.Equal(t, tt.deliver, deliver, tt.left)
		require.Equal(t, tt.grace, grace, tt.left)
	}
	require.LessOrEqual(t, drainTimeout+graceTimeout+minDeliver, stopTimeout)
}

// deafMeters make instruments and refuse callbacks.
type deafMeters struct{ noop.MeterProvider }

type deafMeter struct{ noop.Meter }

func (deafMeters) Meter(string, ...metric.MeterOption) metric.Meter { return deafMeter{} }

func (deafMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return nil, errRefused
}

// A start that fails at the end leaves nothing behind.
func TestTelemetryThatIsRefused(t *testing.T) {
	b := newBench(t, nil)
	b.set.MeterProvider = deafMeters{}
	require.ErrorIs(t, b.Start(t.Context(), componenttest.NewNopHost()), errRefused)
	require.Equal(t, 1, b.kernel.closed)
	require.Nil(t, process.Shared())
	require.Zero(t, subscribers(b.registry))
	require.NoError(t, b.Shutdown(t.Context()))
}

func TestSubscriptionEndsWithTheReceiver(t *testing.T) {
	b := newBench(t, nil)
	b.start(t)
	require.Equal(t, 1, subscribers(b.registry))
	require.NoError(t, b.Shutdown(t.Context()))
	require.Zero(t, subscribers(b.registry))
}

// subscribers counts who is told of changes.
func subscribers(r *interest.Registry) int {
	return reflect.ValueOf(r).Elem().FieldByName("subscribers").Len()
}

// Putting probes into a library can take longer than an end may.
func TestHelpersThatTakeTheirTimeAreNoError(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	release := make(chan struct{})
	defer close(release)
	b.running.helpers.Go(func() { <-release })
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"))
	require.NoError(t, b.Shutdown(t.Context()))
	require.Equal(t, 1, b.logs.LogRecordCount())
}

// slowProbes take a while to be taken out.
type slowProbes struct{ in, out atomic.Int32 }

func (p *slowProbes) AttachTLS(string, []bpf.TLSProbe) (io.Closer, error) {
	p.in.Add(1)
	return p, nil
}

func (p *slowProbes) Close() error {
	time.Sleep(100 * time.Millisecond)
	p.out.Add(1)
	return nil
}

// What is being taken out when the process ends would stay in the programs.
func TestNoProbeIsLeftAtTheEnd(t *testing.T) {
	probes := new(slowProbes)
	finder := encryption.New(encryption.Config{
		Proc: t.TempDir(), Root: "/", Log: zap.NewNop(),
		Prices: encryption.Prices{Of: func(probesite.Cost) time.Duration { return 0 }, Most: time.Minute},
	}, probes)
	run := &running{tls: finder, log: zap.NewNop()}
	quit, settled := make(chan struct{}), make(chan struct{})
	run.helpers.Go(func() { finder.Run(quit, func() { close(settled) }) })
	<-settled
	if len(finder.Libraries()) == 0 {
		t.Skip("this system has no TLS library")
	}
	close(quit)
	run.awaitHelpers(time.Minute)
	require.Positive(t, probes.in.Load())
	require.Equal(t, probes.in.Load(), probes.out.Load())
}

func TestShutdownForwardsWhatWaits(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Activity.FlushInterval = maxFlush })
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"))
	require.NoError(t, b.Shutdown(t.Context()))
	require.Equal(t, 1, b.logs.LogRecordCount())
	require.Equal(t, 1, b.kernel.closed)
	require.NoError(t, b.Shutdown(t.Context()))
	require.Nil(t, process.Shared())
}

// A consumer that blocks stops the reading of the ring, and Shutdown cuts it
// off.
func TestConsumerThatBlocks(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Activity.BatchSize = 1 })
	entered := make(chan struct{}, 1)
	blocked, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		select {
		case entered <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	})
	require.NoError(t, err)
	b.ebpfReceiver.logs = blocked
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	for i := range uint32(3 * queueLength) {
		b.write(execOf(event.ProcessKey{TGID: 1<<22 + i, Start: uint64(i)}, "x", "/bin/x", "x"))
	}
	<-entered
	require.Eventually(t, func() bool { return b.running.activity.told.Load() >= queueLength+1 }, patience, time.Millisecond)
	require.NotEmpty(t, b.kernel.rings[0].records, "the ring is not read any further")
	run := b.running
	began := time.Now()
	require.NoError(t, b.Shutdown(t.Context()))
	t.Logf("shutdown took %v", time.Since(began))
	require.NotZero(t, run.activity.out.dropped.Load())
}

func TestShutdownKeepsItsDeadline(t *testing.T) {
	b := newBench(t, nil)
	release := make(chan struct{})
	stuck, err := consumer.NewLogs(func(context.Context, plog.Logs) error { <-release; return nil })
	require.NoError(t, err)
	b.ebpfReceiver.logs = stuck
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"))
	require.Eventually(t, func() bool { return b.running.activity.told.Load() == 1 }, patience, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, b.Shutdown(ctx), errStuck)
	close(release)
}
