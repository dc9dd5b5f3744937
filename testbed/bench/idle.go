package main

import (
	"context"
	"os"
	"time"
)

// footprint is what the agent costs while nothing happens.
type footprint struct {
	binaryBytes  int64
	startup      time.Duration
	cpu          float64 // share of one core, 0 to 1
	rss, rssAnon int64   // bytes
}

// idle watches the agent on a machine that the benchmark leaves alone. What
// else runs on the machine counts too; the load average in the report tells.
func (b *bench) idle(ctx context.Context) (*footprint, error) {
	info, err := os.Stat(b.binary)
	if err != nil {
		return nil, err
	}
	a, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	time.Sleep(idleLeadIn)
	b.progress("idle: %s", b.idleTime)
	begin := time.Now()
	before, err := usageOf(a.PID())
	if err != nil {
		return nil, err
	}
	time.Sleep(b.idleTime)
	after, err := usageOf(a.PID())
	if err != nil {
		return nil, err
	}
	share := float64(after.cpu-before.cpu) / float64(time.Since(begin))
	return &footprint{info.Size(), a.Startup, share, after.rss, after.rssAnon}, a.Stop()
}

// idleLeadIn lets the start-up's own work end: reading /proc, loading policies, and
// what goes on behind the start, above all the programs for TLS libraries.
const idleLeadIn = 3 * time.Second
