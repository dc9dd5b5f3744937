package bpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestClock(t *testing.T) {
	var c Clock
	boot := uint64(bootTime())
	assert.WithinDuration(t, time.Now(), c.Time(boot), time.Minute)
	assert.NotZero(t, c.Offset())
	// two moments keep their distance between two refreshments
	later := c.Time(boot + 5)
	assert.Equal(t, 5*time.Nanosecond, later.Sub(c.Time(boot)))
	// a moment behind the refreshment's end takes the distance anew
	before := c.next.Load()
	c.Time(uint64(before))
	assert.GreaterOrEqual(t, c.next.Load(), before)
}

func TestBootTimeDoesNotCareForTheWallClock(t *testing.T) {
	var c Clock
	c.Boot(time.Now())
	c.offset.Add(int64(24 * time.Hour)) // as if the wall clock had been set back by a day
	before := uint64(bootTime())
	now := c.Boot(time.Now())
	assert.InDelta(t, before, now, float64(time.Minute))
	assert.Zero(t, c.Boot(time.Now().Add(-time.Since(time.Unix(0, 0)))), "before the machine started")
}

func TestClockAllocatesNothing(t *testing.T) {
	var c Clock
	now := uint64(bootTime())
	assert.Zero(t, alloctest.PerRun(100, func() { c.Time(now) }))
	assert.Zero(t, alloctest.PerRun(100, func() { c.Boot(time.Now()) }))
}

func TestOptions(t *testing.T) {
	o, err := Options{}.withDefaults()
	require.NoError(t, err)
	assert.Equal(t, DefaultRingSize, o.SecurityRing)
	assert.Equal(t, DefaultRingSize, o.RequestsRing)
}
