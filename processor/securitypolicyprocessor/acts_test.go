package securitypolicyprocessor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

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

// A match that waited for the end of its batch is one, whatever its condition would
// say by then.
func TestAStepIsEvaluatedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`
- rule: First
  desc: x
  condition: evt.type = dup2 and evt.num = 1
  output: x %evt.num
  priority: error
  tags: [act_shell]
`), 0o600))
	sink := new(consumertest.LogsSink)
	proc := started(t, testConfig(func(c *Config) { c.RulesFiles, c.Keep = []string{path}, nil }), sink)
	ld := plog.NewLogs()
	for range 2 {
		rec := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		rec.SetEventName(schema.EventSyscall)
		rec.Attributes().PutStr(schema.SyscallName, "dup2")
	}
	require.NoError(t, proc.ConsumeLogs(t.Context(), ld))
	require.Equal(t, 1, sink.LogRecordCount())
}
