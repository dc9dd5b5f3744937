package servicelatencyconnector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/merge"
)

// The simulation: many agents count random requests and send deltas through a
// network that delays, reorders and repeats, while agents stop, crash and start
// again. Whatever arrives must add up to what one connector makes of the same
// requests.
type simulation struct {
	t         *testing.T
	rng       *rand.Rand
	writers   []*simulatedWriter
	network   []*delivery
	gateway   *gateway
	reference *rig
	accepted  []*delivery // since the gateway's last flush
	totals    totals
	sends     Temporality // what the gateway sends
}

type simulatedWriter struct {
	agent   *rig
	pending []ptrace.Traces // counted, not flushed
}

// delivery is what one flush of a writer puts on the network.
type delivery struct {
	metrics  []pmetric.Metrics
	requests []ptrace.Traces
	arrived  bool
}

func newSimulation(t *testing.T, seed uint64, writers int, sends Temporality) *simulation {
	t.Helper()
	s := &simulation{t: t, rng: rand.New(rand.NewPCG(seed, 0)), reference: newRig(t), totals: totals{}, sends: sends}
	for range writers {
		s.writers = append(s.writers, &simulatedWriter{agent: newRig(t, delta)})
	}
	s.startGateway()
	return s
}

func (s *simulation) startGateway() {
	s.gateway = newGateway(s.t, func(c *Config) { c.Temporality = s.sends })
	s.accepted = nil
}

// requests draws a batch whose durations lie around a random centre, with a
// random spread: histograms of all scales come up and must be merged.
func (s *simulation) requests() ptrace.Traces {
	centre, spread := s.rng.Float64()*16-9, s.rng.Float64()*3
	var spans []spanOf
	for range 1 + s.rng.IntN(20) {
		ns := math.Exp(centre+spread*s.rng.NormFloat64()) * 1e9
		if s.rng.IntN(50) == 0 {
			ns = 0
		}
		spans = append(spans, get(fmt.Sprint("/", s.rng.IntN(3)), time.Duration(min(ns, 1e15))))
	}
	return tracesOf(s.t, attrs{"service.name": fmt.Sprint("s", s.rng.IntN(2))}, "", spans...)
}

func (s *simulation) step() {
	for _, w := range s.writers {
		for range s.rng.IntN(3) {
			td := s.requests()
			w.agent.consume(td)
			w.pending = append(w.pending, td)
		}
		if s.rng.IntN(4) > 0 {
			s.flush(w)
		}
		switch s.rng.IntN(30) {
		case 0: // stops in order and starts again
			s.flush(w)
			w.agent = newRig(s.t, delta)
		case 1: // crashes: what it has not sent is lost
			w.agent, w.pending = newRig(s.t, delta), nil
		}
	}
}

// flush puts a writer's interval on the network.
func (s *simulation) flush(w *simulatedWriter) {
	w.agent.now = w.agent.now.Add(10 * time.Second)
	w.agent.engine.flush(s.t.Context(), w.agent.now)
	s.network = append(s.network, &delivery{metrics: w.agent.sink.take(), requests: w.pending})
	w.pending = nil
}

// deliver lets a delivery arrive: the first time it counts.
func (s *simulation) deliver(d *delivery) {
	for _, md := range d.metrics {
		s.gateway.consume(md)
	}
	if !d.arrived {
		d.arrived = true
		s.accepted = append(s.accepted, d)
	}
}

// deliverSome lets part of the network's content arrive in random order, some
// of it more than once; repetitions may come much later.
func (s *simulation) deliverSome() {
	s.rng.Shuffle(len(s.network), func(i, j int) { s.network[i], s.network[j] = s.network[j], s.network[i] })
	keep := s.network[:0]
	for _, d := range s.network {
		if s.rng.IntN(3) > 0 {
			s.deliver(d)
		}
		if !d.arrived || s.rng.IntN(4) == 0 {
			keep = append(keep, d)
		}
	}
	s.network = keep
}

// flushGateway makes what the gateway has accepted part of the result and of
// the reference.
func (s *simulation) flushGateway() {
	s.gateway.now = s.gateway.now.Add(10 * time.Second)
	s.gateway.engine.flush(s.t.Context(), s.gateway.now)
	sent := s.gateway.sink.take()
	if s.sends == Cumulative { // the last total of each series is the result
		for key := range readTotals(s.t, sent...) {
			delete(s.totals, key)
		}
	}
	s.totals.add(s.t, sent...)
	for _, d := range s.accepted {
		for _, td := range d.requests {
			s.reference.consume(td)
		}
	}
	s.accepted = nil
}

func (s *simulation) finish() {
	for _, w := range s.writers {
		s.flush(w)
	}
	for _, d := range s.network {
		s.deliver(d)
	}
	s.flushGateway()
	s.reference.engine.flush(s.t.Context(), s.reference.now.Add(10*time.Second))
	readTotals(s.t, s.reference.sink.take()...).requireEqual(s.t, s.totals)
}

