package policy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
	"github.com/sightglass/sightglass/internal/policy/plan"
	"github.com/sightglass/sightglass/internal/policy/policytest"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

func loadText(tb testing.TB, text string, opts *policy.Options) *policy.RuleSet {
	tb.Helper()
	set, res := policy.Load([]policy.File{{Name: "f.yaml", Content: []byte(text)}}, opts)
	require.True(tb, res.OK(), res)
	require.NoError(tb, res.Err())
	return set
}

func ruleText(name, cond string, more ...string) string {
	return "- rule: " + name + "\n  desc: d\n  output: o %proc.name\n  priority: error\n  warn_evttypes: false\n  condition: >-\n    " +
		cond + "\n" + strings.Join(more, "")
}

func matches(set *policy.RuleSet, src field.Source) (names []string) {
	set.Match(src, func(m *policy.Match) { names = append(names, m.Rule.Name) })
	return names
}

func TestSelection(t *testing.T) {
	text := ruleText("alpha one", "evt.type = open", "  tags: [x]\n") + ruleText("alpha two", "evt.type = open", "  enabled: false\n") +
		ruleText("beta", "evt.type = open", "  tags: [x, y]\n")
	event := policytest.NewEvent("open")
	for _, tt := range []struct {
		sel  []policy.Selection
		want []string
	}{
		{nil, []string{"alpha one", "beta"}},
		{[]policy.Selection{{Rule: "alpha"}}, []string{"beta"}},
		{[]policy.Selection{{Rule: "alpha", Enable: true}}, []string{"alpha one", "alpha two", "beta"}},
		{[]policy.Selection{{Rule: "*two", Enable: true}, {Tag: "y"}}, []string{"alpha one", "alpha two"}},
		{[]policy.Selection{{Rule: "alp*ta"}, {Tag: "x", Rule: "beta"}}, []string{"alpha one"}},
		{[]policy.Selection{{}}, []string{"alpha one", "beta"}},
	} {
		set := loadText(t, text, &policy.Options{All: true, Select: tt.sel})
		require.Equal(t, tt.want, matches(set, event))
		require.Len(t, set.Rules(), 3)
	}
}

func TestMeant(t *testing.T) {
	set := loadText(t, ruleText("alpha one", "evt.type = open", "  tags: [x]\n  enabled: false\n"), nil)
	for sel, want := range map[policy.Selection]bool{
		{Rule: "alpha"}: true, {Rule: "*ONE"}: false, {Rule: "*one", Enable: true}: true,
		{Tag: "x"}: true, {Tag: "X"}: false, {Tag: "x", Rule: "beta"}: false, {}: false,
	} {
		require.Equal(t, want, set.Meant(&sel), sel)
	}
}

func TestWhatASetWants(t *testing.T) {
	set := loadText(t, ruleText("a", "evt.type in (open, openat) and proc.env exists")+ruleText("b", "evt.type = close", "  enabled: false\n"), nil)
	require.ElementsMatch(t, []string{"open", "openat"}, set.EventTypes())
	require.True(t, set.Wants("open"))
	require.False(t, set.Wants("close"))
	require.False(t, set.Wants("no_such_call"))
	require.True(t, set.Uses("proc.env"))
	require.True(t, set.Uses("proc.name"), "in the output")
	require.False(t, set.Uses("fd.name"))
}

func TestWhatASetReads(t *testing.T) {
	extra := &policy.Options{Options: rules.Options{AppendOutput: []rules.AppendOutput{{Fields: []string{"proc.env"}}}}}
	for condition, want := range map[string]bool{
		"evt.type = open": false,
		"evt.type = execve and proc.env[LD_PRELOAD] = x": true,
		"evt.type = execve and proc.aenv contains x":     true,
		"evt.type = execve and evt.arg.env contains x":   true,
		"evt.type = execve and evt.args contains x":      false,
		"evt.type = execve and evt.arg.flags contains x": false,
	} {
		require.Equal(t, want, loadText(t, ruleText("a", condition), nil).Reads(field.AttrProcEnv), condition)
		require.True(t, loadText(t, ruleText("a", condition), extra).Reads(field.AttrProcEnv), condition)
		require.False(t, loadText(t, ruleText("a", condition, "  enabled: false\n"), extra).Reads(field.AttrProcEnv), condition)
	}
}

