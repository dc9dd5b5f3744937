package footprint

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// Pace bounds the garbage that waits to be collected. Go alone lets it grow as
// large as what is in use, so that a moment's backlog, of spans that wait for a
// slow back end, decides how large the program becomes afterwards. From now on it
// is at most room, and half of what is in use where that is more. Whoever sets GOGC
// keeps it.
func Pace() {
	if os.Getenv("GOGC") == "" {
		pacing.Do(func() { newPacer().watch() })
	}
}

var pacing sync.Once

// room is how much garbage may wait while the program is busy, in bytes: as much as
// 40,000 spans a second leave in half a second.
const room = 20 << 20

// A collector that has not run for so long has little to do: it need not leave the
// garbage of a busy program.
const calm = 2 * time.Second

// Percentages as debug.SetGCPercent has them.
const (
	leastPercent = 50
	calmPercent  = 100 // Go's own
	mostPercent  = 300
	fewPercent   = 8 // differences that are not worth stopping the program for
)

// percent is how much garbage may wait, in percent of what is in use, when the
// collector ran last so long ago.
func percent(live uint64, ago time.Duration) int {
	most := uint64(mostPercent)
	if ago >= calm {
		most = calmPercent
	}
	return int(min(max(room*100/max(live, 1), leastPercent), most))
}

// pacer is told when the collector has run.
type pacer struct {
	live    [1]metrics.Sample
	last    time.Time
	percent int

	mu      sync.Mutex // held while it adjusts
	stopped bool       // guarded by mu
}

// stop ends pacing: nothing is adjusted any more when it returns.
func (p *pacer) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// turn is found to be garbage each time the collector runs.
type turn struct{ of *pacer }

func newPacer() *pacer {
	return &pacer{live: [1]metrics.Sample{{Name: "/gc/heap/live:bytes"}}, last: time.Now(), percent: calmPercent}
}

// watch begins to pace.
func (p *pacer) watch() {
	runtime.SetFinalizer(&turn{of: p}, (*turn).collected)
}

// collected runs after each collection, in the goroutine of finalizers.
func (t *turn) collected() {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if !t.of.stopped && t.of.adjust(time.Now()) {
		runtime.SetFinalizer(t, (*turn).collected) // for the next one
	}
}

// adjust sets what the next collection waits for.
func (p *pacer) adjust(now time.Time) bool {
	metrics.Read(p.live[:])
	if p.live[0].Value.Kind() != metrics.KindUint64 {
		return false // this version of Go does not tell
	}
	want := percent(p.live[0].Value.Uint64(), now.Sub(p.last))
	p.last = now
	if d := want - p.percent; d > fewPercent || d < -fewPercent {
		p.percent = want
		debug.SetGCPercent(want)
	}
	return true
}
