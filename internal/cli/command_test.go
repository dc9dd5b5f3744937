package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"github.com/sightglass/sightglass/internal/cli/doctor"
)

func settings() otelcol.CollectorSettings {
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "sightglass", Version: "0.1.0", Description: "A collector"},
		Factories: func() (otelcol.Factories, error) {
			f := otelcol.Factories{Telemetry: otelconftelemetry.NewFactory()}
			var err1, err2 error
			f.Exporters, err1 = otelcol.MakeFactoryMap[exporter.Factory](nopexporter.NewFactory())
			f.Receivers, err2 = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory(), newKillerFactory())
			return f, errors.Join(err1, err2)
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory()},
		}},
	}
}

// newKillerFactory makes a receiver that sends SIGTERM to the process as soon
// as it is started.
func newKillerFactory() receiver.Factory {
	type config struct{}
	start := component.StartFunc(func(context.Context, component.Host) error {
		return syscall.Kill(os.Getpid(), syscall.SIGTERM)
	})
	return receiver.NewFactory(component.MustNewType("killer"),
		func() component.Config { return &config{} },
		receiver.WithLogs(func(context.Context, receiver.Settings, component.Config, consumer.Logs) (receiver.Logs, error) {
			return struct {
				component.StartFunc
				component.ShutdownFunc
			}{StartFunc: start}, nil
		}, component.StabilityLevelDevelopment))
}

// execute runs the command line and returns what it wrote and its error.
func execute(ctx context.Context, args ...string) (string, error) {
	cmd := NewCommand(settings(), "abc123")
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const minimal = `
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {nop: }
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines: {logs: {receivers: [otlp], exporters: [nop]}}
`

func TestHelpNamesEverything(t *testing.T) {
	out, err := execute(t.Context(), "--help")
	require.NoError(t, err)
	for _, name := range []string{"run ", "doctor ", "policy ", "version ", "validate ", "components ", "--config"} {
		require.Contains(t, out, name)
	}
}

func TestVersion(t *testing.T) {
	out, err := execute(t.Context(), "version")
	require.NoError(t, err)
	require.Contains(t, out, "sightglass 0.1.0\nrevision   abc123\ncollector  ")
	require.Contains(t, out, "linux/")
}

func TestCollectorRunsUntilASignal(t *testing.T) {
	_, err := execute(t.Context(), "--config", configFile(t, minimal), "--set", "receivers.killer=",
		"--set", "service.pipelines.logs.receivers=[killer]")
	require.NoError(t, err)
}

func TestValidate(t *testing.T) {
	_, err := execute(t.Context(), "validate", "--config", configFile(t, minimal))
	require.NoError(t, err)

	path := configFile(t, minimal+"exprters: {}\n")
	for _, args := range [][]string{{"validate", "--config", path}, {"--config", path}} {
		out, err := execute(t.Context(), args...)
		require.EqualError(t, err, path+`:7: unknown key "exprters"; did you mean "exporters"?`)
		require.Equal(t, "Error: "+err.Error()+"\n", out, "one line, no usage")
	}
}

func TestMistypedCommandLines(t *testing.T) {
	for want, args := range map[string][]string{
		"no configuration given; try 'sightglass run'":                         nil,
		`unknown command "rnu" for "sightglass"; did you mean "run"?`:          {"rnu"},
		`unknown command "help-me" for "sightglass"; 'sightglass --help' lis`:  {"help-me"},
		`unknown command "chek" for "sightglass policy"; did you mean "check"`: {"policy", "chek"},
		`unknown flag: --cofnig; did you mean "--config"?`:                     {"--cofnig", "x"},
		"unknown flag: --gibberish; 'sightglass doctor --help' lists what":     {"doctor", "--gibberish"},
		"unknown shorthand flag: 'x' in -x; 'sightglass doctor --help' lists":  {"doctor", "-x"},
		`unknown command "more" for "sightglass run"`:                          {"run", "more"},
		"rule files are missing: sightglass policy check FILE":                 {"policy", "check"},
		"recorded activity is missing: sightglass policy replay --rules":       {"policy", "replay", "--rules", "a.yaml", "b.yml"},
	} {
		_, err := execute(t.Context(), args...)
		require.ErrorContains(t, err, want)
	}
}

func TestRunPrintsItsConfiguration(t *testing.T) {
	out, err := execute(t.Context(), "run", "--print-config")
	require.NoError(t, err)
	require.Contains(t, out, "terminal:")
}

func TestBrokenFactories(t *testing.T) {
	set := settings()
	set.Factories = func() (otelcol.Factories, error) { return otelcol.Factories{}, errors.New("broken") }
	require.Empty(t, factoriesOf(set))
}

func TestDoctor(t *testing.T) {
	good := []doctor.Hook{{Name: "sys_enter", Attached: true, Required: true, For: "calls"}}
	try := func(hooks []doctor.Hook) doctor.Report {
		return examine(func() ([]doctor.Check, []doctor.Hook, error) {
			return []doctor.Check{{Name: "extra", Status: doctor.Info, Found: "slow"}}, hooks, nil
		})
	}
	var out bytes.Buffer
	require.NoError(t, writeReport(&out, try(good), false))
	require.Contains(t, out.String(), "extra")
	require.Contains(t, out.String(), "can do its job here")

	out.Reset()
	good[0].Attached = false
	require.ErrorIs(t, writeReport(&out, try(good), true), errNotHere)
	var report doctor.Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &report))
	require.False(t, report.MainJob)
	require.NotEmpty(t, report.Checks)
	require.False(t, wantsColour(&out))
}
