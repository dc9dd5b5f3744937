package servicelatencyconnector

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// batchPoints is how many data points are sent at once: with full histograms
// a quarter of a megabyte, well below gRPC's usual limit of four.
const batchPoints = 500

// sender hands intervals to the next consumer in batches. A refused batch of
// deltas is kept and sent again with the same times, so that a receiver that
// had taken it nevertheless recognises the repetition. Refused totals need
// nothing: the next ones contain them.
type sender struct {
	logger  *zap.Logger
	next    consumer.Metrics
	encoder *encoder
	release func(aggregate.Interval)
	keep    bool // what is refused, for another attempt
	limit   int  // most points to keep

	batch   []aggregate.Interval
	refused [][]aggregate.Interval
	held    int // points in refused
	failing bool

	sent, turnedDown, lost atomic.Int64
}

func newSender(
	logger *zap.Logger, next consumer.Metrics, enc *encoder, release func(aggregate.Interval), keep bool, limit int,
) *sender {
	return &sender{logger: logger, next: next, encoder: enc, release: release, keep: keep, limit: limit}
}

// add appends an interval to the batch and sends the batch when it is full.
func (s *sender) add(ctx context.Context, in aggregate.Interval) {
	s.batch = append(s.batch, in)
	if len(s.batch) >= batchPoints {
		s.finish(ctx)
	}
}

// finish sends what is left of the batch.
func (s *sender) finish(ctx context.Context) {
	if len(s.batch) == 0 {
		return
	}
	if s.try(ctx, s.batch) {
		clear(s.batch)
		s.batch = s.batch[:0]
		return
	}
	s.refused = append(s.refused, s.batch)
	s.held += len(s.batch)
	s.batch = nil
	for s.held > s.limit {
		s.drop()
	}
}

// try sends a batch and reports whether it is done with, for good or ill.
func (s *sender) try(ctx context.Context, batch []aggregate.Interval) bool {
	err := s.next.ConsumeMetrics(ctx, s.encoder.encode(batch))
	if err == nil {
		s.sent.Add(int64(len(batch)))
		if s.failing {
			s.failing = false
			s.logger.Info("The next component takes metrics again.")
		}
		s.releaseAll(batch)
		return true
	}
	s.turnedDown.Add(int64(len(batch)))
	if !s.failing {
		s.failing = true
		s.logger.Warn("The next component refuses metrics.", zap.Error(err), zap.Bool("sent_again", s.keep))
	}
	if s.keep && !consumererror.IsPermanent(err) {
		return false
	}
	if s.keep {
		s.lost.Add(int64(len(batch)))
	}
	s.releaseAll(batch)
	return true
}

func (s *sender) releaseAll(batch []aggregate.Interval) {
	for _, in := range batch {
		s.release(in)
	}
}

// retry sends again what was refused, the oldest first, until it is refused again.
func (s *sender) retry(ctx context.Context) {
	for len(s.refused) > 0 && s.try(ctx, s.refused[0]) {
		s.forgetOldest()
	}
}

func (s *sender) forgetOldest() {
	s.held -= len(s.refused[0])
	s.refused[0] = nil
	s.refused = s.refused[1:]
}

// drop gives up the oldest refused batch.
func (s *sender) drop() {
	s.lost.Add(int64(len(s.refused[0])))
	s.releaseAll(s.refused[0])
	s.forgetOldest()
}

// giveUp counts as lost what could not be sent until the end.
func (s *sender) giveUp() {
	lost := s.held
	for len(s.refused) > 0 {
		s.drop()
	}
	if lost > 0 {
		s.logger.Error("Data points are lost: the next component refused them until the end.", zap.Int("points", lost))
	}
}