func TestMatchParts(t *testing.T) {
	set := loadText(t, ruleText("r", "evt.type = open", "  tags: [t]\n"), &policy.Options{Options: rules.Options{AppendOutput: []rules.AppendOutput{{
		Fields: []string{"proc.pid", "proc.name"}, Formatted: []rules.NamedFormat{{Key: "who", Format: "<%proc.name>"}},
	}}}})
	e := policytest.NewEvent("open").Set("process.executable.name", "cat").Set("process.pid", 7)
	e.When = 5
	called := 0
	set.Match(e, func(m *policy.Match) {
		called++
		require.Equal(t, "o cat", m.Output())
		require.Equal(t, int64(5), m.Time())
		fields := map[string]string{}
		m.Fields(func(f *output.Field, v *field.Value) { fields[f.Key] = string(f.AppendText(nil, v)) })
		require.Equal(t, map[string]string{"proc.name": "cat", "proc.pid": "7"}, fields)
		alert := m.Alert("host")
		var parsed map[string]any
		require.NoError(t, json.Unmarshal(alert.AppendJSON(nil), &parsed))
		require.Equal(t, "Error", parsed["priority"])
		require.Equal(t, map[string]any{"evt.time": 5.0, "proc.name": "cat", "proc.pid": 7.0, "who": "<cat>"}, parsed["output_fields"])
	})
	require.Equal(t, 1, called)
}

func TestErrorsAreTold(t *testing.T) {
	set, res := policy.Load([]policy.File{{Name: "f.yaml", Content: []byte(ruleText("r", "nosuch.field = 1"))}}, nil)
	require.Nil(t, set)
	require.ErrorContains(t, res.Err(), "f.yaml:7:5: rule \"r\": unknown field nosuch.field")
	data, err := res.JSON()
	require.NoError(t, err)
	require.Contains(t, string(data), `"falco_load_results":[{"name":"f.yaml","successful":false`)
}

func TestEventsAreCounted(t *testing.T) {
	set := loadText(t, ruleText("third", "evt.num = 3"), nil)
	m := set.NewMatcher()
	hits := 0
	for range 5 {
		m.Match(policytest.NewEvent("open"), func(*policy.Match) { hits++ })
	}
	require.Equal(t, 1, hits)
}

func TestConcurrentUse(t *testing.T) {
	set := loadText(t, ruleText("a", "evt.type = open and proc.cmdline contains target"), nil)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 200 {
				name := fmt.Sprint("x", i, k)
				e := policytest.NewEvent("open").Set("process.executable.name", name)
				e.Set("process.command_args", []string{name, "target"})
				if got := matches(set, e); len(got) != 1 {
					t.Errorf("%v", got)
				}
			}
		})
	}
	wg.Wait()
}

// randomCondition builds a condition over few fields and values, so that
// random events match now and then.
func randomCondition(r *rand.Rand, depth int) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	if depth > 0 {
		switch r.IntN(4) {
		case 0:
			return "(" + randomCondition(r, depth-1) + " and " + randomCondition(r, depth-1) + ")"
		case 1:
			return "(" + randomCondition(r, depth-1) + " or " + randomCondition(r, depth-1) + ")"
		case 2:
			return "not " + randomCondition(r, depth-1)
		}
	}
	kind := pick("open", "close", "execve")
	name := pick("a", "b", "c")
	return pick(
		"evt.type = "+kind, "evt.type != "+kind, "evt.type in (open, "+kind+")", "evt.type = oneof ("+kind+", close)",
		"proc.name = "+name, "proc.name in ("+name+", c)", "proc.name != "+name, "proc.exepath = "+name,
		"proc.aname = "+name, "proc.pid > 1", "evt.num > 0", "evt.num = 0", "proc.name exists", "proc.pname in (a, "+name+")",
	)
}

