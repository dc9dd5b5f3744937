package record

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

func completed(v *View) map[string]any {
	rec := plog.NewLogRecord()
	v.Record().CopyTo(rec)
	v.Complete(rec)
	return rec.Attributes().AsRaw()
}

func TestComplete(t *testing.T) {
	v := view(t, schema.EventFileOpen, nil, map[string]any{schema.ProcessKey: "10:100", schema.FilePath: "/x", schema.ProcessName: "vi"})
	v.SetProcesses(chains{"10:100": {
		editor,
		{Key: pid(9), Name: "bash", Path: "/usr/bin/bash", Args: []string{"bash", "-l"}},
		{Key: pid(8), Name: "sshd"},
	}}, 1_000_000_000)
	v.Record().SetTimestamp(2_000_000_000)
	v.SetRecord(v.Record())
	require.Equal(t, map[string]any{
		schema.ProcessKey:              "10:100",
		schema.FilePath:                "/x",
		schema.ProcessName:             "vi",
		schema.ProcessPath:             "/usr/bin/vi",
		schema.ProcessCommandArgs:      []any{"vi", "/etc/passwd"},
		schema.ProcessWorkingDirectory: "/root",
		schema.ProcessUpperLayer:       true,
		schema.ProcessMemfd:            true,
		schema.ProcessCreationTime:     "1970-01-01T00:00:01.0000001Z",
		schema.ProcessParentName:       "bash",
		schema.ProcessParentPath:       "/usr/bin/bash",
		schema.ProcessParentCommand:    "bash -l",
		schema.ProcessAncestors:        []any{"bash", "sshd"},
	}, completed(v))
}

func TestCompleteKeepsWhatIsThere(t *testing.T) {
	v := view(t, "", nil, selfAttrs)
	v.SetProcesses(chains{"10:1": {editor, {Name: "other", Path: "/other", Args: []string{"other"}}}}, 1)
	v.SetRecord(v.Record())
	require.Equal(t, v.Record().Attributes().AsRaw(), completed(v))
}

func TestCompleteWithoutATable(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:100"})
	require.Equal(t, map[string]any{schema.ProcessKey: "10:100"}, completed(v))
	v.SetProcesses(chains{"9:1": {process.Process{Name: "x"}}}, 0)
	v.SetRecord(v.Record())
	require.Equal(t, map[string]any{schema.ProcessKey: "10:100"}, completed(v), "nothing is known about it")
}

func TestCompleteWritesUTF8(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:100"})
	v.SetProcesses(chains{"10:100": {
		{Key: pid(10), Name: "caf\xe9", Args: []string{"\xff"}},
		{Key: pid(9), Name: "\xfe", Path: "/\xfe", Args: []string{"a", "\xfe"}},
	}}, 1)
	v.SetRecord(v.Record())
	got := completed(v)
	require.True(t, utf8.ValidString(fmt.Sprint(got)), "%q", got)
	require.Equal(t, "caf\uFFFD", got[schema.ProcessName])
	require.Equal(t, "a \uFFFD", got[schema.ProcessParentCommand])
}
