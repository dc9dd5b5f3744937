package securitypolicyprocessor

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// testConfig is the default one with the rules of testdata.
func testConfig(change ...func(*Config)) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.RulesFiles = []string{filepath.Join("testdata", "rules.yaml")}
	for _, c := range change {
		c(cfg)
	}
	return cfg
}

// started is a processor that runs until the test ends.
func started(t *testing.T, cfg *Config, next consumer.Logs) processor.Logs {
	t.Helper()
	proc, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, proc.Shutdown(context.WithoutCancel(t.Context()))) })
	return proc
}

func TestGolden(t *testing.T) {
	for name, cfg := range map[string]*Config{
		"default":  testConfig(),
		"all":      testConfig(func(c *Config) { c.RuleMatching, c.Keep = matchAll, []string{keepAll} }),
		"nothing":  testConfig(func(c *Config) { c.Keep, c.Redact.Enabled = nil, false }),
		"disabled": testConfig(func(c *Config) { c.DisabledTags, c.MinimumPriority = []string{"process"}, "notice" }),
	} {
		t.Run(name, func(t *testing.T) {
			input, err := golden.ReadLogs(filepath.Join("testdata", "golden", "input.yaml"))
			require.NoError(t, err)
			input.MarkReadOnly() // what others hold must not change
			sink := new(consumertest.LogsSink)
			require.NoError(t, started(t, cfg, sink).ConsumeLogs(t.Context(), input))
			require.Len(t, sink.AllLogs(), 1)

			expected := filepath.Join("testdata", "golden", name+".yaml")
			if *update {
				require.NoError(t, golden.WriteLogsToFile(expected, sink.AllLogs()[0]))
			}
			want, err := golden.ReadLogs(expected)
			require.NoError(t, err)
			require.NoError(t, plogtest.CompareLogs(want, sink.AllLogs()[0]))
		})
	}
}

func TestNothingLeavesWhenNothingIsKept(t *testing.T) {
	sink := new(consumertest.LogsSink)
	proc := started(t, testConfig(), sink)
	require.NoError(t, proc.ConsumeLogs(t.Context(), quietBatch(10)))
	require.NoError(t, proc.ConsumeLogs(t.Context(), plog.NewLogs()))
	require.Empty(t, sink.AllLogs())
}

func TestCapabilities(t *testing.T) {
	proc, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), testConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.False(t, proc.Capabilities().MutatesData)
	require.ErrorIs(t, proc.ConsumeLogs(t.Context(), quietBatch(1)), errNotStarted)
	require.NoError(t, proc.Shutdown(t.Context()))
}

func TestStartFailsOnWrongRules(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "wrong.yaml")
	require.NoError(t, os.WriteFile(path, []byte("- rule: x\n  desc: x\n  condition: evt.tipe = open\n  output: x\n  priority: DEBUG\n"), 0o600))
	for want, files := range map[string][]string{
		path + ":3:":          {path},
		"absent.yaml":         {filepath.Join(dir, "absent.yaml")},
		errNoFiles.Error():    {filepath.Join(dir, "*.yml")},
		"evt.tipe = open\n  ": {path},
	} {
		cfg := testConfig(func(c *Config) { c.RulesFiles = files })
		proc, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
		require.NoError(t, err)
		require.ErrorContains(t, proc.Start(t.Context(), componenttest.NewNopHost()), want)
		require.NoError(t, proc.Shutdown(t.Context()))
	}
}

func TestTheReceiverIsToldWhatIsWanted(t *testing.T) {
	proc, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), testConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.False(t, interest.Shared().Wanted().Registered)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	wanted := interest.Shared().Wanted()
	require.True(t, wanted.Registered)
	require.Equal(t, []string{"bind", "connect", "execve", "execveat", "listen", "open", "openat"}, wanted.Set.Sorted())
	require.NoError(t, proc.Shutdown(t.Context()))
	require.False(t, interest.Shared().Wanted().Registered)
	require.NoError(t, proc.Shutdown(t.Context()), "twice")
}

func TestEnvironmentsAreWantedWhenARuleAsks(t *testing.T) {
	for condition, want := range map[string]bool{
		"evt.type = execve and proc.env[LD_PRELOAD] exists": true,
		"evt.type = execve and proc.name = x":               false,
	} {
		path := filepath.Join(t.TempDir(), "rules.yaml")
		rule := "- rule: x\n  desc: x\n  condition: " + condition + "\n  output: x\n  priority: debug\n"
		require.NoError(t, os.WriteFile(path, []byte(rule), 0o600))
		p, err := newProcessor(processortest.NewNopSettings(metadata.Type), testConfig(func(c *Config) { c.RulesFiles = []string{path} }), consumertest.NewNop())
		require.NoError(t, err)
		set, err := p.load()
		require.NoError(t, err)
		require.Equal(t, want, p.wants(set).Environment(), condition)
	}
}

