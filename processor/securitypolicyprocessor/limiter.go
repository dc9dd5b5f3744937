package securitypolicyprocessor

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/policy"
)

// maxWindows bounds the memory of the limiter. Beyond it, detections pass
// unlimited rather than vanish.
const maxWindows = 8192

// limiter bounds how many detections of one rule on one resource pass within
// an interval. What it suppresses is counted and handed back when the interval
// is over. It is safe for concurrent use. Times are those of the agent's
// clock, not of the events, so that replayed history is bounded as well.
type limiter struct {
	burst    int
	interval time.Duration

	mu      sync.Mutex
	windows map[windowKey]*window
}

type windowKey struct {
	rule     string // its name, which outlives a reload
	resource string
}

type window struct {
	rule       *policy.Rule
	started    time.Time
	passed     int
	suppressed int64
	last       pcommon.Timestamp // of the newest suppressed match
	resource   pcommon.Resource  // a copy, made at the first suppression
}

// suppression is what the limiter held back of one rule on one resource.
type suppression struct {
	rule     *policy.Rule
	key      string // identifies the resource
	resource pcommon.Resource
	count    int64
	last     pcommon.Timestamp
	over     time.Duration
}

// newLimiter makes a limiter; nil, which limits nothing, when burst is 0.
func newLimiter(cfg RateLimitConfig) *limiter {
	if cfg.Burst == 0 {
		return nil
	}
	return &limiter{burst: cfg.Burst, interval: cfg.Interval, windows: map[windowKey]*window{}}
}

// allow reports whether a match may become a detection; one that must is counted
// only. resource identifies res; it is copied when it has to be kept.
func (l *limiter) allow(now time.Time, rule *policy.Rule, resource []byte, res pcommon.Resource, at pcommon.Timestamp, must bool) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[windowKey{rule.Name, string(resource)}]
	if w == nil {
		if len(l.windows) >= maxWindows {
			return true
		}
		w = &window{rule: rule, started: now}
		l.windows[windowKey{rule.Name, string(resource)}] = w
	}
	if now.Sub(w.started) >= l.interval && w.suppressed == 0 {
		w.started, w.passed = now, 0
	}
	if must || w.passed < l.burst {
		w.passed++
		return true
	}
	if w.suppressed == 0 {
		w.resource = pcommon.NewResource()
		res.CopyTo(w.resource)
	}
	w.suppressed++
	w.last = max(w.last, at)
	return false
}

// expire ends the intervals that are over, or all of them, and returns what
// was suppressed in them, ordered by resource and rule.
func (l *limiter) expire(now time.Time, all bool) []suppression {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []suppression
	for key, w := range l.windows {
		open := now.Sub(w.started)
		if open < l.interval && !all {
			continue
		}
		delete(l.windows, key)
		if w.suppressed > 0 {
			out = append(out, suppression{
				rule: w.rule, key: key.resource, resource: w.resource,
				count: w.suppressed, last: w.last, over: open,
			})
		}
	}
	slices.SortFunc(out, func(a, b suppression) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.rule.Name, b.rule.Name))
	})
	return out
}
