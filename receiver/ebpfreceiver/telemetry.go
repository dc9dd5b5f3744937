//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
)

// register connects the collector's own telemetry.
func (r *reporter) register() error {
	t := r.telemetry
	class := func(c bpf.Class) metric.MeasurementOption {
		return metric.WithAttributes(attribute.String("class", c.String()))
	}
	eachClass := func(value func(bpf.Class, *bpf.ClassStats) uint64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			st := r.stats()
			for _, c := range bpf.Classes {
				o.Observe(int64(value(c, &st.Classes[c])), class(c))
			}
			return nil
		}
	}
	return errors.Join(
		t.RegisterReceiverEbpfReceivedCallback(eachClass(func(_ bpf.Class, s *bpf.ClassStats) uint64 { return s.Received })),
		t.RegisterReceiverEbpfDecodedCallback(eachClass(func(c bpf.Class, _ *bpf.ClassStats) uint64 { return r.counts(c).decoded.Load() })),
		t.RegisterReceiverEbpfDecodeErrorsCallback(eachClass(func(c bpf.Class, _ *bpf.ClassStats) uint64 { return r.counts(c).failed.Load() })),
		t.RegisterReceiverEbpfUnknownRecordsCallback(eachClass(func(c bpf.Class, _ *bpf.ClassStats) uint64 { return r.counts(c).unknown.Load() })),
		t.RegisterReceiverEbpfFilteredCallback(r.observeFiltered),
		t.RegisterReceiverEbpfLostCallback(r.observeLost),
		t.RegisterReceiverEbpfHooksCallback(r.observeHooks),
		t.RegisterReceiverEbpfProcessesCallback(r.observeProcesses),
		t.RegisterReceiverEbpfProcessesEvictedCallback(observe(func() uint64 { return r.enrich.processes.Stats().Evicted })),
		t.RegisterReceiverEbpfProcessesRepairedCallback(observe(func() uint64 { return r.enrich.processes.Stats().Repaired })),
		t.RegisterReceiverEbpfCgroupMissesCallback(observe(func() uint64 { return r.enrich.cgroups.Stats().Misses })),
		t.RegisterReceiverEbpfCgroupsCallback(observe(func() uint64 { return uint64(r.enrich.cgroups.Stats().Entries) })),
		t.RegisterReceiverEbpfOpenRequestsCallback(observe(func() uint64 { return uint64(r.assembled().OpenRequests) })),
		t.RegisterReceiverEbpfMissingBytesCallback(observe(func() uint64 { return r.assembled().GapBytes })),
		t.RegisterReceiverEbpfRequestShortcutsCallback(r.observeShortcuts),
	)
}

func observe(value func() uint64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(value()))
		return nil
	}
}

// assembled is what the assembler of requests has counted; zeros without one.
func (r *reporter) assembled() *requests.Stats {
	if r.requests == nil {
		return new(requests.Stats)
	}
	return r.requests.stats.Load()
}

// observeShortcuts tells what was told with less than is usual.
func (r *reporter) observeShortcuts(_ context.Context, o metric.Int64Observer) error {
	if r.requests == nil {
		return nil
	}
	st := r.stats()
	for _, c := range []struct {
		reason string
		n      uint64
	}{
		{"no_enter", st.sockets.NoEnter}, {"early", r.requests.spans.early.Load()}, {"idle", r.assembled().Expired},
	} {
		o.Observe(int64(c.n), metric.WithAttributes(attribute.String("reason", c.reason)))
	}
	return nil
}

func (r *reporter) observeFiltered(_ context.Context, o metric.Int64Observer) error {
	st := r.stats()
	for _, c := range r.allFiltered(&st) {
		o.Observe(int64(c.N), metric.WithAttributes(attribute.String("class", c.Class), attribute.String("reason", c.Reason)))
	}
	return nil
}

// observeLost tells losses by class and reason; by CPU they are in the metrics
// pipeline.
func (r *reporter) observeLost(_ context.Context, o metric.Int64Observer) error {
	type key struct{ class, reason string }
	sums := make(map[key]uint64)
	st := r.stats()
	for _, l := range r.allLost(&st) {
		sums[key{l.Class, l.Reason}] += l.N
	}
	for k, n := range sums {
		o.Observe(int64(n), metric.WithAttributes(attribute.String("class", k.class), attribute.String("reason", k.reason)))
	}
	return nil
}

func (r *reporter) observeHooks(_ context.Context, o metric.Int64Observer) error {
	var n [2]int64
	for _, h := range r.kernel.Hooks() {
		if h.Attached {
			n[1]++
		} else {
			n[0]++
		}
	}
	o.Observe(n[0], metric.WithAttributes(attribute.Bool("attached", false)))
	o.Observe(n[1], metric.WithAttributes(attribute.Bool("attached", true)))
	return nil
}

func (r *reporter) observeProcesses(_ context.Context, o metric.Int64Observer) error {
	s := r.enrich.processes.Stats()
	o.Observe(int64(s.Alive), metric.WithAttributes(attribute.String("state", "alive")))
	o.Observe(int64(s.Ended), metric.WithAttributes(attribute.String("state", "ended")))
	return nil
}
