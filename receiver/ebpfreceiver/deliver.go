//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
)

// queueLength is how many batches wait for the next consumer. When it is full
// the stage that fills it stops, and with it the reading of its ring: losses
// then happen, and are counted, in one place.
const queueLength = 4

// queue hands batches to a consumer in a goroutine of its own, so that the
// process table is kept up to date while policies are evaluated.
type queue[T any] struct {
	ch      chan T
	done    chan struct{}
	size    func(T) int
	dropped atomic.Uint64 // items of batches that came after the end
}

// newQueue starts to consume. ctx ends a consumer that blocks; size tells how
// many items are in a batch.
func newQueue[T any](ctx context.Context, size func(T) int, consume func(context.Context, T)) *queue[T] {
	q := &queue[T]{ch: make(chan T, queueLength), done: make(chan struct{}), size: size}
	go func() {
		defer close(q.done)
		for batch := range q.ch {
			consume(ctx, batch)
		}
	}()
	return q
}

// send waits for a place, until ctx ends.
func (q *queue[T]) send(ctx context.Context, batch T) {
	select {
	case q.ch <- batch:
	case <-ctx.Done():
		q.dropped.Add(uint64(q.size(batch)))
	}
}

// close ends the queue and tells when all that was in it is consumed. Nobody
// may send any more.
func (q *queue[T]) close() <-chan struct{} {
	close(q.ch)
	return q.done
}

// deliverer calls the next consumers, and counts what they accept and refuse.
// A ring cannot be read again: what is refused is gone, and counted as such.
type deliverer struct {
	obs     *receiverhelper.ObsReport
	log     *zap.Logger
	refused *refusals
}

// refusals are the items of batches that a next consumer did not take in full:
// what was lost of them, at most, and what another consumer may well have got.
type refusals struct{ records, spans atomic.Uint64 }

func (r *refusals) of(class bpf.Class) uint64 {
	if class == bpf.Requests {
		return r.spans.Load()
	}
	return r.records.Load()
}

// format is what the operations are called in the receiver's own telemetry.
const format = "ebpf"

func (d deliverer) logs(ctx context.Context, next consumer.Logs, b plog.Logs) {
	n := b.LogRecordCount()
	ctx = d.obs.StartLogsOp(ctx)
	err := next.ConsumeLogs(ctx, b)
	d.obs.EndLogsOp(ctx, format, n, err)
	if err != nil {
		d.refused.records.Add(uint64(n))
	}
	d.note("log records", n, err)
}

func (d deliverer) traces(ctx context.Context, next consumer.Traces, b ptrace.Traces) {
	n := b.SpanCount()
	ctx = d.obs.StartTracesOp(ctx)
	err := next.ConsumeTraces(ctx, b)
	d.obs.EndTracesOp(ctx, format, n, err)
	if err != nil {
		d.refused.spans.Add(uint64(n))
	}
	d.note("spans", n, err)
}

func (d deliverer) metrics(ctx context.Context, next consumer.Metrics, b pmetric.Metrics) {
	n := b.DataPointCount()
	ctx = d.obs.StartMetricsOp(ctx)
	err := next.ConsumeMetrics(ctx, b)
	d.obs.EndMetricsOp(ctx, format, n, err)
	d.note("data points", n, err)
}

func (d deliverer) note(what string, n int, err error) {
	if err != nil {
		d.log.Debug("The next consumer refused a batch.", zap.String("of", what), zap.Int("number", n), zap.Error(err))
	}
}