func randomEvent(r *rand.Rand) *policytest.Event {
	kinds, names := []string{"open", "close", "execve", "new_call"}, []string{"a", "b", "c"}
	e := policytest.NewEvent(kinds[r.IntN(len(kinds))])
	if r.IntN(4) > 0 {
		e.Set("process.executable.name", names[r.IntN(3)])
	}
	if r.IntN(2) > 0 {
		e.Set("process.executable.path", names[r.IntN(3)])
	}
	if r.IntN(2) > 0 {
		e.Set("process.pid", r.IntN(3))
	}
	e.Chain = append(e.Chain, field.Process{PID: 9, Name: "self"})
	for range r.IntN(3) {
		e.Chain = append(e.Chain, field.Process{PID: int64(len(e.Chain) + 10), Name: names[r.IntN(3)]})
	}
	return e
}

// The index only leaves out rules that cannot match: evaluating every rule on
// its own gives the same matches.
func TestIndexChangesNoVerdict(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a fixed seed makes the test repeatable
	var text strings.Builder
	for i := range 150 {
		text.WriteString(ruleText(fmt.Sprint("r", i), randomCondition(r, 3)))
	}
	set := loadText(t, text.String(), &policy.Options{All: true})
	nodes := make([]plan.Node, len(set.Rules()))
	contexts := make([]*plan.Context, len(nodes))
	for i, rule := range set.Rules() {
		b := plan.NewBuilder(nil)
		cond := b.Add(rule.Checked.Expr)
		contexts[i] = b.Build().NewContext()
		nodes[i] = cond.Node()
	}
	total := 0
	for range 1000 {
		e := randomEvent(r)
		event, _ := events.ByName(e.EventType())
		var want []string
		for i, n := range nodes {
			contexts[i].Begin(e, event)
			if n.Eval(contexts[i]) && (event != nil || set.Rules()[i].Types.Len() == events.Count()) {
				want = append(want, set.Rules()[i].Name)
			}
		}
		total += len(want)
		require.Equal(t, want, matches(set, e))
	}
	require.Greater(t, total, 500, "the events must match something")
}

