package explain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/forwardconnector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

// screenConfig is the configuration of an exporter that only exists here.
type screenConfig struct {
	Color string `mapstructure:"color"`
	Width int    `mapstructure:"width"`
	Rows  int    `mapstructure:"rows"`

	Panes []pane           `mapstructure:"panes"`
	Named map[string]*pane `mapstructure:"named"`
}

// pane is in lists and maps, which are empty by default.
type pane struct {
	position `mapstructure:",squash"`
	Match    struct {
		Rule string   `mapstructure:"rule"`
		Tags []string `mapstructure:"tags"`
	} `mapstructure:"match"`
}

type position struct {
	Left int `mapstructure:"left"`
}

// Unmarshal refuses one text in place of a list.
func (c *screenConfig) Unmarshal(conf *confmap.Conf) error {
	if _, text := conf.Get("panes").(string); text {
		return errors.New("panes: wants a list")
	}
	return conf.Unmarshal(c)
}

// Validate reports several errors at once.
func (c *screenConfig) Validate() error {
	var errs []error
	if c.Color != "" && c.Color != "auto" {
		errs = append(errs, fmt.Errorf("color: %q is none of auto, never", c.Color))
	}
	if c.Width < 0 {
		errs = append(errs, errors.New("width: must not be negative"))
	}
	return errors.Join(errs...)
}

func newScreenFactory() exporter.Factory {
	return exporter.NewFactory(component.MustNewType("terminal"),
		func() component.Config { return &screenConfig{} },
		exporter.WithLogs(func(context.Context, exporter.Settings, component.Config) (exporter.Logs, error) {
			return struct {
				component.StartFunc
				component.ShutdownFunc
				consumer.Logs
			}{Logs: consumertest.NewNop()}, nil
		}, component.StabilityLevelDevelopment))
}

func factories() (otelcol.Factories, error) {
	f := otelcol.Factories{Telemetry: otelconftelemetry.NewFactory()}
	var err1, err2 error
	f.Exporters, err1 = otelcol.MakeFactoryMap[exporter.Factory](newScreenFactory(), otlphttpexporter.NewFactory())
	f.Receivers, err2 = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory())
	var err3 error
	f.Connectors, err3 = otelcol.MakeFactoryMap[connector.Factory](forwardconnector.NewFactory())
	return f, errors.Join(err1, err2, err3)
}

// validate returns what the real collector says about a configuration, and
// Explain's version of it.
func validate(t *testing.T, uris ...string) (raw, explained error) {
	t.Helper()
	cmd := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "sightglass"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory()},
		}},
	})
	args := []string{"validate"}
	for _, uri := range uris {
		args = append(args, "--config", uri)
	}
	cmd.SetArgs(args)
	cmd.SilenceErrors = true
	raw = cmd.ExecuteContext(t.Context())
	f, err := factories()
	require.NoError(t, err)
	return raw, Explain(raw, Load(uris), f)
}

const (
	receivers = "receivers: {otlp: {protocols: {http: {}}}}\n"
	pipelines = "service: {pipelines: {logs: {receivers: [otlp], exporters: [terminal]}}}\n"
)

