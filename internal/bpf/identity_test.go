package bpf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// awaitExec finds the exec of a process.
func awaitExec(t *testing.T, a *Agent, pid uint32, check func(ev *event.Event)) {
	t.Helper()
	await(t, a, "exec", func(ev *event.Event) bool {
		if ev.Type != event.TypeExec || ev.Key.TGID != pid {
			return false
		}
		check(ev)
		return true
	})
}

// capabilities reads a set of this process from /proc.
func capabilities(t *testing.T, name string) uint64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(raw), name+":")
	require.True(t, found)
	n, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
	require.NoError(t, err)
	return n
}

// TestIdentityOfPrograms: what an exec tells of the capabilities, the session,
// the process group, and the file.
func TestIdentityOfPrograms(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		cmd := helper(t, "seven")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		pid := uint32(runHelper(t, cmd))
		var st unix.Stat_t
		require.NoError(t, unix.Stat(cmd.Path, &st))
		awaitExec(t, a, pid, func(ev *event.Event) {
			id := &ev.Identity
			assert.True(t, id.Known)
			assert.Equal(t, capabilities(t, "CapEff"), id.CapEffective)
			assert.Equal(t, capabilities(t, "CapPrm"), id.CapPermitted)
			assert.Equal(t, capabilities(t, "CapInh"), id.CapInheritable)
			assert.Equal(t, ev.Task.VPID, id.SID, "leads its session")
			assert.Equal(t, ev.Task.VPID, id.VPGID)
			assert.EqualValues(t, st.Ctim.Nano(), ev.Exec.Ctime)
			assert.EqualValues(t, st.Mtim.Nano(), ev.Exec.Mtime)
			assert.NotZero(t, ev.Exec.File.Flags&event.FileWritable, "by root")
			assert.Less(t, id.PIDNSStart, ev.Key.Start)
		})
	})
}

// TestIdentityOfOthers: an ordinary user, in a pid namespace of its own whose
// first process it is.
func TestIdentityOfOthers(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		dir := realTempDir(t)
		for d := dir; d != "/" && d != "/tmp"; d = filepath.Dir(d) {
			require.NoError(t, os.Chmod(d, 0o755))
		}
		self, err := os.ReadFile("/proc/self/exe")
		require.NoError(t, err)
		for name, c := range map[string]struct {
			mode, uid, gid int
			groups         []uint32
			writable       bool
		}{
			"others may not":   {0o755, 0, 0, nil, false},
			"others may":       {0o757, 0, 0, nil, true},
			"owner":            {0o555, 1234, 0, nil, true},
			"group may":        {0o775, 0, 1234, nil, true},
			"group may not":    {0o757, 0, 1234, nil, false},
			"another group":    {0o775, 0, 77, []uint32{5, 77}, true},
			"not in the group": {0o775, 0, 77, []uint32{5, 78}, false},
		} {
			t.Run(name, func(t *testing.T) {
				path := filepath.Join(dir, strings.ReplaceAll(name, " ", "_"))
				require.NoError(t, os.WriteFile(path, self, 0o755))
				require.NoError(t, os.Chown(path, c.uid, c.gid))
				require.NoError(t, os.Chmod(path, os.FileMode(c.mode)))
				cmd := exec.CommandContext(t.Context(), path)
				cmd.Env = []string{helperEnv + "=seven"}
				cmd.SysProcAttr = &syscall.SysProcAttr{
					Credential: &syscall.Credential{Uid: 1234, Gid: 1234, Groups: c.groups}, Cloneflags: unix.CLONE_NEWPID,
				}
				awaitExec(t, a, uint32(runHelper(t, cmd)), func(ev *event.Event) {
					assert.Equal(t, c.writable, ev.Exec.File.Flags&event.FileWritable != 0)
					assert.Zero(t, ev.Identity.CapEffective)
					assert.EqualValues(t, 1, ev.Task.VPID)
					assert.Equal(t, ev.Key.Start, ev.Identity.PIDNSStart)
					assert.Zero(t, ev.Identity.SID, "the session lies outside")
				})
			})
		}
	})
}
