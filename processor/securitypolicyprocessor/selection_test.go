package securitypolicyprocessor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// Rules that their file switches off can be switched on by name and by tag, and
// what is disabled stays so; names and tags that no rule has are told, those of
// append_output as well.
func TestSelections(t *testing.T) {
	var text strings.Builder
	for _, r := range []string{"Miner started|false|[process]", "Shell started|true|[process, shell]", "Tool started|false|[network]"} {
		part := strings.Split(r, "|")
		fmt.Fprintf(&text, "- rule: %s\n  desc: x\n  condition: evt.type = execve\n  output: x\n  priority: ERROR\n  enabled: %s\n  tags: %s\n", part[0], part[1], part[2])
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	for _, tt := range []struct {
		change func(*Config)
		want   []string
		told   []string
	}{
		{func(*Config) {}, []string{"Shell started"}, nil},
		{func(c *Config) { c.EnabledRules = []string{"*"} }, []string{"Miner started", "Shell started", "Tool started"}, nil},
		{func(c *Config) { c.EnabledRules = []string{"Miner"} }, []string{"Miner started", "Shell started"}, nil},
		{func(c *Config) { c.EnabledTags = []string{"network"} }, []string{"Shell started", "Tool started"}, nil},
		{func(c *Config) { c.EnabledRules, c.DisabledRules = []string{"*"}, []string{"Shell*"} }, []string{"Miner started", "Tool started"}, nil},
		{func(c *Config) { c.EnabledRules, c.DisabledTags = []string{"Miner started"}, []string{"process"} }, nil, nil},
		{
			func(c *Config) {
				c.EnabledRules, c.EnabledTags = []string{"Minor", "*Tool"}, []string{"net"}
				c.DisabledRules, c.DisabledTags = []string{"shell"}, []string{"Process"}
			},
			[]string{"Shell started"},
			[]string{
				`enabled_rules: no rule has a name like "Minor"`, `enabled_rules: no rule has a name like "*Tool"`, `enabled_tags: no rule has the tag "net"`,
				`disabled_rules: no rule has a name like "shell"`, `disabled_tags: no rule has the tag "Process"`,
			},
		},
		{
			func(c *Config) {
				for _, match := range []AppendMatchConfig{{}, {Rule: "Shell started"}, {Rule: "Shell"}, {Tags: []string{"process", "network"}}, {Source: "syscalls"}} {
					c.AppendOutput = append(c.AppendOutput, AppendOutputConfig{Match: match, ExtraOutput: "x"})
				}
			},
			[]string{"Shell started"},
			[]string{"append_output[2]: match: no rule is like that", "append_output[3]: match: no rule is like that", "append_output[4]: match: no rule is like that"},
		},
	} {
		core, logged := observer.New(zap.WarnLevel)
		set := processortest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		sink := new(consumertest.LogsSink)
		cfg := testConfig(func(c *Config) {
			c.RulesFiles, c.RuleMatching, c.Keep = []string{path}, matchAll, nil
			tt.change(c)
		})
		require.NoError(t, cfg.Validate())
		proc, err := NewFactory().CreateLogs(t.Context(), set, cfg, sink)
		require.NoError(t, err)
		require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, proc.ConsumeLogs(t.Context(), execRecord(t)))
		require.NoError(t, proc.Shutdown(t.Context()))
		var fired, told []string
		for _, ld := range sink.AllLogs() {
			for _, rec := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				name, _ := rec.Attributes().Get(schema.RuleName)
				fired = append(fired, name.Str())
			}
		}
		for _, entry := range logged.All() {
			told = append(told, entry.Message)
		}
		require.Equal(t, tt.want, fired)
		require.Equal(t, tt.told, told)
	}
}
