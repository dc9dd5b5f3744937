package bpf

import (
	"bytes"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
)

// patience is how long a test waits for a record that must come.
const patience = time.Minute

// load loads an agent for a test and closes it at its end.
func load(tb testing.TB, opts Options) *Agent {
	tb.Helper()
	requireRoot(tb)
	a, err := Load(opts)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		delete(pending, a)
		assert.NoError(tb, a.Close())
	})
	return a
}

// sharedRing is the size of the rings of shared agents: large, for they also
// see what other tests do.
const sharedRing = 16 << 20

// shared are agents that tests use one after another, by Options.Plain: loading
// takes seconds on an emulated machine. TestMain closes them.
var shared = map[bool]*Agent{}

// share returns a shared agent that captures the named calls and whose ring is
// empty.
func share(tb testing.TB, plain bool, calls ...string) *Agent {
	tb.Helper()
	requireRoot(tb)
	a := shared[plain]
	if a == nil {
		var err error
		a, err = Load(Options{SecurityRing: sharedRing, Plain: plain})
		require.NoError(tb, err)
		shared[plain] = a
	}
	tb.Cleanup(func() {
		_, err := a.SetInterest(interest.Set{})
		assert.NoError(tb, err)
		delete(pending, a)
	})
	_, err := a.Security().Drain(func([]byte) {})
	require.NoError(tb, err)
	_, err = a.SetInterest(interest.Names(calls...))
	require.NoError(tb, err)
	return a
}

// closeShared closes the shared agents.
func closeShared() {
	for _, a := range shared {
		_ = a.Close()
	}
}

// eachMode runs a test with the shared agents: in the best mode of this kernel
// and in the plainest one, which is all that Linux 5.10 has.
func eachMode(t *testing.T, calls []string, test func(t *testing.T, a *Agent)) {
	t.Helper()
	best := share(t, false, calls...)
	t.Run("best", func(t *testing.T) {
		t.Logf("mode %+v", best.mode)
		test(t, best)
	})
	if best.mode == (mode{}) {
		return
	}
	_, err := best.SetInterest(interest.Set{})
	require.NoError(t, err)
	t.Run("plain", func(t *testing.T) { test(t, share(t, true, calls...)) })
}

// eachLoad runs a test with agents of its own, in both modes.
func eachLoad(t *testing.T, opts Options, test func(t *testing.T, a *Agent)) {
	t.Helper()
	for _, plain := range []bool{false, true} {
		opts.Plain = plain
		t.Run(map[bool]string{false: "best", true: "plain"}[plain], func(t *testing.T) { test(t, load(t, opts)) })
	}
}

// pending are the records that await has read and not looked at, by agent.
// Tests of this package run one after another.
var pending = map[*Agent][][]byte{}

// await looks at the records of the security ring, in order, until one
// satisfies match, which may keep nothing of it, or until patience ends. The
// next await goes on behind that record.
func await(tb testing.TB, a *Agent, what string, match func(ev *event.Event) bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	var ev event.Event
	for time.Now().Before(deadline) {
		for len(pending[a]) > 0 {
			raw := pending[a][0]
			pending[a] = pending[a][1:]
			require.NoError(tb, event.Decode(raw, &ev))
			if match(&ev) {
				return
			}
		}
		n, err := a.Security().Drain(func(raw []byte) {
			pending[a] = append(pending[a], bytes.Clone(raw))
		})
		require.NoError(tb, err)
		if n == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	require.Fail(tb, "no record: "+what)
}

func TestLoadAttachesEveryHook(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		hooks := a.Hooks()
		require.Len(t, hooks, len(hookSpecs))
		for _, h := range hooks {
			assert.True(t, h.Attached, "%s: %v", h.Name, h.Err)
			assert.NotEmpty(t, h.Provides)
			assert.Empty(t, h.Remedy)
		}
	})
}

func TestLoadReportsWhatIsMissing(t *testing.T) {
	requireRoot(t)
	restore := slices.Clone(hookSpecs)
	t.Cleanup(func() { copy(hookSpecs, restore) })
	for i := range hookSpecs {
		if !hookSpecs[i].essential && !hookSpecs[i].iterator {
			hookSpecs[i].name = "no_such_tracepoint"
		}
	}
	a := load(t, Options{})
	missing := 0
	for _, h := range a.Hooks() {
		if h.Attached {
			continue
		}
		missing++
		require.Error(t, h.Err)
		assert.Contains(t, h.Remedy, "tracepoint")
	}
	assert.Equal(t, 2, missing)
}

func TestLoadFailsWithNothing(t *testing.T) {
	requireRoot(t)
	restore := slices.Clone(hookSpecs)
	t.Cleanup(func() { copy(hookSpecs, restore) })
	for i := range hookSpecs {
		if hookSpecs[i].essential {
			hookSpecs[i].name = "no_such_tracepoint"
		}
	}
	_, err := Load(Options{})
	require.ErrorContains(t, err, "nothing can be observed")
}

func TestLoadRefusesOddRings(t *testing.T) {
	for _, size := range []int{1, 4095, 3 * os.Getpagesize(), MaxRingSize * 2, -4096} {
		_, err := Load(Options{SecurityRing: size})
		require.ErrorContains(t, err, "ring size")
	}
}

func TestCloseTwiceAndUse(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{})
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	_, err = a.SetInterest(interest.Names("openat"))
	require.ErrorIs(t, err, os.ErrClosed)
	_, err = a.Security().Drain(func([]byte) {})
	require.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, a.Security().Run(func([]byte) {}, nil))
	require.ErrorIs(t, a.Seed(func([]byte) {}), os.ErrClosed)
}

func TestProbe(t *testing.T) {
	requireRoot(t)
	hooks, _, err := Probe()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(hooks), len(hookSpecs))
	for _, h := range hooks {
		assert.True(t, h.Attached, "%s: %v", h.Name, h.Err)
	}
}

func TestPlainModeTellsWhatItLacks(t *testing.T) {
	a := share(t, true)
	names := []string{}
	for _, d := range a.Degradations() {
		names = append(names, d.Name)
		assert.NotEmpty(t, d.Consequence)
	}
	assert.Len(t, names, 2)
}
