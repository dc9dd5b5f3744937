//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// What a call is about is told by the directory that its name is relative to, and
// a path of which only a part is known may be any.
func TestFilterOfRelativeAndUnknownPaths(t *testing.T) {
	rules := func(condition string) *wanted {
		return needed(load(t, policy.File{Name: "r.yaml", Content: []byte("- rule: r\n  desc: x\n  priority: notice\n  output: x\n  condition: evt.type = openat and " + condition + "\n")}))
	}
	named, resolved := rules("fd.name = /etc/shadow"), rules("fs.path.resolved = /etc/shadow")
	row, ok := syscalls.Index("openat")
	require.True(t, ok)
	const other = "/tmp"
	for _, tt := range []struct {
		about     string
		wanted    *wanted
		dir       string // of a descriptor; empty for the working directory
		cwd, name string
		nameFlags event.ArgFlags
		path      string // the kernel's
		pathFlags event.ArgFlags
		want      bool
	}{
		{about: "below a descriptor", wanted: named, dir: "/etc", cwd: other, name: "shadow", want: true},
		{about: "below another descriptor", wanted: named, dir: other, cwd: "/etc", name: "shadow"},
		{about: "below the working directory", wanted: named, cwd: "/etc", name: "shadow", want: true},
		{about: "below another working directory", wanted: named, cwd: other, name: "shadow"},
		{about: "a part of a name", wanted: named, cwd: other, name: "/tmp/x", nameFlags: event.ArgTruncated, want: true},
		{about: "an unreadable name", wanted: named, cwd: other, nameFlags: event.ArgUnreadable, want: true},
		{about: "the file", wanted: resolved, cwd: other, name: "x", path: "/etc/shadow", want: true},
		{about: "another file", wanted: resolved, cwd: other, name: "x", path: "/etc/passwd"},
		{about: "a part of the file's path", wanted: resolved, cwd: other, name: "x", path: "/tmp/x", pathFlags: event.ArgTruncated, want: true},
	} {
		t.Run(tt.about, func(t *testing.T) {
			s := &event.Syscall{Index: uint16(row), NumArgs: len(syscalls.Table[row].Args), Return: 3, Cwd: []byte(tt.cwd)}
			cwd := unix.AT_FDCWD
			s.Args[0].Number = uint64(uint32(cwd))
			if tt.dir != "" {
				s.Args[0].Number, s.Args[0].Path = 5, []byte(tt.dir)
			}
			s.Args[1].Bytes, s.Args[1].Flags = []byte(tt.name), tt.nameFlags
			s.Result.Path, s.Result.Flags = []byte(tt.path), tt.pathFlags
			require.Equal(t, tt.want, tt.wanted.rows[row].wants(s, tool))
		})
	}
}