func TestKeptTypes(t *testing.T) {
	all := keptTypes([]string{keepAll})
	require.Contains(t, all, "ptrace")
	require.Contains(t, all, "openat")
	require.Contains(t, all, interest.ProcessExit)
	other := keptTypes([]string{schema.EventSyscall})
	require.Contains(t, other, "ptrace")
	require.NotContains(t, other, "openat")
	require.Contains(t, other, "bind", "one that makes no server")
	require.Empty(t, keptTypes([]string{schema.EventLoginStart, schema.EventLoginEnd}))
	require.Empty(t, keptTypes(nil))
}

// flood makes n records that match the rule "Secret read".
func flood(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(schema.ServiceName, "noisy")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		rec := records.AppendEmpty()
		rec.SetEventName(schema.EventFileOpen)
		rec.SetTimestamp(1_700_000_000_000_000_000)
		rec.Attributes().PutStr(schema.SyscallName, "openat")
		rec.Attributes().PutStr(schema.FilePath, "/etc/shadow")
		rec.Attributes().PutInt(schema.ProcessPID, int64(i))
	}
	return ld
}

func TestFloodIsLimitedAndCounted(t *testing.T) {
	sink := new(consumertest.LogsSink)
	cfg := testConfig(func(c *Config) { c.RateLimit = RateLimitConfig{Burst: 3, Interval: time.Hour} })
	proc, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, proc.ConsumeLogs(t.Context(), flood(10)))
	require.Equal(t, 3, sink.LogRecordCount())
	sink.Reset()

	require.NoError(t, proc.Shutdown(t.Context()))
	require.Equal(t, 1, sink.LogRecordCount(), "nothing is suppressed silently")
	rl := sink.AllLogs()[0].ResourceLogs().At(0)
	name, _ := rl.Resource().Attributes().Get(schema.ServiceName)
	require.Equal(t, "noisy", name.Str())
	rec := rl.ScopeLogs().At(0).LogRecords().At(0)
	require.Equal(t, metadata.ScopeName, rl.ScopeLogs().At(0).Scope().Name())
	require.Equal(t, schema.EventPolicyMatch, rec.EventName())
	require.EqualValues(t, 1_700_000_000_000_000_000, rec.Timestamp())
	require.Equal(t, plog.SeverityNumberWarn, rec.SeverityNumber())
	require.Contains(t, rec.Body().Str(), `7 further matches of "Secret read" within`)
	n, _ := rec.Attributes().Get(schema.PolicySuppressed)
	require.EqualValues(t, 7, n.Int())
	rule, _ := rec.Attributes().Get(schema.RuleName)
	require.Equal(t, "Secret read", rule.Str())
}

func TestSummariesAreSentWhenTheIntervalEnds(t *testing.T) {
	sink := new(consumertest.LogsSink)
	cfg := testConfig(func(c *Config) { c.RateLimit = RateLimitConfig{Burst: 1, Interval: 10 * time.Millisecond} })
	proc := started(t, cfg, sink)
	require.NoError(t, proc.ConsumeLogs(t.Context(), flood(5)))
	require.Eventually(t, func() bool { return sink.LogRecordCount() == 2 }, time.Minute, time.Millisecond)
}

func TestSummariesOfManyResources(t *testing.T) {
	p, err := newProcessor(processortest.NewNopSettings(metadata.Type),
		testConfig(func(c *Config) { c.RateLimit = RateLimitConfig{Burst: 1, Interval: time.Hour} }), consumertest.NewErr(errors.New("full")))
	require.NoError(t, err)
	require.NoError(t, p.start(t.Context(), componenttest.NewNopHost()))
	w := newWorker(p)
	for _, service := range []string{"b", "a", "b"} {
		ld := flood(2)
		ld.ResourceLogs().At(0).Resource().Attributes().PutStr(schema.ServiceName, service)
		w.run(p.armed.Load(), ld, time.Now())
	}
	ld := p.summaries(p.limiter.expire(time.Now(), true), time.Now())
	require.Equal(t, 2, ld.ResourceLogs().Len())
	require.Equal(t, 2, ld.LogRecordCount())
	w.run(p.armed.Load(), flood(2), time.Now())
	require.ErrorContains(t, p.shutdown(t.Context()), "full", "the last counts were refused")
}

func TestMountsAreWantedWhenARuleAsks(t *testing.T) {
	for condition, want := range map[string]bool{
		"evt.type = execve and container.mount.dest[/etc*] exists": true,
		"evt.type = execve and container.host_network = true":      true,
		"evt.type = execve and container.privileged = true":        false,
	} {
		path := filepath.Join(t.TempDir(), "rules.yaml")
		rule := "- rule: x\n  desc: x\n  condition: " + condition + "\n  output: x\n  priority: debug\n"
		require.NoError(t, os.WriteFile(path, []byte(rule), 0o600))
		p, err := newProcessor(processortest.NewNopSettings(metadata.Type), testConfig(func(c *Config) { c.RulesFiles = []string{path} }), consumertest.NewNop())
		require.NoError(t, err)
		set, err := p.load()
		require.NoError(t, err)
		require.Equal(t, want, p.wants(set).Mounts(), condition)
	}
}
