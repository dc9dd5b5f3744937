package securitypolicyprocessor

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/policy"
)

var t0 = time.Unix(1700000000, 0)

func resourceNamed(name string) pcommon.Resource {
	res := pcommon.NewResource()
	res.Attributes().PutStr("service.name", name)
	return res
}

func allow(l *limiter, at time.Duration, rule, resource string) bool {
	return l.allow(t0.Add(at), &policy.Rule{Name: rule}, []byte(resource), resourceNamed(resource), pcommon.NewTimestampFromTime(t0.Add(at)), false)
}

func TestLimiterLetsABurstPassPerRuleAndResource(t *testing.T) {
	l := newLimiter(RateLimitConfig{Burst: 2, Interval: time.Minute})
	for _, rule := range []string{"a", "b"} {
		for _, resource := range []string{"x", "y"} {
			require.True(t, allow(l, 0, rule, resource))
			require.True(t, allow(l, time.Second, rule, resource))
			require.False(t, allow(l, 2*time.Second, rule, resource))
		}
	}
}

func TestLimiterHandsBackWhatItSuppressed(t *testing.T) {
	l := newLimiter(RateLimitConfig{Burst: 1, Interval: time.Minute})
	require.True(t, allow(l, 0, "b", "x"))
	require.False(t, allow(l, 2*time.Second, "b", "x"))
	require.False(t, allow(l, time.Second, "b", "x"), "older, counted all the same")
	require.True(t, allow(l, 0, "a", "x"))
	require.False(t, allow(l, 0, "a", "x"))
	require.True(t, allow(l, 0, "a", "quiet"))

	require.Empty(t, l.expire(t0.Add(59*time.Second), false))
	got := l.expire(t0.Add(time.Minute), false)
	require.Len(t, got, 2)
	require.Equal(t, "a", got[0].rule.Name)
	require.EqualValues(t, 1, got[0].count)
	require.Equal(t, "b", got[1].rule.Name)
	require.EqualValues(t, 2, got[1].count)
	require.Equal(t, pcommon.NewTimestampFromTime(t0.Add(2*time.Second)), got[1].last)
	require.Equal(t, time.Minute, got[1].over)
	name, _ := got[1].resource.Attributes().Get("service.name")
	require.Equal(t, "x", name.Str())

	require.Empty(t, l.windows)
	require.True(t, allow(l, time.Minute, "b", "x"), "a new interval")
}

func TestLimiterStartsAnewWithoutASweep(t *testing.T) {
	l := newLimiter(RateLimitConfig{Burst: 1, Interval: time.Minute})
	require.True(t, allow(l, 0, "a", "x"))
	require.True(t, allow(l, time.Minute, "a", "x"))
	require.False(t, allow(l, 61*time.Second, "a", "x"))
	require.False(t, allow(l, 3*time.Minute, "a", "x"), "a count that nobody has fetched is not thrown away")
	require.EqualValues(t, 2, l.expire(t0.Add(3*time.Minute), false)[0].count)
}

func TestLimiterEndsEverythingAtOnce(t *testing.T) {
	l := newLimiter(RateLimitConfig{Burst: 1, Interval: time.Hour})
	allow(l, 0, "a", "x")
	allow(l, 0, "a", "x")
	got := l.expire(t0.Add(time.Second), true)
	require.Len(t, got, 1)
	require.Equal(t, time.Second, got[0].over)
}

func TestLimiterOff(t *testing.T) {
	l := newLimiter(RateLimitConfig{})
	require.Nil(t, l)
	require.True(t, allow(l, 0, "a", "x"))
	require.Empty(t, l.expire(t0, true))
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(RateLimitConfig{Burst: 1, Interval: time.Hour})
	for i := range maxWindows {
		require.True(t, allow(l, 0, "a", fmt.Sprint(i)))
	}
	require.True(t, allow(l, 0, "a", "one more"))
	require.True(t, allow(l, 0, "a", "one more"), "not limited, but not lost")
	require.Len(t, l.windows, maxWindows)
	require.False(t, allow(l, 0, "a", "0"))
}

func TestLimiterDoesNotAllocateForKnownResources(t *testing.T) {
	l := newLimiter(RateLimitConfig{Burst: 1 << 30, Interval: time.Hour})
	rule, res, key := &policy.Rule{Name: "a"}, resourceNamed("x"), []byte("x")
	l.allow(t0, rule, key, res, 0, false)
	require.Zero(t, alloctest.PerRun(100, func() { l.allow(t0, rule, key, res, 0, false) }))
}

// What must be told is counted all the same.
func TestLimiterCountsWhatMustBeTold(t *testing.T) {
	limit := newLimiter(RateLimitConfig{Burst: 1, Interval: time.Minute})
	ask := func(must bool) bool {
		return limit.allow(time.Unix(1, 0), &policy.Rule{Name: "r"}, nil, pcommon.NewResource(), 1, must)
	}
	require.True(t, ask(true))
	require.False(t, ask(false), "it was counted")
	require.True(t, ask(true))
}
