//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/process"
)

func TestPipes(t *testing.T) {
	proc := t.TempDir()
	run := func(p *pipes, pid uint32, name string, fds ...string) []string {
		dir := filepath.Join(proc, strconv.Itoa(int(pid)), "fd")
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(dir, 0o700))
		for fd, target := range fds {
			require.NoError(t, os.Symlink(target, filepath.Join(dir, strconv.Itoa(fd))))
		}
		from, to := p.started(&process.Process{Key: process.Key{TGID: pid}, Name: name})
		return []string{from, to}
	}
	p := newPipes(proc)
	require.Equal(t, []string{"", ""}, run(p, 1, "curl", "/dev/null", "pipe:[7]"))
	require.Equal(t, []string{"curl", ""}, run(p, 2, "sh", "pipe:[7]", "/dev/pts/0"))
	require.Equal(t, []string{"", ""}, run(p, 3, "sh", "pipe:[8]"))
	require.Equal(t, []string{"", "sh"}, run(p, 4, "wget", "socket:[8]", "pipe:[8]"), "in the other order")
	require.Equal(t, []string{"", ""}, run(p, 6, "gone"))
	require.Equal(t, []string{"", ""}, run(p, 7, "odd", "pipe:[x]", "pipe:"))
	from, to := p.started(nil)
	require.Empty(t, from+to)

	for n := range maxPipes + 10 {
		run(p, 8, "x", fmt.Sprintf("pipe:[%d]", 1000+n))
	}
	require.Len(t, p.ends, maxPipes)
}
