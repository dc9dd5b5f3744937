package bpf

import (
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// clockRefresh is how often the distance between the two clocks is taken anew:
// the wall clock is set and slewed, the boot clock is not.
const clockRefresh = 10 * time.Second

// Clock turns the kernel's timestamps (ns since boot) into wall time. Safe for
// concurrent use; the zero value is ready.
type Clock struct {
	offset atomic.Int64 // wall - boot, ns
	next   atomic.Int64 // boot time from which on offset is old
	anchor atomic.Pointer[anchor]
}

// anchor is a moment on both clocks.
type anchor struct {
	now  time.Time // with a reading of the monotonic clock
	boot int64
}

// Time is the wall time of a moment given in ns since boot. It looks at the
// clocks when the distance between them is older than ten seconds.
func (c *Clock) Time(boot uint64) time.Time {
	if int64(boot) >= c.next.Load() {
		c.Refresh()
	}
	return time.Unix(0, int64(boot)+c.offset.Load())
}

// Offset is the wall clock minus the boot clock, in ns.
func (c *Clock) Offset() int64 {
	if c.next.Load() == 0 {
		c.Refresh()
	}
	return c.offset.Load()
}

// Boot is a moment that time.Now gave, in ns since boot. Unlike its distance from
// Offset it does not care for how the wall clock was set meanwhile.
func (c *Clock) Boot(now time.Time) uint64 {
	a := c.anchor.Load()
	if a == nil {
		c.Refresh()
		a = c.anchor.Load()
	}
	return uint64(max(a.boot+int64(now.Sub(a.now)), 0))
}

// Refresh takes the distance between the clocks. A thread that is suspended
// between the readings would be off by half of the pause: the narrowest of
// several tries counts, and nobody sees the others.
func (c *Clock) Refresh() {
	var best anchor
	var end int64
	narrowest := int64(math.MaxInt64)
	for range 3 {
		before := bootTime()
		now := time.Now()
		after := bootTime()
		if after-before >= narrowest {
			continue
		}
		narrowest, end = after-before, after
		// between two readings of one clock the other is at their middle
		best = anchor{now: now, boot: (before + after) / 2}
	}
	c.offset.Store(best.now.UnixNano() - best.boot)
	c.anchor.Store(&best)
	c.next.Store(end + int64(clockRefresh))
}

// bootTime is the boot clock in ns.
func bootTime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}