func TestEvalInputForms(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want bool
	}{
		{`{"filter": "proc.pid = 5", "fields": {"proc.pid": {"type": "INT64", "value": 5}}}`, true},
		{`{"filter": "proc.pid = 5", "fields": {"proc.pid": {"type": "INT64", "value": "5", "raw_hex": "05"}}}`, true},
		{`{"filter": "proc.pid exists", "fields": {"proc.pid": {"type": "INT64", "value": "0", "raw_hex": [""]}}}`, false},
		{`{"filter": "proc.pid exists", "fields": {"proc.pid": {"type": "INT64", "value": null}}}`, false},
		{`{"filter": "proc.pid exists", "fields": {}}`, false},
		{`{"filter": "proc.pid exists", "fields": {"proc.pid": null}}`, false},
		{`{"filter": "proc.pid = -22", "fields": {"proc.pid": {"type": "INT64", "raw_hex": ["eaffffffffffffff"]}}}`, true},
		{`{"filter": "evt.rawarg.res = -2", "fields": {"evt.rawarg.res": {"type": "INT8", "raw_hex": "fe"}}}`, true},
		{`{"filter": "fd.sport = 443", "fields": {"fd.sport": {"type": "PORT", "raw_hex": ["bb01"]}}}`, true},
		{`{"filter": "evt.is_io = true", "fields": {"evt.is_io": {"type": "BOOL", "raw_hex": ["01000000"]}}}`, true},
		{`{"filter": "proc.name = \"\"", "fields": {"proc.name": {"type": "CHARBUF", "value": ""}}}`, true},
		{`{"filter": "evt.is_io = true", "fields": {"evt.is_io": {"type": "BOOL", "value": true}}}`, true},
		{`{"filter": "fd.types intersects (ipv4)", "fields": {"fd.types": {"type": "CHARBUF", "list": true, "value": "(file,ipv4)"}}}`, true},
		{`{"filter": "fd.types in (ipv4)", "fields": {"fd.types": {"type": "CHARBUF", "list": true, "value": ["file", "ipv4"]}}}`, false},
		{`{"filter": "fd.sip = ::1", "fields": {"fd.sip": {"type": "IPADDR", "value": "", "raw_hex": ["00000000000000000000000000000001"]}}}`, true},
		{`{"filter": "fd.snet = 10.0.0.0/8", "fields": {"fd.snet": {"type": "IPNET", "value": "10.1.2.3"}}}`, true},
		{`{"filter": "fd.ip = 10.0.0.2", "fields": {"fd.sip": {"type": "IPADDR", "value": "10.0.0.2"}}}`, true},
		{`{"filter": "fd.ip != 10.0.0.2", "fields": {"fd.sip": {"type": "IPADDR", "value": "10.0.0.2"}, "fd.cip": {"type": "IPADDR", "value": "10.0.0.1"}}}`, false},
		{`{"filter": "thread.cpu > 1", "fields": {"thread.cpu": {"type": "DOUBLE", "value": "1.5"}}}`, true},
		{`{"filter": "evt.rawarg.cmd = 7", "fields": {"evt.rawarg.cmd": {"type": "ENUMFLAGS32", "value": "7"}}}`, true},
		{`{"filter": "evt.type = open", "evt_name": "open"}`, true},
		{`{"filter": "not evt.type exists"}`, true},
		{`{"filter": "proc.pid = 1", "evt_name": "theirs", "fields": {"proc.pid": {"type": "INT64", "value": "1"}}}`, true},
		{`{"filter": "evt.type = open", "evt_name": "theirs", "fields": {"evt.type": {"type": "CHARBUF", "value": "open"}}}`, true},
		{`{"filter": "proc.aname = b", "fields": {"proc.aname": {"type": "CHARBUF", "value": "a b"}}}`, true},
		{`{"filter": "proc.aname[2] = b", "fields": {"proc.aname[2]": {"type": "CHARBUF", "value": "b"}}}`, true},
		{`{"filter": "proc.apid = 4", "fields": {"proc.apid": {"type": "INT64", "value": "4"}}}`, true},
		{`{"filter": "fd.sip.name = a.b", "fields": {"fd.sip.name": {"type": "CHARBUF", "value": "a.b"}}}`, true},
	} {
		var in policy.EvalInput
		require.NoError(t, json.Unmarshal([]byte(tt.in), &in), tt.in)
		got, err := policy.EvalFilter(&in)
		require.NoError(t, err, tt.in)
		require.Equal(t, tt.want, got, tt.in)
	}
	for _, bad := range []string{
		`{"filter": "proc.pid = "}`, `{"filter": "proc.nobody = 1"}`, `{"filter": "proc.pid = 1", "fields": {"proc.pid": {"type": "NOPE"}}}`,
		`{"filter": "proc.pid = 1", "fields": {"proc.pid": {"type": "INT64", "value": "x"}}}`,
		`{"filter": "proc.pid = 1", "fields": {"proc.pid": {"type": "INT64", "raw_hex": ["0"]}}}`,
		`{"filter": "fd.sip = ::1", "fields": {"fd.sip": {"type": "IPADDR", "value": "x"}}}`,
		`{"filter": "evt.type = nope"}`,
		`{"filter": "not evt.type = open", "evt_name": "opne"}`,
		`{"filter": "syscall.type = open", "evt_name": "opne"}`,
	} {
		var in policy.EvalInput
		require.NoError(t, json.Unmarshal([]byte(bad), &in), bad)
		_, err := policy.EvalFilter(&in)
		require.Error(t, err, bad)
	}
}
