package securitypolicyprocessor

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
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
		"later":                        {{worst, bash, at(0), true}, {bad, bash, at(actPauses + 1), true}},
		"it goes on":                   {{worst, bash, at(0), true}, {bad, bash, at(actPauses), false}, {bad, bash, at(2 * actPauses), false}},
		"long before":                  {{worst, bash, at(actPauses + 1), true}, {bad, bash, at(0), true}},
		"nobody is known":              {{worst, nil, at(0), true}, {bad, nil, at(0), true}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newActs()
			a.lookup = lookup
			for i, m := range matches {
				first, v := a.step(m.rule, m.at, slices.Values(m.kin), always)
				want := verdictStep
				if m.told {
					want = verdictTold
				}
				require.Equal(t, want, v, i)
				require.Equal(t, !m.told, first != "", i)
			}
		})
	}
}

func TestActsAreBounded(t *testing.T) {
	a := newActs()
	r := ruleOf("r", rules.Error, "act_x")
	told := func(pid uint32, at int64) bool {
		_, v := a.step(r, at, slices.Values(lineage(pid, "x/1")), always)
		return v == verdictTold
	}
	for pid := range uint32(maxActs + 100) {
		require.True(t, told(pid, 1))
	}
	require.Len(t, a.told, maxActs)
	require.False(t, told(0, 2), "it was remembered")
	require.True(t, told(maxActs+1, 2), "there is no room: it is told again, not hidden")
	require.True(t, told(maxActs+1, 1+2*int64(actPauses)))
	require.Len(t, a.told, 1, "what is over has made room")

	for i := range 3 * maxSteps {
		_, v := a.step(r, 1+2*int64(actPauses), slices.Values(lineage(maxActs+1, "x/1")), always)
		want := verdictStep
		if i >= maxSteps {
			want = verdictFollows
		}
		require.Equal(t, want, v)
	}
	for i := range int64(100) {
		at := int64(time.Hour) + i*int64(actPauses)
		require.Equal(t, i%31 == 0, told(7, at), "however long it goes on, it is told now and then: %d", i)
	}
	var off *acts
	_, v := off.step(r, 0, slices.Values(lineage(1, "x/1")), always)
	require.Equal(t, verdictTold, v)
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
		want    verdict
	}
	for name, matches := range map[string][]match{
		"the worst is kept":        {{worst, false, verdictSuppressed}, {bad, true, verdictFollows}, {worst, true, verdictFollows}},
		"then something worse":     {{warning, false, verdictSuppressed}, {bad, true, verdictTold}, {warning, true, verdictStep}},
		"which is kept":            {{warning, false, verdictSuppressed}, {bad, false, verdictSuppressed}, {warning, true, verdictFollows}},
		"it must follow the first": {{warning, true, verdictTold}, {worst, false, verdictTold}, {bad, false, verdictStep}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newActs()
			for i, m := range matches {
				_, v := a.step(m.rule, 1, slices.Values(lineage(7, "x/7")), func(must bool) bool { return must || m.allowed })
				require.Equal(t, m.want, v, i)
			}
		})
	}
	limit := newLimiter(RateLimitConfig{Burst: 1, Interval: time.Minute})
	ask := func(must bool) bool {
		return limit.allow(time.Unix(1, 0), worst, nil, pcommon.NewResource(), 1, must)
	}
	require.True(t, ask(true))
	require.False(t, ask(false), "it was counted")
	require.True(t, ask(true))
}

const rulesOfAnAct = `
- rule: Worst
  desc: x
  condition: evt.type = connect
  output: worst
  priority: CRITICAL
  tags: [act_shell]
- rule: Bad
  desc: x
  condition: evt.type = dup2
  output: bad
  priority: ERROR
  tags: [act_shell]
`

// Of two rules about one act one detection is made; the other match is a record
// that calls nobody, unless each match is asked for.
func TestAnActIsToldOnce(t *testing.T) {
	table := process.New(process.Options{Proc: t.TempDir()})
	t.Cleanup(process.Publish(table))
	key := process.Key{TGID: 7, Start: 70}
	table.Apply(&event.Event{Header: event.Header{Type: event.TypeExec, Key: key, Time: 80}, Task: event.Task{Comm: []byte("bash"), PGID: 7}})

	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte(rulesOfAnAct), 0o600))
	// What happens later comes first in the batch, as it is another service's.
	batch := func() plog.Logs {
		ld := plog.NewLogs()
		for i, name := range []string{"dup2", "connect"} {
			rec := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			rec.SetEventName(schema.EventSyscall)
			rec.SetTimestamp(1_700_000_000_000_000_000 - pcommon.Timestamp(i))
			rec.Attributes().PutStr(schema.SyscallName, name)
			rec.Attributes().PutStr(schema.ProcessKey, string(process.AppendKey(nil, key)))
		}
		return ld
	}
	for matching, want := range map[string]string{matchFirst: schema.EventPolicyStep, matchAll: schema.EventPolicyMatch} {
		sink := new(consumertest.LogsSink)
		proc := started(t, testConfig(func(c *Config) { c.RulesFiles, c.RuleMatching, c.Keep = []string{path}, matching, nil }), sink)
		require.NoError(t, proc.ConsumeLogs(t.Context(), batch()))
		require.Equal(t, 2, sink.LogRecordCount())
		told := map[string]plog.LogRecord{}
		for _, rl := range sink.AllLogs()[0].ResourceLogs().All() {
			rec := rl.ScopeLogs().At(0).LogRecords().At(0)
			rule, _ := rec.Attributes().Get(schema.RuleName)
			told[rule.Str()] = rec
		}
		require.Equal(t, schema.EventPolicyMatch, told["Worst"].EventName())
		require.Equal(t, plog.SeverityNumberError2, told["Worst"].SeverityNumber())
		second := told["Bad"]
		require.Equal(t, want, second.EventName())
		first, ok := second.Attributes().Get(schema.PolicyFollows)
		require.Equal(t, matching == matchFirst, ok)
		if ok {
			require.Equal(t, "Worst", first.Str())
			require.Equal(t, plog.SeverityNumberInfo, second.SeverityNumber())
			require.Equal(t, "Error", second.SeverityText())
			priority, _ := second.Attributes().Get(schema.RulePriority)
			require.Equal(t, "Error", priority.Str())
		}
	}
}
