package translate

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// broken is one byte of Latin-1 in a name.
const broken = "caf\xe9"

// actOf makes activities in which every text that a process can choose is s.
func actOf(t *testing.T, s string) []*Activity {
	t.Helper()
	raw := []byte(s)
	p := &process.Process{
		Key: keySelf, Name: s, Path: "/" + s, Cwd: "/" + s, Args: []string{s, "--token=" + s},
		Service: process.Service{Name: s, Namespace: s, Version: s},
	}
	cgroup := &container.Info{
		State: container.Container, Path: "/" + s, Ref: container.Ref{ContainerID: containerID},
		Names: container.Names{Name: s, Image: s, ImageTag: s},
	}
	exec := base(event.TypeExec)
	exec.Exec = event.Exec{Path: raw, Cwd: raw, Args: raw}
	open := calls(t, "openat", 3, dir("/"+s), str(s), num(0), num(0))
	open.Syscall.Cwd, open.Syscall.Result.Path = raw, raw
	unixSocket := event.Arg{Socket: event.Socket{Family: unix.AF_UNIX, PeerPath: append([]byte{0}, raw...), LocalPath: raw}}
	run := calls(t, "execve", -2, str(s), event.Arg{Bytes: append(append(append([]byte{}, raw...), 0), raw...)}, num(1))
	nobody := base(event.TypeExec)
	nobody.Task.Comm = raw
	var out []*Activity
	for _, ev := range []*event.Event{
		exec, open, run, nobody, calls(t, "symlink", 0, str(s), str(s)), calls(t, "connect", 0, unixSocket, event.Arg{}, num(0)),
	} {
		a := activity(ev, cgroup)
		a.Process, a.Ancestors, a.Arguments, a.Full, a.Redact = p, []*process.Process{p, p}, true, true, true
		a.User.Name, a.LoginUser.Name, a.Group.Name = s, s, s
		if ev == nobody {
			a.Process = nil
		}
		out = append(out, a)
	}
	return out
}

func requireValidLogs(t *testing.T, ld plog.Logs) {
	t.Helper()
	for _, rl := range ld.ResourceLogs().All() {
		require.True(t, utf8.ValidString(fmt.Sprint(rl.Resource().Attributes().AsRaw())))
		for _, rec := range rl.ScopeLogs().At(0).LogRecords().All() {
			require.True(t, utf8.ValidString(fmt.Sprint(rec.Attributes().AsRaw())), "%q", rec.Attributes().AsRaw())
		}
	}
}

// One text that is not UTF-8 would make a back end refuse a whole batch.
func FuzzRecordsAreUTF8(f *testing.F) {
	f.Add([]byte(broken))
	f.Add([]byte("\xff/\xfe/../\x80"))
	f.Add([]byte("--password\x00\xc3("))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := NewLogs(Host{Name: string(raw)}, "1.0")
		for range 2 { // from the cache too
			for _, a := range actOf(t, string(raw)) {
				l.Append(a, wallOffset, observed)
			}
		}
		requireValidLogs(t, l.Take())
	})
}

func TestBrokenTextsAreReplaced(t *testing.T) {
	l := NewLogs(host, "1.0")
	l.Append(actOf(t, broken)[0], wallOffset, observed)
	attrs := l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	path, _ := attrs.Get(schema.ProcessPath)
	require.Equal(t, "/caf\uFFFD", path.Str())
	args, _ := attrs.Get(schema.ProcessCommandArgs)
	require.Equal(t, []any{"caf\uFFFD", "--token=***"}, args.Slice().AsRaw())
}

func TestValidTextsCostNothing(t *testing.T) {
	l := NewLogs(host, "")
	name := []byte("/srv/caf\u00e9")
	l.texts.text(name)
	require.Zero(t, alloctest.PerRun(100, func() { l.texts.text(name) }))
}
