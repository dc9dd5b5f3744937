package terminalexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func loadConfig(t *testing.T, id string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	sub, err := conf.Sub(id)
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig()
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg.(*Config)
}

func TestConfig(t *testing.T) {
	for id, want := range map[string]component.Config{
		"terminal": newDefaultConfig(),
		"terminal/all": &Config{
			Output: OutputStderr, Color: ColorNever, Width: 120, Show: []string{"detections", "requests", "services"},
			LinesPerSecond: 50, TableInterval: time.Second, TableRows: 3,
		},
	} {
		cfg := loadConfig(t, id)
		require.Equal(t, want, cfg)
		require.NoError(t, confmap.Validate(cfg))
	}
}

func TestWrongConfig(t *testing.T) {
	err := confmap.Validate(loadConfig(t, "terminal/wrong"))
	for _, want := range []string{
		`output: "printer" is neither stdout nor stderr`,
		`color: "red" is none of auto, always, never`,
		"width: must not be negative",
		`show: "everything" is none of detections, commands,`,
		"lines_per_second: must not be negative",
		"table_interval: must be at least 1s",
		"table_rows: must be at least 1",
		"heartbeat_interval: must not be negative",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestStyleOf(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for _, pair := range pairs {
				if value, ok := strings.CutPrefix(pair, name+"="); ok {
					return value
				}
			}
			return ""
		}
	}
	colour := func(mode string, terminal bool, pairs ...string) bool {
		return styleOf(&Config{Color: mode}, terminal, env(pairs...)).Colour
	}
	require.True(t, colour(ColorAuto, true))
	require.False(t, colour(ColorAuto, false))
	require.False(t, colour(ColorAuto, true, "NO_COLOR=1"))
	require.False(t, colour(ColorAuto, true, "TERM=dumb"))
	require.True(t, colour(ColorAlways, false, "NO_COLOR=1"))
	require.False(t, colour(ColorNever, true))

	ascii := func(pairs ...string) bool { return styleOf(&Config{}, true, env(pairs...)).ASCII }
	require.False(t, ascii())
	require.False(t, ascii("LANG=en_US.UTF-8"))
	require.False(t, ascii("LC_ALL=C.utf8", "LANG=C"))
	require.True(t, ascii("LC_ALL=C", "LANG=en_US.UTF-8"))
	require.Equal(t, 70, styleOf(&Config{Width: 70}, true, env()).Width)
}
