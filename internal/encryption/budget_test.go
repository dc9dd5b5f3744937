package encryption

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
)

// metered is an Attacher that says what it is told to of processes.
type metered struct {
	attached map[uint32]int // by process; 0: for all
	runs     map[uint32]uint64
	forgot   []uint32
	pauses   map[uint32]time.Time
	err      error
}

func (m *metered) AttachTLS(path string, probes []bpf.TLSProbe) (io.Closer, error) {
	return m.AttachTLSTo(path, 0, probes)
}

func (m *metered) AttachTLSTo(_ string, pid uint32, probes []bpf.TLSProbe) (io.Closer, error) {
	if m.err != nil {
		return nil, m.err
	}
	m.attached[pid] += len(probes)
	return detach(func() error {
		m.attached[pid] -= len(probes)
		if m.attached[pid] == 0 {
			delete(m.attached, pid)
		}
		return nil
	}), nil
}

func (m *metered) TLSRuns() (map[uint32]uint64, error) { return m.runs, nil }

func (m *metered) ForgetTLS(pid uint32) error {
	m.forgot = append(m.forgot, pid)
	return nil
}

func (m *metered) PauseTLS(pid uint32, until time.Time) error {
	if m.pauses == nil {
		m.pauses = map[uint32]time.Time{}
	}
	m.pauses[pid] = until
	if until.IsZero() {
		delete(m.pauses, pid)
	}
	return nil
}

// whom lists for which processes there are probes.
func (m *metered) whom() []uint32 { return slices.Sorted(maps.Keys(m.attached)) }

// TestBudget: a process of which probes take too much is left alone for a while,
// others that use the same library are not.
func TestBudget(t *testing.T) {
	library := systemOpenSSL(t)
	m := &metered{attached: map[uint32]int{}, runs: map[uint32]uint64{}}
	f := newTestFinder(t, nil, time.Second)
	f.attach, f.meter, f.cfg.MaxCPU = m, m, 0.4
	busy, calm := userOf(t, library), userOf(t, library)
	f.look(busy)
	f.look(calm)
	require.Equal(t, []uint32{0}, m.whom())

	var told []uint32
	f.cfg.Paused = func(pid uint32) { told = append(told, pid) }
	now := time.Now()
	spend := func(runs uint64) { // in a second of CPU time
		now = now.Add(sweepEvery)
		f.spent = map[uint32]spending{busy: {at: now.Add(-sweepEvery), cpu: -time.Second, runs: m.runs[busy]}}
		m.runs[busy] += runs
		f.budget(now)
	}
	m.runs[calm] = 1000
	spend(1000)
	require.Equal(t, []uint32{0}, m.whom(), "a hundredth")
	spend(100_000)
	require.Equal(t, []uint32{calm}, m.whom())
	require.Equal(t, ReasonBudget, f.Why(busy))
	require.Equal(t, []uint32{busy}, told)
	require.Equal(t, map[uint32]time.Time{busy: f.pauses[busy].until}, m.pauses)
	require.NotEqual(t, ReasonBudget, f.Why(calm))
	require.Subset(t, m.forgot, []uint32{busy, calm}, "what follows is not what followed")

	m.forgot = nil
	later := userOf(t, library)
	f.pauses[busy] = pause{until: time.Now().Add(firstPause), last: firstPause} // look asks for the time itself
	f.look(later)
	f.look(busy)
	require.ElementsMatch(t, []uint32{calm, later}, m.whom())
	require.NotContains(t, m.forgot, calm, "nothing has changed for it")
	require.Equal(t, ReasonBudget, f.Why(busy))

	now = f.pauses[busy].until
	f.budget(now)
	require.Equal(t, []uint32{0}, m.whom())
	require.NotEqual(t, ReasonBudget, f.Why(busy))
	require.Empty(t, m.pauses)

	spend(100_000)
	require.ElementsMatch(t, []uint32{calm, later}, m.whom())
	require.Equal(t, 2*firstPause, f.pauses[busy].last)
	f.forget(busy) // it has ended
	f.budget(now)
	require.Equal(t, []uint32{0}, m.whom())
	require.Empty(t, f.pauses)
	require.Empty(t, m.pauses)
	f.release()
	f.Wait()
	require.Empty(t, m.attached)
}

// A file that cannot be probed again, because it was unmounted for instance, is
// no reason to stop.
func TestBudgetOfWhatIsGone(t *testing.T) {
	m := &metered{attached: map[uint32]int{}, runs: map[uint32]uint64{}}
	f := newTestFinder(t, nil, time.Second)
	f.attach, f.meter, f.cfg.MaxCPU = m, m, 0.4
	pid := userOf(t, systemOpenSSL(t))
	f.look(pid)
	now := time.Now()
	f.pauses[pid] = pause{until: now.Add(firstPause), last: firstPause}
	for _, u := range f.users[pid] {
		f.arrange(u, now)
	}
	require.Empty(t, m.attached)
	m.err = errors.New("gone")
	f.budget(now.Add(firstPause))
	require.Empty(t, m.attached)
	f.release()
	f.Wait()
}

func TestShareOfCPU(t *testing.T) {
	before := spending{at: time.Unix(100, 0), runs: 1000, cpu: time.Second}
	for name, tt := range map[string]struct {
		runs uint64
		cpu  time.Duration
		want float64
	}{
		"half":            {1_001_000, 3 * time.Second, 0.5},
		"next to nothing": {51_000, 1100 * time.Millisecond, 0},
		"no time at all":  {1_001_000, time.Second, 0},
		"counted anew":    {10, 3 * time.Second, 0},
	} {
		after := spending{at: time.Unix(110, 0), runs: tt.runs, cpu: tt.cpu}
		require.InDelta(t, tt.want, before.share(after, time.Microsecond, leastShare), 1e-9, name)
	}
	after := spending{at: time.Unix(110, 0), runs: 51_000, cpu: 1100 * time.Millisecond}
	require.InDelta(t, 0.5, before.share(after, time.Microsecond, 0.001), 1e-9, "for a smaller budget less matters")
}

func TestPausesGrow(t *testing.T) {
	now, p := time.Unix(0, 0), pause{}
	var all []time.Duration
	for range 8 {
		p = p.next(now)
		require.True(t, p.is(now))
		require.False(t, p.is(now.Add(p.last)))
		all = append(all, p.last/time.Minute)
	}
	require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}, all)
}

func TestParseCPUTime(t *testing.T) {
	d, err := parseCPUTime("7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 9 9 20 0 1 0 5 0 0")
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, d)
	for _, wrong := range []string{"", "7 (x) S 1", "7 (x) S 1 7 7 0 -1 4194304 100 0 0 0 x 50 9"} {
		_, err := parseCPUTime(wrong)
		require.Error(t, err, strconv.Quote(wrong))
	}
}
