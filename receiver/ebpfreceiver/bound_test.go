//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/syscalls"
)

func TestHostPath(t *testing.T) {
	mounts := []string{"/etc:/h/etc::true:", "/srv/data:/h/etc/own:rw:true:rprivate", "/:/host::true:", "named:/vol::true:", "/x:/x/::true:"}
	for path, want := range map[string]string{
		"/h/etc": "/etc", "/h/etc/cron.d/x": "/etc/cron.d/x", "/h/etc/own/x": "/srv/data/x", "/h/etc/owner": "/etc/owner",
		"/host": "/", "/host/usr/bin/x": "/usr/bin/x", "/x/y": "/x/y",
		"/h/etcx": "", "/h": "", "/etc/x": "", "/vol/x": "",
	} {
		got, ok := hostPath(mounts, path)
		require.Equal(t, want, got, path)
		require.Equal(t, want != "", ok, path)
	}
}

// What a container did with the host's files before it ended is told by what it
// was made with.
func TestNamesOfAContainerThatHasEnded(t *testing.T) {
	info := &container.Info{Names: container.Names{Mounts: []string{"/etc:/h/etc::true:"}}}
	n := &namer{proc: t.TempDir(), processes: process.New(process.Options{Proc: t.TempDir()}), hostNS: 7, cgroup: func(*event.Event) *container.Info { return info }}
	call := func(name, base, given string, ns uint32) string {
		row, ok := syscalls.Index(name)
		require.True(t, ok)
		ev := &event.Event{Header: event.Header{Type: event.TypeSyscall, Key: event.ProcessKey{TGID: 1 << 30}}}
		ev.Task.MountNS = ns
		ev.Syscall = event.Syscall{Index: uint16(row), NumArgs: len(syscalls.Table[row].Args), Cwd: []byte(base)}
		ev.Syscall.Args[0].Bytes = []byte(given)
		return string(n.resolve(ev)[0])
	}
	require.Equal(t, "/etc/x", call("mkdir", "", "/h/etc/x", 8))
	require.True(t, n.ofHost[0])
	require.Equal(t, "/etc/cron.d", call("rmdir", "/h/etc", "../etc/./cron.d/", 8))
	require.Empty(t, call("mkdir", "", "/tmp/x", 8))
	require.False(t, n.ofHost[0])
	require.Empty(t, call("mkdir", "", "x", 8), "nobody knows where")
	require.Empty(t, call("mkdir", "", "/h/etc/x", 7), "it is on the host")
	info = nil
	require.Empty(t, call("mkdir", "", "/h/etc/x", 8))
}
