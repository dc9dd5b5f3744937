package acts

import (
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
	"github.com/sightglass/sightglass/internal/process"
)

// lineage makes processes of "name/group", the acting one first.
func lineage(first uint32, names ...string) []*process.Process {
	var out []*process.Process
	for i, n := range names {
		name, group := filepath.Dir(n), filepath.Base(n)
		pgid, _ := strconv.ParseUint(group, 10, 32)
		out = append(out, &process.Process{Key: process.Key{TGID: first + uint32(i)}, Name: name, PGID: uint32(pgid)})
	}
	return out
}

func ruleOf(name string, p rules.Priority, tags ...string) *policy.Rule {
	return &policy.Rule{Name: name, Priority: p, Tags: tags}
}

func TestStepsOfAnAct(t *testing.T) {
	const shell, fetch = "act_shell", "act_fetch"
	bash := lineage(10, "bash/10", "sshd/1")
	child := append(lineage(20, "sh/10"), bash...)
	script := lineage(30, "sh/30", "cron/1")
	left, right := append(lineage(40, "nc/30"), script...), append(lineage(41, "sh/30"), script...)
	typed := append(lineage(42, "nc/42"), script...)
	server := lineage(50, "nginx/50")
	one, two := append(lineage(51, "sh/50"), server...), append(lineage(52, "sh/50"), server...)
	next := append(lineage(43, "nc/30"), script...)
	next[0].Key.Start, left[0].Ended = 200, 100
	terminal := lineage(60, "bash/60", "sshd/1")
	terminal[0].TTY = 136 << 8
	command := append(lineage(61, "nc/61"), terminal...)
	var seen []*process.Process
	for _, kin := range [][]*process.Process{left, right, typed, next, bash, child, one, two, terminal, command} {
		seen = append(seen, kin...)
	}
	lookup := func(k process.Key) (*process.Process, bool) {
		i := slices.IndexFunc(seen, func(p *process.Process) bool { return p.Key == k })
		return seen[max(i, 0)], i >= 0
	}
	at := func(d time.Duration) int64 { return 1_700_000_000_000_000_000 + int64(d) }

	type match struct {
		rule *policy.Rule
		kin  []*process.Process
		at   int64
		told bool
	}
	worst, bad, other := ruleOf("worst", rules.Critical, shell), ruleOf("bad", rules.Error, shell), ruleOf("other", rules.Error, fetch)
	both := ruleOf("both", rules.Error, fetch, shell)
	for name, matches := range map[string][]match{
		"the same process":             {{worst, bash, at(0), true}, {bad, bash, at(time.Second), false}, {worst, bash, at(time.Second), false}},
		"what it starts":               {{worst, bash, at(0), true}, {bad, child, at(time.Second), false}},
		"a pipeline":                   {{bad, left, at(0), true}, {bad, right, at(0), false}},
		"the next command of a script": {{bad, left, at(0), true}, {bad, next, at(0), true}},
		"what is typed":                {{bad, terminal, at(0), true}, {bad, command, at(0), true}, {bad, terminal, at(0), false}},
		"another command of the shell": {{bad, left, at(0), true}, {bad, typed, at(0), true}},
		"two children of a server":     {{bad, one, at(0), true}, {bad, two, at(0), true}},
		"what is worse":                {{bad, bash, at(0), true}, {worst, child, at(1), true}, {bad, bash, at(2), false}},
		"another act":                  {{worst, bash, at(0), true}, {other, bash, at(0), true}},
		"one of two acts":              {{other, bash, at(0), true}, {both, bash, at(0), false}},
		"a rule about no act":          {{worst, bash, at(0), true}, {ruleOf("x", rules.Notice), bash, at(0), true}},
		"later":                        {{worst, bash, at(0), true}, {bad, bash, at(pauses + 1), true}},
		"it goes on":                   {{worst, bash, at(0), true}, {bad, bash, at(pauses), false}, {bad, bash, at(2 * pauses), false}},
		"long before":                  {{worst, bash, at(pauses + 1), true}, {bad, bash, at(0), true}},
		"nobody is known":              {{worst, nil, at(0), true}, {bad, nil, at(0), true}},
	} {
		t.Run(name, func(t *testing.T) {
			a := New()
			a.lookup = lookup
			for i, m := range matches {
				first, v := a.Step(m.rule, "", m.at, slices.Values(m.kin), always)
				want := Step
				if m.told {
					want = Told
				}
				require.Equal(t, want, v, i)
				require.Equal(t, !m.told, first != "", i)
			}
		})
	}
}

// inRoot is a program in a root directory, started by a process of its own.
func inRoot(pid uint32, path, root string, ns uint32) []*process.Process {
	kin := lineage(pid, "x/1", "debootstrap/1")
	kin[0].Path, kin[0].Root, kin[0].RootNS = path, root, ns
	return kin
}