// totals adds up exponential histograms by series.
type totals map[string]*aggregate.Histogram

func readTotals(t *testing.T, list ...pmetric.Metrics) totals {
	t.Helper()
	tt := totals{}
	tt.add(t, list...)
	return tt
}

func (tt totals) add(t *testing.T, list ...pmetric.Metrics) {
	t.Helper()
	var reader merge.Reader
	for _, md := range list {
		for _, rm := range md.ResourceMetrics().All() {
			service, _ := rm.Resource().Attributes().Get("service.name")
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				for _, p := range m.ExponentialHistogram().DataPoints().All() {
					key := fmt.Sprint(service.Str(), m.Name(), p.Attributes().AsRaw())
					if tt[key] == nil {
						tt[key] = aggregate.NewHistogram(aggregate.NewExponential(160, aggregate.MaxScale))
					}
					point := reader.Exponential(p)
					require.True(t, point.Fits(tt[key].Shape()))
					tt[key].MergePoint(point, 0)
				}
			}
		}
	}
}

func (tt totals) requireEqual(t *testing.T, got totals) {
	t.Helper()
	require.Len(t, got, len(tt))
	for key, want := range tt {
		h := got[key]
		require.NotNil(t, h, key)
		require.Equal(t, want.Count(), h.Count(), key)
		require.Equal(t, want.Scale(), h.Scale(), key)
		require.Equal(t, want.ZeroCount(), h.ZeroCount(), key)
		require.InDelta(t, want.Min(), h.Min(), 0, key)
		require.InDelta(t, want.Max(), h.Max(), 0, key)
		require.InEpsilon(t, want.Sum(), h.Sum(), 1e-9, key)
		require.Equal(t, want.Offset(), h.Offset(), key)
		require.Equal(t, want.Buckets(), h.Buckets(), key)
		for i := range want.Buckets() {
			require.Equal(t, want.Bucket(i), h.Bucket(i), "%s bucket %d", key, i)
		}
	}
}

func TestFiftyWritersAddUpExactly(t *testing.T) {
	for seed := range uint64(6) {
		s := newSimulation(t, seed, 50, []Temporality{Delta, Cumulative}[seed%2])
		for range 30 {
			s.step()
			s.deliverSome()
			if s.rng.IntN(2) == 0 {
				s.flushGateway()
			}
		}
		s.finish()
		require.Positive(t, s.gateway.counts[aggregate.Duplicate].Load(), "there were repetitions")
		require.Positive(t, s.gateway.counts[aggregate.Late].Load(), "there were late points")
		require.Zero(t, s.gateway.counts[aggregate.Overlap].Load())
	}
}

// A gateway that is killed loses what it has acknowledged since its last flush,
// no more and no less; what it has not acknowledged comes again.
func TestKilledGatewayLosesOneInterval(t *testing.T) {
	s := newSimulation(t, 99, 20, Delta)
	for range 30 {
		s.step()
		s.deliverOnce()
		switch s.rng.IntN(4) {
		case 0:
			s.startGateway()
		case 1, 2:
			s.flushGateway()
		}
	}
	s.finish()
}

// deliverOnce lets part of the network's content arrive, repeated at once if at all.
func (s *simulation) deliverOnce() {
	keep := s.network[:0]
	for _, d := range s.network {
		if s.rng.IntN(3) == 0 {
			keep = append(keep, d)
			continue
		}
		for range 1 + s.rng.IntN(2) {
			s.deliver(d)
		}
	}
	s.network = keep
}

// The cumulative streams of a gateway never decrease and never overlap with
// those before: neither while writers come and go nor after a series expired or
// the gateway was restarted.
func TestMergedTotalsNeverDecrease(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	last := map[string]row{}
	now := time.Now()
	short := func(c *Config) { c.SeriesExpiration = 30 * time.Second }
	g := newGateway(t, short)
	restarts, resets := 0, 0
	for range 200 {
		now = now.Add(10 * time.Second)
		if rng.IntN(20) == 0 {
			g = newGateway(t, short)
			g.engine.flusher = aggregate.NewFlusher(g.engine.store, g.engine.registry, aggregate.FlusherOptions{
				Temporality: aggregate.Cumulative, Expire: uint64(30 * time.Second), Start: nanos(now.Add(-5 * time.Second)),
			})
			restarts++
		}
		for range rng.IntN(3) {
			g.consume(writtenBy(t, "n", get(fmt.Sprint("/", rng.IntN(6)), time.Second)))
		}
		g.engine.flush(t.Context(), now)
		for _, r := range rows(g.sink.take()...) {
			key := fmt.Sprint(r.attrs)
			before, known := last[key]
			switch {
			case !known:
			case r.start.Equal(before.start):
				require.Greater(t, r.count, before.count)
			default:
				resets++
				require.False(t, r.start.Before(before.end), "a new beginning lies after the old end")
			}
			require.True(t, r.start.Before(r.end))
			last[key] = r
		}
	}
	require.Positive(t, restarts)
	require.Greater(t, resets, restarts, "series have expired and come back, too")
}