func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		want   []string
	}{
		"unknown key": {
			receivers + pipelines + "exporters:\n  terminal:\n    colr: always\n",
			[]string{`FILE:5: exporters::terminal: unknown key "colr"; did you mean "color"?`},
		},
		"unknown keys": {
			receivers + pipelines + "exporters:\n  terminal:\n    colr: always\n    zzzzzz: 1\n",
			[]string{
				`FILE:5: exporters::terminal: unknown key "colr"; did you mean "color"?`,
				`FILE:6: exporters::terminal: unknown key "zzzzzz"; known are color, named, panes, rows, width`,
			},
		},
		"invalid values": {
			receivers + pipelines + "exporters:\n  terminal:\n    color: red\n    width: -1\n",
			[]string{
				`FILE:5: exporters::terminal: color: "red" is none of auto, never`,
				`FILE:6: exporters::terminal: width: must not be negative`,
			},
		},
		"wrong type": {
			receivers + pipelines + "exporters: {terminal: {width: abc}}",
			[]string{"FILE:3: exporters::terminal::width: wants a whole number, got text"},
		},
		"unknown component": {
			receivers + pipelines + "exporters:\n  terminal:\n  terminl/x:\n",
			[]string{`FILE:5: exporters: there is no component "terminl"; did you mean "terminal"?`},
		},
		"unknown section": {
			receivers + pipelines + "exporters: {terminal: }\nexprters: {}",
			[]string{`FILE:4: unknown key "exprters"; did you mean "exporters"?`},
		},
		"nested": {
			receivers + pipelines + "exporters:\n  terminal:\n  otlp_http:\n    endpoint: http://x\n    sending_queue:\n      quue_size: 3\n",
			[]string{`FILE:8: exporters::otlp_http::sending_queue: unknown key "quue_size"; did you mean "queue_size"?`},
		},
		"in a list": {
			receivers + pipelines + "exporters:\n  terminal:\n    panes:\n      - match: {rul: x}\n      - {lft: 1}\n",
			[]string{
				`FILE:6: exporters::terminal::panes::0::match: unknown key "rul"; did you mean "rule"?`,
				`FILE:7: exporters::terminal::panes::1: unknown key "lft"; did you mean "left"?`,
			},
		},
		"refused by the component": {
			receivers + pipelines + "exporters:\n  terminal:\n    width: 1\n    panes: x\n",
			[]string{`FILE:6: exporters::terminal: panes: wants a list`},
		},
		"in a map": {
			receivers + pipelines + "exporters:\n  terminal:\n    named:\n      first: {match: {zzzzzzzz: x}}\n",
			[]string{`FILE:6: exporters::terminal::named::first::match: unknown key "zzzzzzzz"; known are rule, tags`},
		},
		"not configured": {
			receivers + "exporters: {terminal: }\n" + strings.ReplaceAll(pipelines, "[terminal]", "[terminal, foo]"),
			[]string{`FILE:3: service::pipelines::logs: references exporter "foo" which is not configured; configured are terminal`},
		},
		"unknown key of service": {
			receivers + "exporters: {terminal: }\nservice: {pipelnes: {}}",
			[]string{`FILE:3: service: unknown key "pipelnes"; did you mean "pipelines"?`},
		},
		"unknown key of a pipeline": {
			receivers + "exporters: {terminal: }\n" + strings.ReplaceAll(pipelines, "exporters", "exporter"),
			[]string{`FILE:3: service::pipelines::logs: unknown key "exporter"; did you mean "exporters"?`},
		},
		"unknown signal": {
			receivers + "exporters: {terminal: }\nservice: {pipelines: {log: {receivers: [otlp], exporters: [terminal]}}}",
			[]string{`FILE:3: service::pipelines: there is no signal "log"; did you mean "logs"?`},
		},
		"unknown level of logs": {
			receivers + "exporters: {terminal: }\n" + strings.ReplaceAll(pipelines, "{pipelines", "{telemetry: {logs: {level: inof}}, pipelines"),
			[]string{`FILE:3: service::telemetry::logs::level: there is no level "inof"; did you mean "info"?`},
		},
		"unknown level": {
			receivers + "exporters: {terminal: }\n" + strings.ReplaceAll(pipelines, "{pipelines", "{telemetry: {metrics: {level: verbose}}, pipelines"),
			[]string{`FILE:3: service::telemetry::metrics::level: there is no level "verbose"; known are basic, detailed, none, normal`},
		},
		"no YAML": {
			"receivers:\n  otlp:\n\tprotocols: x",
			[]string{"FILE:3: not valid YAML: found character that cannot start any token; indent by spaces, not by tabs, and quote what begins with @, ` or %"},
		},
		"a key twice": {
			receivers + pipelines + "exporters:\n  terminal:\n  terminal: {width: 3}\n",
			[]string{`FILE:5: mapping key "terminal" already defined at line 4; merge the two`},
		},
		"no duration": {
			receivers + pipelines + "exporters:\n  terminal:\n  otlp_http:\n    timeout: ten seconds\n",
			[]string{"FILE:6: exporters::otlp_http::timeout: wants a duration, such as 500ms, 10s or 1h30m"},
		},
		"a list for a duration": {
			receivers + pipelines + "exporters:\n  terminal:\n  otlp_http:\n    timeout: [1, 2]\n",
			[]string{"FILE:6: exporters::otlp_http::timeout: wants a duration, such as 500ms, 10s or 1h30m, got a list"},
		},
		"a value for a component": {
			receivers + pipelines + "exporters:\n  terminal: true\n",
			[]string{"FILE:4: exporters::terminal: wants a block of keys, got true or false"},
		},
		"a list for a section": {
			"receivers: [otlp]\n" + pipelines + "exporters: {terminal: }\n",
			[]string{"FILE:1: receivers: wants a block of keys, got a list"},
		},
		"text for a list": {
			receivers + strings.ReplaceAll(pipelines, "[otlp]", "otlp") + "exporters: {terminal: }\n",
			[]string{"FILE:2: service::pipelines::logs::receivers: wants a list, got text"},
		},
		"cannot be created": {
			receivers + strings.ReplaceAll(pipelines, "terminal", "otlp_http") + "exporters: {otlp_http: {endpoint: '://host'}}\n",
			[]string{"FILE:3: exporters::otlp_http: endpoint must be a valid URL"},
		},
		"half a connector": {
			receivers + strings.ReplaceAll(pipelines, "[otlp]", "[otlp, forward]") + "exporters: {terminal: }\nconnectors:\n  forward:\n",
			[]string{"FILE:5: connectors::forward: is one of the receivers of a logs pipeline, but no pipeline that fits names it among its exporters: name it there, too"},
		},
		"missing include": {
			receivers + pipelines + "exporters: {terminal: {output: \"${file:/nowhere}\"}}",
			[]string{"FILE: cannot read /nowhere: no such file or directory"},
		},
		"empty": {
			"",
			[]string{"FILE: empty configuration file", "FILE: service::pipelines: service must have at least one pipeline"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(path, []byte(c.config), 0o600))
			raw, explained := validate(t, path)
			require.ErrorIs(t, explained, raw)
			require.Equal(t, strings.Join(c.want, "\n"), strings.ReplaceAll(explained.Error(), path, "FILE"))
		})
	}
}