// A root directory is where somebody builds a system: programs in it that are run
// from there are one act of who does that. Nothing else hides behind it.
func TestProgramsInOneRoot(t *testing.T) {
	const tmp = "/tmp/deb"
	warning, other := ruleOf("warning", rules.Warning, tagProgram), ruleOf("other", rules.Warning, tagProgram)
	worse, shell := ruleOf("worse", rules.Critical, tagProgram), ruleOf("shell", rules.Warning, "act_shell")
	type match struct {
		rule *policy.Rule
		kin  []*process.Process
		want Verdict
	}
	told := match{warning, inRoot(10, tmp+"/bin/sh", tmp, 1), Told}
	for name, matches := range map[string][]match{
		"the next program":           {told, {warning, inRoot(20, tmp+"/bin/ls", tmp, 1), Step}},
		"one from outside":           {told, {warning, inRoot(20, "/tmp/x", tmp, 1), Told}},
		"one from memory":            {told, {warning, inRoot(20, "memfd:x", tmp, 1), Told}},
		"one beside the root":        {told, {warning, inRoot(20, tmp+"ian/x", tmp, 1), Told}},
		"one that stayed outside":    {told, {warning, inRoot(20, tmp+"/bin/ls", "", 0), Told}},
		"another root":               {told, {warning, inRoot(20, "/tmp/x/bin/ls", "/tmp/x", 1), Told}},
		"the same name in a mount":   {told, {warning, inRoot(20, tmp+"/bin/ls", tmp, 2), Told}},
		"another rule":               {told, {other, inRoot(20, tmp+"/bin/ls", tmp, 1), Told}},
		"what is worse":              {told, {worse, inRoot(20, tmp+"/bin/ls", tmp, 1), Told}},
		"a rule about something":     {{shell, told.kin, Told}, {shell, inRoot(20, tmp+"/bin/sh", tmp, 1), Told}},
		"who has no root of its own": {{warning, inRoot(10, "/tmp/x", "", 0), Told}, {warning, inRoot(20, "/tmp/x", "", 0), Told}},
	} {
		t.Run(name, func(t *testing.T) {
			a := New()
			for i, m := range matches {
				for _, p := range m.kin {
					p.Key.TGID += 1000 * uint32(i) // nobody in common
				}
				_, v := a.Step(m.rule, "", 1, slices.Values(m.kin), always)
				require.Equal(t, m.want, v, i)
			}
			_, v := a.Step(warning, "", 2+int64(pauses), slices.Values(inRoot(9000, tmp+"/bin/ls", tmp, 1)), always)
			require.Equal(t, Told, v, "later it is another act")
		})
	}
}

func TestActsAreBounded(t *testing.T) {
	a := New()
	r := ruleOf("r", rules.Error, "act_x")
	told := func(pid uint32, at int64) bool {
		_, v := a.Step(r, "", at, slices.Values(lineage(pid, "x/1")), always)
		return v == Told
	}
	for pid := range uint32(maxActs + 100) {
		require.True(t, told(pid, 1))
	}
	require.Len(t, a.told, maxActs)
	require.False(t, told(0, 2), "it was remembered")
	require.True(t, told(maxActs+1, 2), "there is no room: it is told again, not hidden")
	require.True(t, told(maxActs+1, 1+2*int64(pauses)))
	require.Len(t, a.told, 1, "what is over has made room")

	for i := range 3 * maxSteps {
		_, v := a.Step(r, "", 1+2*int64(pauses), slices.Values(lineage(maxActs+1, "x/1")), always)
		want := Step
		if i >= maxSteps {
			want = Follows
		}
		require.Equal(t, want, v)
	}
	for i := range int64(100) {
		at := int64(time.Hour) + i*int64(pauses)
		require.Equal(t, i%31 == 0, told(7, at), "however long it goes on, it is told now and then: %d", i)
	}
	var off *Acts
	_, v := off.Step(r, "", 0, slices.Values(lineage(1, "x/1")), always)
	require.Equal(t, Told, v)
}

// always is a rate limit that allows everything.
func always(bool) bool { return true }

// Of an act that the rate limit keeps nothing leaves, until something worse does;
// and what is worse than what has left does as well.
func TestWhatLeavesOfAnAct(t *testing.T) {
	tag := "act_x"
	warning, bad, worst := ruleOf("warning", rules.Warning, tag), ruleOf("bad", rules.Error, tag), ruleOf("worst", rules.Critical, tag)
	type match struct {
		rule    *policy.Rule
		allowed bool
		want    Verdict
	}
	for name, matches := range map[string][]match{
		"the worst is kept":        {{worst, false, Suppressed}, {bad, true, Follows}, {worst, true, Follows}},
		"then something worse":     {{warning, false, Suppressed}, {bad, true, Told}, {warning, true, Step}},
		"which is kept":            {{warning, false, Suppressed}, {bad, false, Suppressed}, {warning, true, Follows}},
		"it must follow the first": {{warning, true, Told}, {worst, false, Told}, {bad, false, Step}},
	} {
		t.Run(name, func(t *testing.T) {
			a := New()
			for i, m := range matches {
				_, v := a.Step(m.rule, "", 1, slices.Values(lineage(7, "x/7")), func(must bool) bool { return must || m.allowed })
				require.Equal(t, m.want, v, i)
			}
		})
	}
}
