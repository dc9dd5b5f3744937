package securitypolicyprocessor

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

func loadConfig(t *testing.T, name string) (*Config, error) {
	t.Helper()
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := cm.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfig(t *testing.T) {
	defaults := func(change func(*Config)) *Config {
		cfg := createDefaultConfig().(*Config)
		change(cfg)
		return cfg
	}
	for name, want := range map[string]*Config{
		"": defaults(func(*Config) {}),
		"files": defaults(func(c *Config) {
			c.RulesFiles = []string{"/etc/sightglass/rules.yaml", "/etc/sightglass/rules.d/*.yaml"}
			c.EnabledRules, c.EnabledTags = []string{"*miner*"}, []string{"maturity_sandbox"}
			c.DisabledRules = []string{"Write below /etc", "Shell*"}
			c.DisabledTags, c.Scope = []string{"network"}, "not k8s.ns.name in (test, staging)"
			c.MinimumPriority, c.RuleMatching = "warning", matchAll
			c.Keep = []string{keepAll}
			c.RateLimit = RateLimitConfig{Burst: 10, Interval: 30 * time.Second}
			c.Redact.Enabled, c.ReloadInterval = false, 0
		}),
		"outputs": defaults(func(c *Config) {
			c.AppendOutput = []AppendOutputConfig{
				{SuggestedOutput: true},
				{
					Match:       AppendMatchConfig{Source: "syscall", Rule: "Shell", Tags: []string{"process", "host"}},
					ExtraOutput: "pid=%proc.pid",
					ExtraFields: []any{"proc.env", map[string]any{"who": "%user.name on %evt.hostname"}},
				},
			}
			c.HTTPOutput.Endpoint = "https://falcosidekick.example:2801/"
			c.HTTPOutput.TLS.CAFile = "/etc/ssl/ca.pem"
			c.HTTPOutput.QueueSize, c.HTTPOutput.Timeout, c.HTTPOutput.ShutdownTimeout = 50, 2*time.Second, time.Second
			c.HTTPOutput.Retry.MaxElapsedTime = 20 * time.Second
		}),
		"quiet": defaults(func(c *Config) { c.Keep, c.RateLimit.Burst = []string{}, 0 }),
	} {
		got, err := loadConfig(t, name)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func TestDefaultConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, componenttest.CheckConfigStruct(cfg))
	require.Empty(t, cfg.RulesFiles)
	require.ElementsMatch(t, []string{
		schema.EventProcessExec, schema.EventLoginStart, schema.EventLoginEnd, schema.EventNetworkListen,
	}, cfg.Keep)
	require.True(t, cfg.Redact.Enabled)
}

func TestConfigErrors(t *testing.T) {
	for name, want := range map[string]string{
		"bad_keep":       `keep[1]: "sightglass.process.fork" is no activity`,
		"bad_keep_all":   `keep[1]: "all" stands alone`,
		"bad_matching":   `rule_matching: "last" is neither "first" nor "all"`,
		"bad_priority":   `minimum_priority: "urgent" is no priority: use one of Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug`,
		"bad_glob":       `rules_files[0]: "rules/[a.yaml": syntax error in pattern`,
		"empty_file":     `rules_files[1]: is empty`,
		"empty_rule":     `disabled_rules[0]: is empty`,
		"empty_enabled":  `enabled_rules[0]: is empty`,
		"empty_tag":      `enabled_tags[1]: is empty`,
		"scalar_enabled": `enabled_rules: wants a list, got Shell: write [Shell]`,
		"bad_reload":     `reload_interval: 1ms is too short: use 100ms or more, for example 5s, or 0 for never`,
		"bad_burst":      `rate_limit: burst: must not be negative`,
		"bad_interval":   `rate_limit: interval: 1ns is too short: use 100ms or more, for example 1m`,
		"bad_redaction":  `redact: attributes[0]: is empty`,
		"no_redaction":   `redact: attributes: have no effect while enabled is false`,
		"unknown_key":    `rule_files`,
		"scalar_tags":    `disabled_tags: wants a list, got network, container: write [network, container]`,
		"scalar_append":  `append_output: wants a list, got a block of keys: put a dash before the first`,
		"bad_scope":      `scope: `,

		"append_nothing": `append_output::0: has none of extra_output, extra_fields and suggested_output`,
		"append_output":  `append_output::0: extra_output: unknown field proc.nam`,
		"append_field":   `append_output::0: extra_fields[1]: unknown field proc.nam`,
		"append_format":  `append_output::0: extra_fields[0]: who: unknown field proc.nam`,
		"append_kind":    `append_output::0: extra_fields[0]: is neither a field's name nor {name: format}`,
		"http_endpoint":  `http_output: endpoint: "falcosidekick:2801" is no URL`,
		"http_queue":     `http_output: queue_size: must be positive`,
		"http_shutdown":  `http_output: shutdown_timeout: must be positive`,
		"http_retry":     `multiplier`,
	} {
		_, err := loadConfig(t, name)
		require.ErrorContains(t, err, want, name)
		require.NotContains(t, err.Error(), "more: sightglass policy check", name)
	}
}

// A configuration is checked in pipelines and on laptops, too, where the rule
// files are not.
func TestValidateChecksRuleFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	cfg := createDefaultConfig().(*Config)
	cfg.RulesFiles = []string{path}
	require.NoError(t, confmap.Validate(cfg))

	require.NoError(t, os.WriteFile(path, []byte("- macro: m\n  condition: proc.name = (\n"), 0o600))
	require.ErrorContains(t, confmap.Validate(cfg), path+":2:26: macro \"m\": ")
	require.NotContains(t, confmap.Validate(cfg).Error(), "\n")
	cfg.RulesFiles = append(cfg.RulesFiles, path+".absent")
	require.NoError(t, confmap.Validate(cfg), "what is absent could make it right")
}

// A name that is almost that of a file which is there is a mistake anywhere.
func TestValidateTellsMistakenFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"local_rules.yaml", "first.yaml", "second.yml"} {
		require.NoError(t, os.WriteFile(at(name), nil, 0o600))
	}
	for _, tt := range []struct {
		files []string
		want  string // empty: valid
	}{
		{[]string{at("local_rules.yaml"), at("*.yml")}, ""},
		{[]string{dir}, "rules_files[0]: " + dir + " is a directory: name its files, as in " + at("*.yaml")},
		{[]string{at("first.yaml"), at("locla_rules.yaml")}, "rules_files[1]: there is no " + at("locla_rules.yaml") + ": did you mean " + at("local_rules.yaml") + "?"},
		{[]string{at("second.yaml")}, "did you mean " + at("second.yml") + "?"},
		{[]string{at("first.yaml"), at("first.yml")}, ""},
		{[]string{at("local_rule?.yml")}, "rules_files[0]: no file matches " + at("local_rule?.yml") + ": did you mean " + at("local_rule?.yaml") + "?"},
		{[]string{at("elsewhere/*.yaml"), at("elsewhere/rules.yaml"), at("other.yaml")}, ""},
		{[]string{at("local_rules.yaml"), at("locla_rules.yaml")}, ""},
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.RulesFiles = tt.files
		err := confmap.Validate(cfg)
		if tt.want == "" {
			require.NoError(t, err, tt.files)
		} else {
			require.ErrorContains(t, err, tt.want)
		}
	}
}
