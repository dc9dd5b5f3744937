package securitypolicyprocessor

import (
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
		"files": {
			RulesFiles:      []string{"/etc/sightglass/rules.yaml", "/etc/sightglass/rules.d/*.yaml"},
			DisabledRules:   []string{"Write below /etc", "Shell*"},
			DisabledTags:    []string{"network"},
			MinimumPriority: "warning",
			RuleMatching:    matchAll,
			Keep:            []string{keepAll},
			RateLimit:       RateLimitConfig{Burst: 10, Interval: 30 * time.Second},
		},
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
		"bad_keep":      `keep[1]: "sightglass.process.fork" is no activity`,
		"bad_keep_all":  `keep[1]: "all" stands alone`,
		"bad_matching":  `rule_matching: "last" is neither "first" nor "all"`,
		"bad_priority":  `minimum_priority: "urgent" is no priority`,
		"bad_glob":      `rules_files[0]: "rules/[a.yaml": syntax error in pattern`,
		"empty_file":    `rules_files[1]: is empty`,
		"empty_rule":    `disabled_rules[0]: is empty`,
		"bad_reload":    `reload_interval: must be 0 (never) or at least 100ms`,
		"bad_burst":     `rate_limit: burst: must not be negative`,
		"bad_interval":  `rate_limit: interval: must be positive`,
		"bad_redaction": `redact: attributes[0]: is empty`,
		"no_redaction":  `redact: attributes: have no effect while enabled is false`,
		"unknown_key":   `rule_files`,
	} {
		_, err := loadConfig(t, name)
		require.ErrorContains(t, err, want, name)
	}
}

// A configuration is checked in pipelines and on laptops, where the files are
// not.
func TestValidateTouchesNoFiles(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.RulesFiles = []string{filepath.Join(t.TempDir(), "absent.yaml")}
	require.NoError(t, confmap.Validate(cfg))
}
