package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/sealed"
)

// sealedAttributes are those of a record in which these values were masked.
func sealedAttributes(t *testing.T, values, attrs map[string]any) map[string]any {
	t.Helper()
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(values))
	attrs[schema.Sealed] = sealed.Shared().Seal(m, time.Now())
	return attrs
}

func TestPoliciesSeeWhatWasMasked(t *testing.T) {
	const data = schema.SyscallArgPrefix + "data"
	v := view(t, schema.EventProcessExec, nil, sealedAttributes(t,
		map[string]any{
			schema.ProcessCommandArgs:   []any{"curl", "-u", "ada:hunter2"},
			schema.ProcessParentCommand: "sh -c hunter2",
			data:                        []byte("hunter2"),
		},
		map[string]any{
			schema.ProcessCommandArgs:   []any{"curl", "-u", "ada:***"},
			schema.ProcessParentCommand: "sh -c ***",
			data:                        []byte("***"),
			schema.ProcessName:          "curl",
		}))
	require.False(t, v.Lost())
	require.Equal(t, 3, v.Secrets())
	args, ok := v.Strings(field.AttrProcArgs)
	require.True(t, ok)
	require.Equal(t, []string{"curl", "-u", "ada:hunter2"}, args)
	command, _ := v.String(field.AttrParentCommand)
	require.Equal(t, "sh -c hunter2", command)
	named, _ := v.Named(data)
	require.Equal(t, "hunter2", named)
	name, _ := v.Named(schema.ProcessName)
	require.Equal(t, "curl", name)
	got := map[string]string{}
	v.WithPrefix(schema.SyscallArgPrefix, func(name, value string) { got[name] = value })
	require.Equal(t, map[string]string{data: "hunter2"}, got)

	out := plog.NewLogRecord()
	v.Record().CopyTo(out)
	out.Attributes().Remove(data)
	v.Unmark(out)
	require.Equal(t, map[string]any{
		schema.ProcessCommandArgs: []any{"curl", "-u", "ada:***"}, schema.ProcessParentCommand: "sh -c ***", schema.ProcessName: "curl",
	}, out.Attributes().AsRaw())
	v.Reveal(out)
	require.Equal(t, map[string]any{
		schema.ProcessCommandArgs: []any{"curl", "-u", "ada:hunter2"}, schema.ProcessParentCommand: "sh -c hunter2", schema.ProcessName: "curl",
	}, out.Attributes().AsRaw(), "what the record has not is not added")
}

func TestSecretsThatAreNotHere(t *testing.T) {
	for name, mark := range map[string]any{"of another program": int64(7), "no number": "7"} {
		t.Run(name, func(t *testing.T) {
			v := view(t, schema.EventProcessExec, nil, map[string]any{schema.Sealed: mark, schema.ProcessCommandArgs: []any{"x", "***"}})
			_, isNumber := mark.(int64)
			require.Equal(t, isNumber, v.Lost())
			require.Zero(t, v.Secrets())
			args, _ := v.Strings(field.AttrProcArgs)
			require.Equal(t, []string{"x", "***"}, args)
			out := plog.NewLogRecord()
			v.Reveal(out)
			require.Zero(t, out.Attributes().Len())
		})
	}
}

// A record without secrets that follows one with them shows its own values.
func TestSecretsEndWithTheirRecord(t *testing.T) {
	v := view(t, schema.EventProcessExec, nil, sealedAttributes(t,
		map[string]any{schema.ProcessParentCommand: "hunter2"}, map[string]any{schema.ProcessParentCommand: "***"}))
	rec := plog.NewLogRecord()
	rec.Attributes().PutStr(schema.ProcessParentCommand, "sh")
	v.SetRecord(rec)
	require.Zero(t, v.Secrets())
	require.False(t, v.Lost())
	command, _ := v.Named(schema.ProcessParentCommand)
	require.Equal(t, "sh", command)
	v.Unmark(rec)
	require.Equal(t, 1, rec.Attributes().Len())
}
