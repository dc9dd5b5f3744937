package policies_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.yaml.in/yaml/v3"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/rules"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/policies"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor"
)

func plogTimestamp(i int) pcommon.Timestamp { return pcommon.Timestamp(i) }

// scenario is what a rule has to fire on and what it has to leave alone.
type scenario struct {
	rule   string
	fires  []activity
	silent []activity
}

// scenarios are in a file for each file of policies, in the order of its rules.
var scenarios = slices.Concat(miningScenarios, escapeScenarios, shellsScenarios, persistenceScenarios, kubernetesScenarios, executionScenarios,
	loginsScenarios, credentialsScenarios, evasionScenarios, networkScenarios, filesScenarios, containersScenarios)

// armed is the processor with the embedded policies and nothing kept.
type armed struct {
	t    *testing.T
	sink *consumertest.LogsSink
	eat  func(plog.Logs) error
}

func arm(t *testing.T, matching string) *armed {
	t.Helper()
	factory := securitypolicyprocessor.NewFactory()
	cfg := factory.CreateDefaultConfig().(*securitypolicyprocessor.Config)
	cfg.Keep, cfg.RuleMatching, cfg.RateLimit.Burst = nil, matching, 0
	sink := new(consumertest.LogsSink)
	proc, err := factory.CreateLogs(t.Context(), processortest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, proc.Shutdown(context.WithoutCancel(t.Context()))) })
	return &armed{t: t, sink: sink, eat: func(ld plog.Logs) error { return proc.ConsumeLogs(t.Context(), ld) }}
}

// detections are the records that activities lead to.
func (a *armed) detections(ld plog.Logs) []plog.LogRecord {
	a.t.Helper()
	a.sink.Reset()
	require.NoError(a.t, a.eat(ld))
	var out []plog.LogRecord
	for _, ld := range a.sink.AllLogs() {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, rec := range sl.LogRecords().All() {
					out = append(out, rec)
				}
			}
		}
	}
	return out
}

// fired are the names of the rules that match one activity.
func (a *armed) fired(what activity) []string {
	a.t.Helper()
	var names []string
	for _, rec := range a.detections(logs(a.t, what)) {
		names = append(names, ruleOf(rec))
	}
	return names
}

func ruleOf(rec plog.LogRecord) string {
	name, _ := rec.Attributes().Get(schema.RuleName)
	return name.Str()
}

func TestPolicies(t *testing.T) {
	a := arm(t, "all")
	for _, s := range scenarios {
		for i, what := range s.fires {
			require.Contains(t, a.fired(what), s.rule, "must fire on case %d: %v", i, what)
		}
		for i, what := range s.silent {
			require.NotContains(t, a.fired(what), s.rule, "must be silent on case %d: %v", i, what)
		}
	}
}

// What a later file defines again replaces what an earlier one says, in all
// rules and without a word: among our own files that would be a mistake.
func TestNothingIsDefinedTwice(t *testing.T) {
	files, err := policies.Files()
	require.NoError(t, err)
	seen := map[string]string{}
	for _, f := range files {
		var items []map[string]any
		require.NoError(t, yaml.Unmarshal(f.Content, &items), f.Name)
		for _, item := range items {
			for _, kind := range []string{"list", "macro", "rule"} {
				if item[kind] == nil {
					continue
				}
				name := fmt.Sprint(kind, " ", item[kind])
				require.Empty(t, seen[name], "%s of %s is defined in another place, too", name, f.Name)
				seen[name] = f.Name
			}
		}
	}
	require.NotEmpty(t, seen)
}

func TestEveryPolicyHasScenarios(t *testing.T) {
	var tested []string
	for _, s := range scenarios {
		require.NotEmpty(t, s.fires, s.rule)
		require.NotEmpty(t, s.silent, s.rule)
		require.NotContains(t, tested, s.rule)
		tested = append(tested, s.rule)
	}
	var all []string
	for _, r := range loaded(t).Rules() {
		all = append(all, r.Name)
	}
	require.ElementsMatch(t, all, tested)
}

// With the default of one detection per event, the most severe rule that
// matches must be the one that is told.
func TestTheMostSevereRuleComesFirst(t *testing.T) {
	first, all := arm(t, "first"), arm(t, "all")
	for _, s := range scenarios {
		for _, what := range s.fires {
			one := first.detections(logs(t, what))
			require.Len(t, one, 1)
			for _, other := range all.detections(logs(t, what)) {
				require.LessOrEqual(t, other.SeverityNumber(), one[0].SeverityNumber(),
					"%s hides %s on %v", ruleOf(one[0]), ruleOf(other), what)
			}
		}
	}
}

var technique = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)

func TestEveryPolicyIsDescribed(t *testing.T) {
	for _, r := range loaded(t).Rules() {
		require.NotEmpty(t, r.Desc, r.Name)
		require.NotEmpty(t, r.Remedy, r.Name)
		require.NotEmpty(t, r.Reference, r.Name)
		require.Contains(t, r.Output.Text, "%proc.cmdline", r.Name)
		require.Contains(t, r.Output.Text, "%container.name", r.Name)
		require.True(t, slices.ContainsFunc(r.Tags, func(tag string) bool { return strings.HasPrefix(tag, "mitre_") }), r.Name)
		require.True(t, slices.ContainsFunc(r.Tags, technique.MatchString), r.Name)
		require.True(t, r.Enabled, r.Name)
		require.Less(t, r.Types.Len(), 40, "%s is evaluated on too many events", r.Name)
	}
}

// Every call that a policy names is one that the agent captures.
func TestPoliciesNameOnlyCapturedCalls(t *testing.T) {
	for _, r := range loaded(t).Rules() {
		for _, name := range r.Types.Names() {
			require.True(t, name == interest.FileModified || syscalls.Lookup(name) != nil, "%s: %s", r.Name, name)
		}
	}
}

// The kernel cuts the names of processes: a longer one never matches.
func TestNamesOfProcessesAreNotTooLong(t *testing.T) {
	for _, r := range loaded(t).Rules() {
		eachTest(r.Checked.Expr, func(test *check.Test) {
			if ref := test.Left.Ref; ref == nil || !slices.Contains([]string{"proc.name", "proc.pname"}, ref.Name) && ref.Field.Name != "proc.aname" {
				return
			}
			for _, v := range test.Values {
				assert.LessOrEqual(t, len(v.Text), 15, "%s: %s", r.Name, v.Text)
			}
		})
	}
}

func eachTest(e check.Expr, visit func(*check.Test)) {
	switch e := e.(type) {
	case *check.And:
		for _, c := range e.Children {
			eachTest(c, visit)
		}
	case *check.Or:
		for _, c := range e.Children {
			eachTest(c, visit)
		}
	case *check.Not:
		eachTest(e.Child, visit)
	case *check.Test:
		visit(e)
	}
}

func loaded(t *testing.T) *policy.RuleSet {
	t.Helper()
	files, err := policies.Files()
	require.NoError(t, err)
	in := make([]policy.File, len(files))
	for i, f := range files {
		in[i] = policy.File{Name: f.Name, Content: f.Content}
	}
	set, res := policy.Load(in, nil)
	require.NoError(t, res.Err())
	for _, f := range res.Files {
		for _, w := range f.Warnings {
			// A list is used by a file that is loaded later.
			require.Contains(t, []rules.Code{rules.WarnUnusedList, rules.WarnUnusedMacro}, w.Code, w.String())
		}
	}
	last := res.Files[len(res.Files)-1]
	require.Empty(t, last.Warnings, last.String())
	return set
}
