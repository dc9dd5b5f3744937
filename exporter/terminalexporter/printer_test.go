package terminalexporter

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

// pass moves the clock and lets the printer do what is due.
func (s *screenOf) pass(p *printer, d time.Duration) string {
	s.time = s.time.Add(d)
	p.second()
	return s.take()
}

func healthy() []number {
	return []number{
		{schema.MetricProcessCount, 212, nil},
		{schema.MetricContainerCount, 3, nil},
		{schema.MetricEventsReceived, 1000, map[string]any{schema.ClassAttr: "security"}},
		{schema.MetricEventsReceived, 234, map[string]any{schema.ClassAttr: "requests"}},
		{schema.MetricEventsLost, 0, map[string]any{schema.ClassAttr: "security", schema.CPUAttr: 0}},
		{schema.MetricHookStatus, 1, map[string]any{schema.HookAttr: "sys_enter"}},
	}
}

func TestBegin(t *testing.T) {
	s := newScreen(t, nil)
	newPrinter(s.terminal).begin()
	require.Equal(t, "12:00:00.000  sightglass 0.1.0 is starting to watch this host; Ctrl-C ends it\n"+
		"TIME          WHAT      SERVICE               USER            PID  COMMAND OR EVENT\n", s.take())

	s = newScreen(t, func(c *Config) { c.Show = []string{"services"} })
	newPrinter(s.terminal).begin()
	require.Empty(t, s.take())
}

func TestIdleHost(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	require.Empty(t, s.pass(p, time.Second), "nothing is known yet")
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
	require.Equal(t, "12:00:02.000  212 processes · 3 containers · 1,234 events · 0 requests yet · lost 0\n"+
		"    try: curl http://localhost:PORT/ of any service here, or cat /etc/shadow\n", s.pass(p, time.Second))
	for range 59 {
		require.Empty(t, s.pass(p, time.Second), "nothing changes")
	}
	require.Contains(t, s.pass(p, time.Second), "lost 0", "the heartbeat")
	require.Empty(t, s.pass(p, time.Second))
}

func TestWithoutAHeartbeat(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.HeartbeatInterval = 0 })
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
	require.NotEmpty(t, s.pass(p, time.Second))
	require.Empty(t, s.pass(p, time.Hour))
}

func TestSilentReceiver(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	require.Empty(t, s.pass(p, silence-time.Second))
	require.Contains(t, s.pass(p, time.Second), "the receiver has not reported")
	require.Empty(t, s.pass(p, time.Hour))
}

func TestLossIsShownSoonAndOnce(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
	s.pass(p, time.Second)
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(
		number{schema.MetricEventsLost, 5, map[string]any{schema.ClassAttr: "security", schema.ReasonAttr: "ring_full", schema.CPUAttr: 0}},
		number{schema.MetricEventsLost, 7, map[string]any{schema.ClassAttr: "security", schema.ReasonAttr: "ring_full", schema.CPUAttr: 1}},
		number{schema.MetricEventsLost, 1, map[string]any{schema.ClassAttr: "requests", schema.ReasonAttr: "ring_full"}},
	)))
	require.Empty(t, s.pass(p, time.Second), "not more often than the table")
	require.Contains(t, s.pass(p, 4*time.Second), "lost 13 (security ring_full 12, requests ring_full 1)")
	require.Empty(t, s.pass(p, 5*time.Second))
}

func TestWhatTheTableHasNoRoomForIsLost(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(append(healthy(),
		number{schema.MetricEventsLost, 5, map[string]any{schema.ClassAttr: "security", schema.ReasonAttr: "ring_full"}})...)))
	for i := range 1100 {
		require.NoError(t, s.consumeMetrics(t.Context(), requests("web"+strconv.Itoa(i), 10)))
	}
	require.Contains(t, s.pass(p, 5*time.Second), "lost 1,005 (security ring_full 5, table full 1,000)")
}

