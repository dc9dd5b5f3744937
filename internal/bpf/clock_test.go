package bpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func TestClockAllocatesNothing(t *testing.T) {
	var c Clock
	now := uint64(bootTime())
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.Time(now) }))
}

func TestOptions(t *testing.T) {
	o, err := Options{}.withDefaults()
	require.NoError(t, err)
	assert.Equal(t, DefaultRingSize, o.SecurityRing)
	assert.Equal(t, DefaultRingSize, o.RequestsRing)
}
