//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// routine reads and writes what rules are about and what they are not, by all
// sorts of names.
const routine = `
set +e
cd "$1"
cat /etc/shadow /etc/../etc/shadow /etc//shadow /etc/./sudoers /none /etc/none
ln -s /etc/shadow link; cat link; ln /bin/true true; (cd /etc && cat shadow passwd ../etc/shadow)
mkdir -p a/b; echo x > a/b/c; echo y >> a/b/c; cat a/b/../b/c; mv a/b/c a/d; chmod u+s a/d; rm -r a
cat /proc/self/environ /proc/1/environ /dev/null; : > /dev/null
cat /root/.ssh/id_rsa "$HOME/.bashrc"; : > .bash_history; rm .bash_history
find /etc /usr/share/doc -maxdepth 1 > /dev/null; grep -r none /etc/pam.d /etc/apt
bash -c 'exec 3</etc/hostname; read -r x <&3'; dpkg -l > /dev/null; apt-cache policy > /dev/null
getent hosts localhost none.invalid; logger -u /none x; python3 -c '
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b"x", ("192.0.2.1", 53))
u.connect(("192.0.2.2", 53)); u.send(b"x"); u.sendto(b"x", ("192.0.2.2", 53)); u.sendmsg([b"x"])
a, b = socket.socketpair(); a.send(b"x"); b.recv(1); a.sendmsg([b"x"])'
bash -c ": > /dev/tcp/127.0.0.1/1"; curl -s --max-time 2 --unix-socket /none http://x/
tar cf x.tar /etc/hostname; sh -c 'command -v cc && echo "int main(){}" > m.c && cc -c m.c'
`

// TestLiveFilterKeepsVerdicts has two agents watch the same programs, one with
// the filters of the rules in the kernel: both must see what the rules match.
func TestLiveFilterKeepsVerdicts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to load eBPF programs")
	}
	whole, narrow := liveAgent(t), liveAgent(t)
	for name, set := range ruleSets(t) {
		t.Run(name, func(t *testing.T) {
			var wants interest.Set
			for _, typ := range set.EventTypes() {
				wants = wants.With(typ, set.Needs(typ))
			}
			_, err := whole.SetInterest(wants.Whole())
			require.NoError(t, err)
			_, err = narrow.SetInterest(wants)
			require.NoError(t, err)
			for _, a := range []*bpf.Agent{whole, narrow} {
				_, err := a.Security().Drain(func([]byte) {})
				require.NoError(t, err)
			}

			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", routine, "sh", t.TempDir())
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			require.NoError(t, cmd.Start())
			_ = cmd.Wait() // much of it fails, as it shall

			all := matchesOf(t, whole, set, uint32(cmd.Process.Pid))
			kernel := matchesOf(t, narrow, set, uint32(cmd.Process.Pid))
			require.NotEmpty(t, all.hits)
			require.Equal(t, all.hits, kernel.hits)
			require.LessOrEqual(t, kernel.calls, all.calls)
			require.Less(t, all.wanted, all.calls)
			t.Logf("%d of %d calls come through the kernel's filter, %d through the receiver's; %d kinds match",
				kernel.calls, all.calls, all.wanted, len(all.hits))
		})
	}
}

func liveAgent(t *testing.T) *bpf.Agent {
	t.Helper()
	a, err := bpf.Load(bpf.Options{SecurityRing: 32 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

// liveResult is what one agent has told of the routine.
type liveResult struct {
	calls, wanted int            // calls in all, and those that the receiver lets through
	hits          map[string]int // by rule, call and file
}

// matchesOf reads what an agent has seen of the process group and evaluates it.
func matchesOf(t *testing.T, a *bpf.Agent, set *policy.RuleSet, group uint32) liveResult {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	tables := newEnricher(cfg).processes
	build, view, w := translate.NewLogs(translate.Host{}, ""), record.New(), needed(set)
	res := liveResult{hits: map[string]int{}}
	var ev event.Event
	_, err := a.Security().Drain(func(raw []byte) {
		require.NoError(t, event.Decode(raw, &ev))
		if ev.Task.PGID != group {
			return
		}
		p := tables.Apply(&ev).Process
		if ev.Type != event.TypeSyscall {
			return
		}
		res.calls++
		wants := w.rows[ev.Syscall.Index].wants(&ev.Syscall, p)
		if wants {
			res.wanted++
		}
		build.Append(&translate.Activity{
			Owner: translate.Owner{Process: p, Cgroup: &container.Info{State: container.Host, Path: "/"}},
			Event: &ev, Name: translate.SyscallEventName(&ev.Syscall), Arguments: true, Full: true,
			Ancestors: tables.AppendAncestors(nil, ev.Key, 10),
		}, 0, time.Now())
		for _, rule := range recordMatches(view, set, build.Take()) {
			require.True(t, wants, "%s matches what is left out: %v", rule, ev.Syscall)
			res.hits[fmt.Sprintf("%s: %s %s", rule, ev.Syscall.Name(), ev.Syscall.Result.Path)]++
		}
	})
	require.NoError(t, err)
	st, err := a.Stats()
	require.NoError(t, err)
	total := st.Classes[bpf.Security].Total()
	require.Zero(t, total.TotalLost())
	return res
}
