package process

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// model is what the machine really did: the table must agree with it.
type model struct {
	rng   *rand.Rand
	s     *script
	all   map[Key]*modelProcess
	alive []Key
	pids  uint32 // size of the pid space: small, so that pids are reused at once
}

type modelProcess struct {
	parent Key
	name   string
	ended  uint64
}

func newModel(t *testing.T, seed uint64) *model {
	t.Helper()
	m := &model{
		rng: rand.New(rand.NewPCG(seed, 1)), s: newScript(t, Options{Max: 1 << 20}),
		all: make(map[Key]*modelProcess), pids: 40,
	}
	root := key(1, 1)
	m.s.exec(root, "init")
	m.all[root] = &modelProcess{name: "init"}
	m.alive = []Key{root}
	return m
}

// step does one random thing; it returns false when the pid space is full.
func (m *model) step(i int) {
	m.s.now += uint64(m.rng.IntN(3)) * sec
	k := m.alive[m.rng.IntN(len(m.alive))]
	switch m.rng.IntN(10) {
	case 0, 1, 2, 3:
		m.fork(k)
	case 4, 5, 6:
		name := fmt.Sprintf("prog%d", i)
		m.s.exec(k, name, name, "arg")
		m.all[k].name = name
	default:
		if k.TGID == 1 {
			return
		}
		m.s.exit(k)
		m.all[k].ended = m.s.now
		m.alive = slices.DeleteFunc(m.alive, func(o Key) bool { return o == k })
	}
}

func (m *model) fork(parent Key) {
	pid := 2 + uint32(m.rng.IntN(int(m.pids)))
	if slices.ContainsFunc(m.alive, func(k Key) bool { return k.TGID == pid }) {
		return
	}
	m.s.now++
	child := key(pid, m.s.now)
	m.s.fork(parent, child, m.all[parent].name)
	m.all[child] = &modelProcess{parent: parent, name: m.all[parent].name}
	m.alive = append(m.alive, child)
}

// check compares everything that must still be known.
func (m *model) check(t *testing.T) {
	t.Helper()
	require.Equal(t, len(m.alive), m.s.tab.Stats().Alive)
	for k, want := range m.all {
		p, ok := m.s.tab.Lookup(k)
		if want.ended == 0 || m.s.now < want.ended+60*sec {
			require.True(t, ok, "%v is gone", k)
		}
		if !ok {
			continue
		}
		require.Equal(t, want.name, p.Name)
		require.Equal(t, want.parent, p.Parent)
		require.Equal(t, want.ended == 0, p.Alive())
	}
	for _, k := range m.alive {
		var want, got []string
		for a := m.all[k].parent; a != (Key{}); a = m.all[a].parent {
			want = append(want, m.all[a].name)
		}
		for _, p := range m.s.tab.AppendAncestors(nil, k, MaxAncestors) {
			got = append(got, p.Name)
		}
		require.Equal(t, want[:min(len(want), MaxAncestors)], got, "ancestors of the living are never forgotten")
		p, ok := m.s.tab.LookupPID(k.TGID)
		require.True(t, ok)
		require.Equal(t, k, p.Key)
	}
}

func TestTableAgreesWithModel(t *testing.T) {
	for seed := range uint64(20) {
		m := newModel(t, seed)
		for i := range 1500 {
			m.step(i)
			if i%100 == 0 {
				m.check(t)
			}
		}
		m.check(t)
		require.Zero(t, m.s.tab.Stats().Evicted)
		require.Zero(t, m.s.tab.Stats().MissedExits)
		checkLists(t, m.s.tab)
	}
}

// TestLossesDoNotConfuse drops events at random: what is left must stay
// consistent, and the table bounded.
func TestLossesDoNotConfuse(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := newScript(t, Options{Max: 64})
		known := []Key{key(1, 1)}
		for i := range uint64(3000) {
			s.now += sec / 4
			k := known[rng.IntN(len(known))]
			switch rng.IntN(4) {
			case 0:
				child := key(uint32(rng.IntN(80)), i)
				s.fork(k, child, "f")
				known = append(known, child)
			case 1:
				s.exec(k, "e")
			case 2:
				s.exit(k)
			default:
				ev := s.event(1, k, "s")
				ev.Task.Parent = known[rng.IntN(len(known))]
				s.tab.Apply(ev)
			}
			known = known[max(0, len(known)-100):]
			if i%100 == 0 {
				checkLists(t, s.tab)
			}
		}
	}
}

// checkLists verifies the table's own bookkeeping.
func checkLists(t *testing.T, tab *Table) {
	t.Helper()
	refs := make(map[*entry]int)
	alive := 0
	for k, e := range tab.entries {
		require.Equal(t, k, e.p.Key)
		require.False(t, e.gone)
		if e.parent != nil {
			refs[e.parent]++
		}
		if e.p.Alive() {
			alive++
			require.Same(t, tab.live, e.in)
		} else {
			require.NotSame(t, tab.live, e.in)
		}
	}
	for e, n := range refs {
		if !e.gone {
			require.Equal(t, n, e.refs)
		}
	}
	checkOrphans(t, tab)
	require.Equal(t, alive, tab.Stats().Alive)
	require.Len(t, tab.entries, tab.live.Len()+tab.ended.Len()+tab.pinned.Len())
	require.LessOrEqual(t, len(tab.entries), tab.max)
	for pid, e := range tab.byPID {
		require.Equal(t, pid, e.p.Key.TGID)
		require.False(t, e.gone)
	}
}

// checkOrphans compares the index of orphans with a look at every entry.
func checkOrphans(t *testing.T, tab *Table) {
	t.Helper()
	waiting := make(map[Key]family)
	for _, e := range tab.entries {
		parent := e.p.Parent
		if e.parent != nil || parent == (Key{}) || parent == e.p.Key {
			continue
		}
		if waiting[parent] == nil {
			waiting[parent] = make(family)
		}
		waiting[parent][e] = struct{}{}
	}
	require.Equal(t, waiting, tab.orphans)
}

// Children that are known before their parent get it when it comes, whatever
// makes it known, and no other process waits with them.
func TestOrphansFindTheirParent(t *testing.T) {
	s := newScript(t, Options{})
	parent, child, stranger := key(100, 1), key(101, 2), key(102, 3)
	for k, above := range map[Key]Key{child: parent, stranger: key(999, 9)} {
		ev := s.event(event.TypeSyscall, k, "s")
		ev.Task.Parent = above
		s.tab.Apply(ev)
	}
	require.Len(t, s.tab.orphans, 2)
	s.fork(key(1, 1), parent, "parent")
	above := s.tab.AppendAncestors(nil, child, 1)
	require.Len(t, above, 1)
	require.Equal(t, parent, above[0].Key)
	require.Len(t, s.tab.orphans, 2, "the parent waits for its own, and the stranger")
	s.exec(key(1, 1), "init")
	require.Len(t, s.tab.orphans, 1)
	checkLists(t, s.tab)
}
