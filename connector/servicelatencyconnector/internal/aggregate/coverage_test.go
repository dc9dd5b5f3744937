package aggregate

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const never = uint64(1) << 60

func TestCoverage(t *testing.T) {
	for name, tc := range map[string]struct {
		steps []span
		want  []Verdict
		gaps  []span
	}{
		"in order":            {[]span{{1, 2}, {2, 3}, {3, 9}}, []Verdict{Merged, Merged, Merged}, nil},
		"repeated":            {[]span{{1, 2}, {1, 2}, {2, 3}, {1, 2}, {2, 3}}, []Verdict{Merged, Duplicate, Merged, Duplicate, Duplicate}, nil},
		"swapped":             {[]span{{1, 2}, {3, 4}, {2, 3}, {2, 3}}, []Verdict{Merged, Merged, Late, Duplicate}, nil},
		"before the first":    {[]span{{5, 6}, {1, 2}, {2, 5}}, []Verdict{Merged, Late, Late}, nil},
		"joined before":       {[]span{{5, 6}, {4, 5}}, []Verdict{Merged, Late}, nil},
		"gap split":           {[]span{{1, 2}, {9, 10}, {4, 5}, {2, 4}, {7, 9}, {5, 7}}, []Verdict{Merged, Merged, Late, Late, Late, Late}, nil},
		"gap open":            {[]span{{1, 2}, {9, 10}, {4, 5}}, []Verdict{Merged, Merged, Late}, []span{{2, 4}, {5, 9}}},
		"gap shrunk at end":   {[]span{{1, 2}, {9, 10}, {7, 9}}, []Verdict{Merged, Merged, Late}, []span{{2, 7}}},
		"overlap of the last": {[]span{{1, 5}, {4, 6}}, []Verdict{Merged, Overlap}, nil},
		"overlap of a gap":    {[]span{{1, 2}, {5, 6}, {4, 6}}, []Verdict{Merged, Merged, Overlap}, []span{{2, 5}}},
		"overlap of first":    {[]span{{5, 9}, {3, 6}}, []Verdict{Merged, Overlap}, nil},
		"around everything":   {[]span{{5, 9}, {3, 12}}, []Verdict{Merged, Overlap}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var c coverage
			for i, s := range tc.steps {
				got, _ := c.admit(s.start, s.end, never)
				require.Equal(t, tc.want[i], got, "step %d", i)
			}
			require.Equal(t, tc.gaps, c.gaps)
		})
	}
}

func TestCoverageReportsGaps(t *testing.T) {
	var c coverage
	for _, step := range []struct {
		span
		gap bool
	}{
		{span{100, 110}, false},
		{span{110, 120}, false},
		{span{130, 140}, true},
		{span{120, 130}, false}, // arrives late
		{span{50, 60}, true},    // between 60 and 100 something is missing
		{span{1000, 1010}, false},
	} {
		_, gap := c.admit(step.start, step.end, 200)
		require.Equal(t, step.gap, gap, "%v", step.span)
	}
	require.Equal(t, coverage{first: 1000, last: 1010}, c, "a long pause begins anew")
}

func TestCoverageBoundsGaps(t *testing.T) {
	var c coverage
	for i := range uint64(3 * maxGaps) {
		v, gap := c.admit(1+10*i, 2+10*i, never)
		require.Equal(t, Merged, v)
		require.Equal(t, i > 0, gap)
		require.LessOrEqual(t, len(c.gaps), maxGaps)
	}
	v, _ := c.admit(2, 11, never)
	require.Equal(t, Duplicate, v, "a gap that was given up counts as seen")
	v, _ = c.admit(10*(3*maxGaps-2)+2, 10*(3*maxGaps-1)+1, never)
	require.Equal(t, Late, v, "the newest gap is still known")
	c.first = 1000
	c.gaps = make([]span, maxGaps)
	c.precede(1, 2)
	require.Len(t, c.gaps, maxGaps)
	require.Equal(t, span{2, 1000}, c.gaps[0])
}

// A writer's intervals, delivered in random order with repetitions, must each
// be merged exactly once.
func TestCoverageMergesEachIntervalOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	for range 500 {
		var intervals []span
		at := uint64(1)
		for range 12 {
			next := at + 1 + rng.Uint64N(5)
			intervals = append(intervals, span{at, next})
			at = next
		}
		var c coverage
		merged := map[span]int{}
		deliveries := append([]span{}, intervals...)
		deliveries = append(deliveries, intervals...)
		rng.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
		for _, s := range deliveries {
			v, _ := c.admit(s.start, s.end, never)
			require.NotEqual(t, Overlap, v)
			if v.merged() {
				merged[s]++
			}
		}
		for _, s := range intervals {
			require.Equal(t, 1, merged[s])
		}
		require.Empty(t, c.gaps)
		require.Equal(t, coverage{first: 1, last: at}, c)
	}
}

func TestHistoryForgetsEndedParts(t *testing.T) {
	h := newHistory()
	for i := range uint64(100) {
		v, _ := h.admit(part{writer: Writer(i)}, 1000*i+1, 1000*i+1000, 5000, 1000)
		require.Equal(t, Merged, v)
	}
	require.Less(t, len(h.parts), 40, "writers that ended long ago are forgotten")
	v, _ := h.admit(part{writer: 99}, 99_001, 100_000, 5000, 1000)
	require.Equal(t, Duplicate, v, "the last ones are not")
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHistory()
	for i := range uint64(100) {
		v, _ := h.admit(part{writer: Writer(i)}, 1, 2, never, 10)
		require.Equal(t, Merged, v)
	}
	require.Len(t, h.parts, 10)
	v, _ := h.admit(part{writer: 3}, 1, 2, never, 10)
	require.Equal(t, Duplicate, v)
	v, _ = h.admit(part{writer: 50}, 1, 2, never, 10)
	require.Equal(t, Merged, v, "beyond the limit repetitions are not told apart")
}
