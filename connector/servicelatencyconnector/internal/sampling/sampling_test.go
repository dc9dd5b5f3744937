package sampling

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestWeight(t *testing.T) {
	low, high := [8]byte{}, [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for _, tc := range []struct {
		tracestate string
		low, high  uint64 // by span ids that round up and down
	}{
		{"", 1, 1},
		{"ot=th:0", 1, 1},
		{"ot=th:8", 2, 2},
		{"ot=th:9", 3, 2},
		{"ot=th:c;rv:d29d6a7215ced0,other=1", 4, 4},
		{"other=1, ot=rv:d29d6a7215ced0;th:e6666", 10, 9}, // a tenth, nearly
		{"ot=th:555555", 2, 1},
		{"ot=th:", 1, 1},
		{"ot=th:C", 1, 1},
		{"ot=th:ffffffffffffff", MaxWeight, MaxWeight},
		{"ot=th:fffffffffffffff", 1, 1}, // too long
		{"other=th:8", 1, 1},
		{"xot=th:8", 1, 1},
	} {
		require.Equal(t, tc.low, Weight(tc.tracestate, low), tc.tracestate)
		require.Equal(t, tc.high, Weight(tc.tracestate, high), tc.tracestate)
	}
}

func TestWeightsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n, percent = 100_000, 30.0
	var sum uint64
	for range n {
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], rng.Uint64())
		sum += Weight("ot=th:b3333", id)
	}
	require.InEpsilon(t, n*100/percent, sum, 0.005)
}

func TestNoAllocations(t *testing.T) {
	require.Zero(t, alloctest.PerRun(100, func() { Weight("other=1,ot=rv:d29d6a7215ced0;th:e6666", [8]byte{1}) }))
}

// TestKeeperIsTheSampler compares with the sampler of the distribution.
func TestKeeperIsTheSampler(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, percent := range []float64{0, 0.05, 1, 10, 33.3, 50, 97, 100} {
		factory := probabilisticsamplerprocessor.NewFactory()
		cfg := factory.CreateDefaultConfig().(*probabilisticsamplerprocessor.Config)
		cfg.Mode, cfg.SamplingPercentage = "equalizing", float32(percent)
		kept := new(consumertest.TracesSink)
		sampler, err := factory.CreateTraces(t.Context(), processortest.NewNopSettings(factory.Type()), cfg, kept)
		require.NoError(t, err)
		td := ptrace.NewTraces()
		spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
		keeper, want := NewKeeper(float64(float32(percent))), 0
		for i := range 5000 {
			var id [16]byte
			binary.BigEndian.PutUint64(id[:8], rng.Uint64())
			binary.BigEndian.PutUint64(id[8:], rng.Uint64())
			span := spans.AppendEmpty()
			span.SetTraceID(id)
			if i%2 == 0 {
				span.TraceState().FromRaw("ot=rv:" + []string{"00000000000001", "ffffffffffffff", "80000000000000", "e6666000000000"}[i%4])
			}
			if keeper.Keeps(span.TraceState().AsRaw(), id) {
				want++
			}
		}
		require.NoError(t, sampler.ConsumeTraces(t.Context(), td))
		require.Equal(t, want, kept.SpanCount(), "%v %%", percent)
	}
}

func FuzzWeight(f *testing.F) {
	f.Add("ot=th:c;rv:d29d6a7215ced0,other=1", uint64(1))
	f.Fuzz(func(t *testing.T, tracestate string, id uint64) {
		var span [8]byte
		binary.BigEndian.PutUint64(span[:], id)
		w := Weight(tracestate, span)
		require.GreaterOrEqual(t, w, uint64(1))
		require.LessOrEqual(t, w, uint64(MaxWeight))
		NewKeeper(10).Keeps(tracestate, [16]byte{})
	})
}
