package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/config"
)

func TestEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	o := &runOptions{show: "commands,status"}
	e, err := o.environment(env("SIGHTGLASS_DATA_DIR=" + dir))
	require.NoError(t, err)
	defer e.release()
	require.Equal(t, map[string]string{
		"SIGHTGLASS_LOGS_EXPORTERS":    "[terminal, file/logs]",
		"SIGHTGLASS_TRACES_EXPORTERS":  "[service_latency, terminal, file/traces]",
		"SIGHTGLASS_METRICS_EXPORTERS": "[terminal, file/metrics]",
	}, e.values)
	require.Equal(t, map[string]string{"SIGHTGLASS_SHOW": "[commands,status]", "SIGHTGLASS_DATA_DIR": dir}, e.flags)
	require.Equal(t, []string{"writing OTLP JSON to " + dir + "/{logs,traces,metrics}.json"}, e.notes)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestEnvironmentWithABackEnd(t *testing.T) {
	o := &runOptions{dataDir: t.TempDir()}
	e, err := o.environment(env("SIGHTGLASS_DATA_DIR=/nowhere", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317"))
	require.NoError(t, err)
	defer e.release()
	require.Equal(t, "[terminal, file/logs, otlp_grpc]", e.values["SIGHTGLASS_LOGS_EXPORTERS"])
	require.Contains(t, e.notes, "sending OTLP to localhost:4317 by grpc")

	_, err = o.environment(env("OTEL_EXPORTER_OTLP_ENDPOINT=odd://"))
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_ENDPOINT")
}

func TestEnvironmentWithoutAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	e, err := (&runOptions{dataDir: file}).environment(env())
	require.NoError(t, err)
	require.Equal(t, "[terminal]", e.values["SIGHTGLASS_LOGS_EXPORTERS"])
	require.Equal(t, "[service_latency, terminal]", e.values["SIGHTGLASS_TRACES_EXPORTERS"])
	require.NotContains(t, e.flags, "SIGHTGLASS_DATA_DIR")
	require.Contains(t, e.notes[0], "not writing to files: ")
	e.release()
}

func TestApply(t *testing.T) {
	e := environment{values: map[string]string{"A": "1", "B": "2"}, flags: map[string]string{"C": "3"}}
	lookup := func(name string) (string, bool) { return "", name != "A" }
	got := map[string]string{}
	require.NoError(t, e.apply(lookup, func(name, value string) error { got[name] = value; return nil }))
	require.Equal(t, map[string]string{"A": "1", "C": "3"}, got)

	failure := errors.New("full")
	require.ErrorIs(t, e.apply(lookup, func(string, string) error { return failure }), failure)
	e.values = nil
	require.ErrorIs(t, e.apply(lookup, func(string, string) error { return failure }), failure)
}

func TestInstancesDoNotShareAFolder(t *testing.T) {
	dir := t.TempDir()
	var releases []func()
	for i := range maxInstances {
		got, release, err := claimDataDir(dir)
		require.NoError(t, err)
		want := dir
		if i > 0 {
			want = filepath.Join(dir, strconv.Itoa(i+1))
		}
		require.Equal(t, want, got)
		releases = append(releases, release)
	}
	_, _, err := claimDataDir(dir)
	require.ErrorIs(t, err, errTooMany)
	releases[2]()
	got, release, err := claimDataDir(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "3"), got)
	release()
	_, _, err = claimDataDir(string([]byte{0}))
	require.Error(t, err)
}

func TestConfiguration(t *testing.T) {
	c := builtIn()
	require.NoError(t, c.set([]string{"exporters.terminal.width = 100"}))
	require.True(t, c.builtIn)
	require.Equal(t, []string{"yaml:" + config.Local, "yaml:exporters::terminal::width: 100"}, c.uris)
	require.Equal(t, "built-in configuration", c.documents[0].Name)
	require.Equal(t, "--set exporters.terminal.width = 100", c.documents[1].Name)
	require.ErrorContains(t, c.set([]string{"odd"}), "want key=value")

	path := filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(path, []byte("a: 1"), 0o600))
	c = configurationOf([]string{path})
	require.False(t, c.builtIn)
	require.Equal(t, []string{path}, c.uris)
	require.Equal(t, path, c.documents[0].Name)
}

func TestNotesAreOnlyAboutTheBuiltInConfiguration(t *testing.T) {
	e := environment{notes: []string{"one", "two"}}
	var out bytes.Buffer
	e.describe(&out, configuration{})
	require.Empty(t, out.String())
	e.describe(&out, configuration{builtIn: true})
	require.Equal(t, "one\ntwo\n", out.String())
}

func TestFilesOfARunAreItsOwnersAlone(t *testing.T) {
	before := unix.Umask(0o022)
	defer unix.Umask(before)
	o := &runOptions{dataDir: t.TempDir(), configs: []string{"yaml:{receivers: {killer: }, exporters: {nop: }, service: {telemetry: {metrics: {level: none}, logs: {level: error}}, pipelines: {logs: {receivers: [killer], exporters: [nop]}}}}"}}
	if err := mayRun("sightglass run"); err != nil {
		t.Skip(err)
	}
	cmd := newRunCommand(settings())
	cmd.SetContext(t.Context())
	require.NoError(t, o.run(cmd, settings()))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
