//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/critical"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/realpath"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// What a program in a chroot names is not the host's, when it has ended as well:
// "chroot DIR rm /etc/x" is over before anybody can look.
func TestNamesInAChroot(t *testing.T) {
	const ns, living, gone = 7, 100, 200
	proc, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	host, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, dir := range []string{"etc", "srv/jail/etc", "srv/jail/srv/jail/etc"} {
		require.NoError(t, os.MkdirAll(filepath.Join(host, dir), 0o700))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(proc, strconv.Itoa(living)), 0o700))
	require.NoError(t, os.Symlink(host, filepath.Join(proc, strconv.Itoa(living), "root")))

	parent, actor := process.Key{TGID: living, Start: 1}, process.Key{TGID: gone, Start: 2}
	n := &namer{proc: proc, critical: critical.New(t.TempDir()), links: realpath.NewLinks()}
	begin := func() {
		n.processes = process.New(process.Options{Proc: t.TempDir()})
		for _, k := range []process.Key{parent, actor} {
			ev := &event.Event{Header: event.Header{Type: event.TypeExec, Key: k, Time: k.Start}}
			ev.Task.MountNS = ns
			if k == actor {
				ev.Task.Parent = parent
			}
			n.processes.Apply(ev)
		}
	}
	made := func(name, cwd, given string, ret int64) *event.Event {
		row, ok := syscalls.Index(name)
		require.True(t, ok)
		ev := &event.Event{Header: event.Header{Type: event.TypeSyscall, Key: actor, Time: 3}}
		ev.Task.MountNS = ns
		ev.Syscall = event.Syscall{Index: uint16(row), Return: ret, NumArgs: len(syscalls.Table[row].Args), Cwd: []byte(cwd)}
		ev.Syscall.Args[0].Bytes = []byte(given)
		return ev
	}
	removed := func() string { return string(n.resolve(made("unlink", "", "/etc/x", 0))[0]) }

	begin()
	require.Equal(t, host+"/etc/x", removed())
	n.reroot(made("chroot", "", "/srv/jail", -1))
	n.reroot(made("chdir", "", "/srv/jail", 0))
	require.Equal(t, host+"/etc/x", removed(), "nothing has changed")
	n.reroot(made("chroot", "", "/srv/jail", 0))
	require.Equal(t, host+"/srv/jail/etc/x", removed())
	n.reroot(made("chroot", "", "/srv/jail", 0))
	require.Equal(t, host+"/srv/jail/srv/jail/etc/x", removed(), "a root in a root")
	n.reroot(made("chroot", host, ".", 0)) // of a directory that is still open, and above
	require.Equal(t, host+"/etc/x", removed(), "the way out")

	begin()
	n.reroot(made("chroot", host+"/srv", "jail", 0))
	require.Equal(t, host+"/srv/jail/etc/x", removed(), "a relative name")
	unread := made("chroot", "", "", 0)
	unread.Syscall.Args[0].Flags = event.ArgUnreadable
	n.reroot(unread)
	require.Equal(t, host+"/etc/x", removed(), "nobody knows where: as if it had not happened")

	// One that lives is asked itself.
	begin()
	require.NoError(t, os.MkdirAll(filepath.Join(proc, strconv.Itoa(gone)), 0o700))
	require.NoError(t, os.Symlink(host+"/srv/jail", filepath.Join(proc, strconv.Itoa(gone), "root")))
	n.reroot(made("chroot", "", "/another/name/for/it", 0))
	require.NoError(t, os.RemoveAll(filepath.Join(proc, strconv.Itoa(gone))))
	require.Equal(t, host+"/srv/jail/etc/x", removed())
}