func TestValidConfigurationHasNoError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(receivers+pipelines+"exporters: {terminal: }"), 0o600))
	_, err := validate(t, path)
	require.NoError(t, err)
}

func TestSeveralDocuments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(receivers+pipelines+"exporters: {terminal: {color: auto}}"), 0o600))
	_, err := validate(t, "file:"+path, "yaml:exporters::terminal::colour: red")
	require.EqualError(t, err, `the command line:1: exporters::terminal: unknown key "colour"; did you mean "color"?`)

	t.Setenv("MORE", "exporters: {terminal: {width: -2}}")
	_, err = validate(t, path, "env:MORE")
	require.EqualError(t, err, `$MORE:1: exporters::terminal: width: must not be negative`)

	_, err = validate(t, path, "/nowhere/config.yaml")
	require.EqualError(t, err, path+": cannot read /nowhere/config.yaml: no such file or directory")
}

func TestValuesOfVariables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(receivers+pipelines+"exporters: {terminal: {color: '${env:SIGHTGLASS_COLOR:-auto}'}}"), 0o600))
	_, err := validate(t, path)
	require.NoError(t, err)
	t.Setenv("SIGHTGLASS_COLOR", "red")
	_, err = validate(t, path)
	require.EqualError(t, err, path+`:3: exporters::terminal: color: "red" is none of auto, never; it is the value of the environment variable SIGHTGLASS_COLOR`)

	require.NoError(t, os.WriteFile(path, []byte(receivers+pipelines+"exporters: {terminal: {color: 'a${env:SIGHTGLASS_COLOUR}'}}"), 0o600))
	_, err = validate(t, path)
	require.EqualError(t, err, path+`:3: exporters::terminal: color: "a" is none of auto, never; the environment variable SIGHTGLASS_COLOUR is not set`)
}

func TestAbsentRules(t *testing.T) {
	here := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(here, nil, 0o600))
	config := NewDocument("FILE", []byte("processors:\n  security_policy/one: {rules_files: "+here+"}\n  batch: {rules_files: [/nowhere/0.yaml]}\n  security_policy: {}\n"+
		"  security_policy/own:\n    rules_files: ["+here+", /nowhere/1.yaml, '/nowhere/*.yaml', '${env:X}']\n"))
	require.Equal(t, []string{
		"FILE:6: processors::security_policy/own: rules_files: /nowhere/1.yaml names no file on this machine: the rules are not checked",
		"FILE:6: processors::security_policy/own: rules_files: /nowhere/*.yaml names no file on this machine: the rules are not checked",
	}, AbsentRules([]Document{config}))
}

func TestNoConfig(t *testing.T) {
	_, err := validate(t)
	require.ErrorIs(t, err, ErrNoConfig)
}

func TestErrorsOfTheStart(t *testing.T) {
	config := []Document{NewDocument("FILE", []byte(receivers+pipelines+"exporters: {terminal: }\nextensions: {pprof: }"))}
	for given, want := range map[string]string{
		`cannot start pipelines: failed to start "otlp" receiver: listen tcp 127.0.0.1:4317: bind: address already in use`: "FILE:1: receivers::otlp: cannot start: listen tcp 127.0.0.1:4317: bind: address already in use: " +
			"give another endpoint, or end the program that listens there ('ss -ltnp' names it)",
		`cannot start pipelines: failed to start "terminal" exporter: open /x: no such file or directory`: "FILE:3: exporters::terminal: cannot start: open /x: no such file or directory: correct the path, or make what it names",
		`cannot start pipelines: failed to start "terminal" exporter: it knows: what to do`:               "FILE:3: exporters::terminal: cannot start: it knows: what to do",
		`failed to build extensions: failed to create extension "pprof": mkdir /x: read-only file system`: "FILE:4: extensions::pprof: cannot start: mkdir /x: read-only file system: give a place that can be written to",
		`cannot start pipelines: failed to start "terminal" exporter: the rules cannot be used: /x: permission denied (LOAD_ERR_FILE_READ)`: "FILE:3: exporters::terminal: cannot start: " +
			"the rules cannot be used: /x: permission denied (LOAD_ERR_FILE_READ): let the user that the agent runs as have it",
		`failed to start extensions: listen tcp: address 599999: invalid port`: "FILE:2: service::extensions: cannot start: listen tcp: address 599999: invalid port: a port is a number from 1 to 65535",
	} {
		raw := errors.New(given)
		explained := Explain(raw, config, otelcol.Factories{})
		require.ErrorIs(t, explained, raw)
		require.EqualError(t, explained, want)
	}
}

func TestOtherErrorsStay(t *testing.T) {
	err := errors.New("cannot start pipelines: listen tcp: address in use")
	require.Equal(t, err, Explain(err, nil, otelcol.Factories{}))
	require.NoError(t, Explain(nil, nil, otelcol.Factories{}))
}
