package translate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/sealed"
)

// recordOf is the only record that an activity makes.
func recordOf(t *testing.T, a *Activity) plog.LogRecord {
	t.Helper()
	l := NewLogs(host, "1.0")
	l.Append(a, wallOffset, observed)
	return l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// argument is the name of an attribute with an argument of a system call.
func argument(name string) string { return schema.SyscallArgPrefix + name }

func TestWhatIsMaskedIsSealed(t *testing.T) {
	exec := base(event.TypeExec)
	exec.Exec = event.Exec{Path: []byte("/usr/bin/tool")}
	failed := calls(t, "execve", -2, str("/bin/x"), event.Arg{Bytes: []byte("x\x00--token\x00hunter2\x00")}, event.Arg{})
	sent := calls(t, "sendto", 24, num(3), event.Arg{Bytes: []byte("AUTH token=hunter2\xff")}, num(19), num(0), event.Arg{}, num(0))
	key := calls(t, "add_key", 7, str("user"), str("password=hunter2"), event.Arg{}, num(0), num(0))
	for name, tt := range map[string]struct {
		ev             *event.Event
		masked, secret map[string]any
	}{
		"the command and its parent's": {
			exec,
			map[string]any{
				schema.ProcessCommandArgs:   []any{"tool", "--password", "***", "x"},
				schema.ProcessParentCommand: "sh -c tool --password ***",
			},
			map[string]any{
				schema.ProcessCommandArgs:   []any{"tool", "--password", "hunter2", "x"},
				schema.ProcessParentCommand: "sh -c tool --password hunter2",
			},
		},
		"a vector of a call": {
			failed,
			map[string]any{argument("argv"): []any{"x", "--token", "***"}},
			map[string]any{argument("argv"): []any{"x", "--token", "hunter2"}},
		},
		"what is sent": {
			sent,
			map[string]any{argument("data"): []byte("AUTH token=***")},
			map[string]any{argument("data"): []byte("AUTH token=hunter2\xff")},
		},
		"a text": {
			key,
			map[string]any{argument("description"): "password=***", argument("type"): "user"},
			map[string]any{argument("description"): "password=hunter2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := activity(tt.ev, rootInfo)
			a.Ancestors = []*process.Process{processSh}
			a.Arguments, a.Redact, a.Seal = true, true, true
			got := recordOf(t, a).Attributes().AsRaw()
			for name, want := range tt.masked {
				require.Equal(t, want, got[name], name)
			}
			number, ok := got[schema.Sealed].(int64)
			require.True(t, ok)
			values, ok := sealed.Shared().Open(number)
			require.True(t, ok)
			require.Equal(t, tt.secret, values.AsRaw())

			a.Seal = false
			got = recordOf(t, a).Attributes().AsRaw()
			require.NotContains(t, got, schema.Sealed, "nobody asks for it")
			for name, want := range tt.masked {
				require.Equal(t, want, got[name], name)
			}

			a.Redact = false
			got = recordOf(t, a).Attributes().AsRaw()
			for name, want := range tt.secret {
				require.Equal(t, want, got[name], name)
			}
		})
	}
}

func TestNothingMaskedNothingSealed(t *testing.T) {
	a := openActivity(t)
	a.Redact, a.Seal, a.Arguments = true, true, true
	require.NotContains(t, recordOf(t, a).Attributes().AsRaw(), schema.Sealed)
}