func TestMissingHooksAreNamedWhenTheyChange(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	missing := number{schema.MetricHookStatus, 0, map[string]any{schema.HookAttr: "ssl\x1b[2J", schema.ReasonAttr: "no libssl"}}
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(append(healthy(), missing)...)))
	out := s.pass(p, time.Second)
	require.Contains(t, out, "1 of 2 hooks missing")
	require.Contains(t, out, `    not attached: ssl\x1b[2J: no libssl`)
	require.Empty(t, s.pass(p, time.Second))
	heartbeat := s.pass(p, time.Minute)
	require.Contains(t, heartbeat, "1 of 2 hooks missing")
	require.NotContains(t, heartbeat, "not attached")
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
	require.NotContains(t, s.pass(p, time.Second), "missing")
}

func TestTableOfServices(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.TableRows = 2 })
	p := newPrinter(s.terminal)
	for i := range 4 {
		require.NoError(t, s.consumeMetrics(t.Context(), requests("web"+strconv.Itoa(i), uint64(10*(4-i)))))
	}
	out := s.pass(p, 5*time.Second)
	require.Equal(t, `── 12:00:05.000  last 5.00 s ───────────────────────────────────────────────
SERVICE       SIDE    PROTO     REQ/S   ERRORS       P50       P95       P99
shop/web0     server  http        8.0      0 %    1.41 s    1.93 s    1.99 s
shop/web1     server  http        6.0      0 %    1.41 s    1.93 s    1.99 s
… 2 more rows
────────────────────────────────────────────────────────────────────────────
`, out)
	require.NotContains(t, s.pass(p, 5*time.Second), "SERVICE", "no requests, no table")

	require.NoError(t, s.consumeMetrics(t.Context(), numbers(append(healthy(), number{schema.MetricRequestCount, 105, nil})...)))
	require.NoError(t, s.consumeMetrics(t.Context(), requests("web", 5)))
	require.Contains(t, s.pass(p, 5*time.Second), "── 212 processes · 3 containers · 1,234 events · 105 requests · lost 0\n")
}

func TestTheFirstRequestsAfterASilenceShowAtOnce(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	for range 7 {
		require.NotContains(t, s.pass(p, time.Second), "SERVICE")
	}
	require.NoError(t, s.consumeMetrics(t.Context(), requests("web", 5)))
	require.Contains(t, s.pass(p, time.Second), "last 1.00 s")
	require.NoError(t, s.consumeMetrics(t.Context(), requests("web", 10)))
	for range 4 {
		require.NotContains(t, s.pass(p, time.Second), "SERVICE", "one table an interval")
	}
	require.Contains(t, s.pass(p, time.Second), "last 5.00 s")
}

func TestTablesCanBeOff(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.Show = []string{"status"} })
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeMetrics(t.Context(), requests("web", 5)))
	require.NotContains(t, s.pass(p, 5*time.Second), "web")
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
	require.Contains(t, s.pass(p, 5*time.Second), "5 requests · lost 0", "counted by the histograms")
}

func TestRunPrintsWhatIsLeft(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.LinesPerSecond = 1 << 30 })
	require.NoError(t, s.consumeLogs(t.Context(), execs(500)))
	require.NoError(t, s.consumeMetrics(t.Context(), requests("web", 5)))
	s.time = s.time.Add(2 * time.Second)
	p := newPrinter(s.terminal)
	p.lastTable = noon
	stop, done := make(chan struct{}), make(chan struct{})
	close(stop)
	p.run(stop, done)
	out := s.take()
	require.Equal(t, 500, strings.Count(out, "  ls"))
	require.Contains(t, out, "shop/web")
	require.NotContains(t, out, "ended", "nothing was known about the watch")
}

func TestTheLastLineComesWithoutAnEarlierOne(t *testing.T) {
	for show, want := range map[string]bool{"status": true, "services": false} {
		s := newScreen(t, func(c *Config) { c.Show = []string{show} })
		p := newPrinter(s.terminal)
		require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
		p.end()
		require.Equal(t, want, strings.Contains(s.take(), "ended after"), show)
	}
}

func TestTheLastLineTellsWhatWasWatched(t *testing.T) {
	s := newScreen(t, nil)
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeMetrics(t.Context(), numbers(healthy()...)))
	s.pass(p, 61*time.Second)
	p.end()
	require.Equal(t, "12:01:01.000  ended after 61.0 s · 212 processes · 3 containers · 1,234 events · 0 requests · lost 0\n", s.take())
}
