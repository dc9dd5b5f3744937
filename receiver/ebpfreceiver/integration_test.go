//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// patience is how long a test waits for what must come, and how often it looks.
const patience, pollInterval = 60 * time.Second, 10 * time.Millisecond

// live is a receiver on the real kernel, with sinks behind it.
type live struct {
	*ebpfReceiver
	logs     *consumertest.LogsSink
	traces   *consumertest.TracesSink
	metrics  *consumertest.MetricsSink
	registry *interest.Registry
}

// newLive makes a receiver that sees the kernel; the test is skipped where that
// is not allowed.
func newLive(t *testing.T, change func(*Config)) *live {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load BPF programs")
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Activity.FlushInterval = 20 * time.Millisecond
	cfg.RingBuffer = RingBufferConfig{SecuritySize: 32 << 20, RequestsSize: 32 << 20} // the machine may be busy with other tests
	cfg.MetricsInterval = 200 * time.Millisecond
	cfg.Requests.TLS.Enabled = false // others than its own tests do without: the kernel takes long to let go of a probe
	if change != nil {
		change(cfg)
	}
	l := &live{
		ebpfReceiver: newReceiver(cfg, receivertest.NewNopSettings(typ)),
		logs:         new(consumertest.LogsSink), traces: new(consumertest.TracesSink), metrics: new(consumertest.MetricsSink),
		registry: new(interest.Registry),
	}
	l.ebpfReceiver.logs, l.ebpfReceiver.traces, l.ebpfReceiver.metrics = l.logs, l.traces, l.metrics
	l.ebpfReceiver.registry = l.registry
	return l
}

func (l *live) start(t *testing.T) {
	t.Helper()
	err := l.Start(t.Context(), componenttest.NewNopHost())
	if errors.Is(err, unix.EPERM) {
		t.Skipf("this root may not load BPF programs: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.WithoutCancel(t.Context()))) })
	// Until it reads the ring it captures no system calls.
	require.Eventually(t, func() bool { return l.running.interest.following.Load() }, patience, time.Millisecond)
}

// found is a record with its resource.
type found struct {
	resource pcommon.Map
	rec      plog.LogRecord
}

func (f found) text(key string) string {
	v, ok := f.rec.Attributes().Get(key)
	if !ok {
		if v, ok = f.resource.Get(key); !ok {
			return ""
		}
	}
	return v.AsString()
}

// find waits for a record of an event that satisfies match.
func (l *live) find(t *testing.T, event string, match func(found) bool) found {
	t.Helper()
	var out found
	seen := 0
	require.Eventually(t, func() bool {
		all := l.logs.AllLogs()
		for ; seen < len(all); seen++ {
			for _, rl := range all[seen].ResourceLogs().All() {
				for _, sl := range rl.ScopeLogs().All() {
					for _, rec := range sl.LogRecords().All() {
						f := found{resource: rl.Resource().Attributes(), rec: rec}
						if rec.EventName() == event && match(f) {
							out = f
							return true
						}
					}
				}
			}
		}
		return false
	}, patience, pollInterval, "no such %s", event)
	return out
}

// marker is an argument that no other process of the machine has. By its end none is the
// beginning of another.
func marker(t *testing.T) string {
	t.Helper()
	return "sightglass-" + strconv.Itoa(os.Getpid()) + "-" + filepath.Base(t.TempDir()) + "-" + t.Name() + "."
}

func byArgs(want ...string) func(found) bool {
	list := pcommon.NewValueSlice()
	for _, w := range want {
		list.Slice().AppendEmpty().SetStr(w)
	}
	return func(f found) bool { return f.text(schema.ProcessCommandArgs) == list.AsString() }
}

func TestLiveExec(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	mark := marker(t)
	cmd := exec.Command("/bin/sh", "-c", "sleep 0; exec /bin/echo "+mark+" --password hunter2")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=echoes")
	before := time.Now()
	require.NoError(t, cmd.Run())

	f := l.find(t, schema.EventProcessExec, byArgs("/bin/echo", mark, "--password", "***"))
	require.Equal(t, strconv.Itoa(cmd.Process.Pid), f.text(schema.ProcessPID))
	require.Equal(t, "echo", f.text(schema.ProcessName))
	require.Equal(t, cmd.Dir, f.text(schema.ProcessWorkingDirectory))
	require.Equal(t, strconv.Itoa(os.Getpid()), f.text(schema.ProcessParentPID))
	self, err := os.Executable()
	require.NoError(t, err)
	require.Equal(t, self, f.text(schema.ProcessParentPath))
	require.NotEmpty(t, f.text(schema.ProcessAncestors))
	require.Equal(t, "root", f.text(schema.ProcessUserName))
	require.NotEmpty(t, f.text(schema.HostName))
	require.NotEmpty(t, f.text(schema.ServiceName))
	require.WithinRange(t, f.rec.Timestamp().AsTime(), before.Add(-time.Second), time.Now())
	require.False(t, f.rec.ObservedTimestamp().AsTime().Before(f.rec.Timestamp().AsTime().Add(-100*time.Millisecond)))

	// A child that the shell forked, with the shell as its parent.
	f = l.find(t, schema.EventProcessExec, func(f found) bool {
		return f.text(schema.ProcessName) == "sleep" && f.text(schema.ProcessParentPID) == strconv.Itoa(cmd.Process.Pid)
	})
	require.Equal(t, "sh", f.text(schema.ProcessParentName))

	f = l.find(t, schema.EventProcessExit, func(f found) bool {
		return f.text(schema.ProcessPID) == strconv.Itoa(cmd.Process.Pid)
	})
	require.Equal(t, "0", f.text(schema.ProcessExitCode))
}

func TestLiveServiceFromEnvironment(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	cmd := exec.Command("sleep", "60")
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=napping-service")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	f := l.find(t, schema.EventProcessExec, func(f found) bool {
		return f.text(schema.ProcessPID) == strconv.Itoa(cmd.Process.Pid)
	})
	require.Equal(t, "napping-service", f.text(schema.ServiceName))
}

func TestLiveKill(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	pid := strconv.Itoa(cmd.Process.Pid)
	l.find(t, schema.EventProcessExec, func(f found) bool { return f.text(schema.ProcessPID) == pid })
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	f := l.find(t, schema.EventProcessExit, func(f found) bool { return f.text(schema.ProcessPID) == pid })
	require.Equal(t, "9", f.text(schema.ProcessExitSignal))
}

func TestLiveOpen(t *testing.T) {
	l := newLive(t, nil)
	h := l.registry.Register("test", interest.Names("openat", "open", "openat2"))
	defer h.Release()
	l.start(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink("file", filepath.Join(dir, "link")))

	cmd := exec.Command("/bin/sh", "-c", "cat < ./link")
	cmd.Dir = dir
	require.NoError(t, cmd.Run())
	f := l.find(t, schema.EventFileOpen, func(f found) bool {
		return f.text(schema.FilePath) == filepath.Join(dir, "link")
	})
	require.Equal(t, file, f.text(schema.FileResolvedPath))
	require.Equal(t, "./link", f.text(schema.SyscallArgPrefix+"name"))
	require.Equal(t, "file", f.text(schema.FileDescriptorType))
	require.Empty(t, f.text(schema.Self))

	// What this process, the agent, does itself reaches policies, marked.
	_, err := os.ReadFile(file)
	require.NoError(t, err)
	f = l.find(t, schema.EventFileOpen, func(f found) bool {
		return f.text(schema.FilePath) == file && f.text(schema.ProcessPID) == strconv.Itoa(os.Getpid())
	})
	require.Equal(t, "true", f.text(schema.Self))
}

func TestLiveInterestFollows(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	dir := t.TempDir()
	unlink := func(name string) {
		require.NoError(t, exec.Command("/bin/sh", "-c", "> "+filepath.Join(dir, name)+"; rm "+filepath.Join(dir, name)).Run())
	}
	h := l.registry.Register("test", interest.Names("unlink", "unlinkat"))
	require.Eventually(t, func() bool { return l.running.activity.wanted.Load().registered }, patience, time.Millisecond)
	unlink("first")
	l.find(t, schema.EventFileChange, func(f found) bool { return f.text(schema.FilePath) == filepath.Join(dir, "first") })
	h.Release()
	require.Eventually(t, func() bool { return !l.running.activity.wanted.Load().registered }, patience, time.Millisecond)
	unlink("second")
	mark := marker(t)
	require.NoError(t, exec.Command("/bin/echo", mark).Run())
	l.find(t, schema.EventProcessExec, byArgs("/bin/echo", mark))
	for _, logs := range l.logs.AllLogs() {
		for _, rl := range logs.ResourceLogs().All() {
			for _, rec := range rl.ScopeLogs().At(0).LogRecords().All() {
				if v, ok := rec.Attributes().Get(schema.FilePath); ok {
					require.NotContains(t, v.Str(), "second")
				}
			}
		}
	}
}

func TestLiveNetwork(t *testing.T) {
	l := newLive(t, nil)
	h := l.registry.Register("test", interest.Names("connect", "accept", "accept4", "listen", "bind"))
	defer h.Release()
	l.start(t)
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = server.Close() }()
	port := server.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash for a client of its own")
	}
	require.NoError(t, exec.Command(bash, "-c", "exec 3<>/dev/tcp/127.0.0.1/"+strconv.Itoa(port)).Run())
	isPort := func(key string) func(found) bool {
		return func(f found) bool { return f.text(key) == strconv.Itoa(port) }
	}
	f := l.find(t, schema.EventNetworkConnect, isPort(schema.NetworkPeerPort))
	require.Equal(t, "127.0.0.1", f.text(schema.NetworkPeerAddress))
	require.Equal(t, "tcp", f.text(schema.NetworkTransport))
	require.Equal(t, "bash", f.text(schema.ProcessName))
	f = l.find(t, schema.EventNetworkAccept, isPort(schema.NetworkLocalPort))
	require.Equal(t, "server", f.text(schema.SocketRole))
	require.Equal(t, "true", f.text(schema.Self))
	l.find(t, schema.EventNetworkListen, isPort(schema.NetworkLocalPort))
}

func TestLiveMetrics(t *testing.T) {
	l := newLive(t, func(c *Config) { c.SyscallLatency.Enabled = true })
	l.start(t)
	require.NoError(t, exec.Command("/bin/true").Run())
	require.Eventually(t, func() bool {
		seen := map[string]float64{}
		for _, m := range l.metrics.AllMetrics() {
			for _, rm := range m.ResourceMetrics().All() {
				for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
					seen[metric.Name()]++
					if metric.Name() == schema.MetricProcessCount {
						seen["processes"] = float64(metric.Gauge().DataPoints().At(0).IntValue())
					}
				}
			}
		}
		return seen["processes"] > 3 && seen[schema.MetricEventsReceived] > 0 && seen[schema.MetricEventsLost] > 0 &&
			seen[schema.MetricHookStatus] > 0 && seen[schema.MetricSyscallDuration] > 0
	}, patience, 50*time.Millisecond)
	require.NotNil(t, process.Shared())
}

func TestLiveLifecycle(t *testing.T) {
	l := newLive(t, nil)
	require.NoError(t, l.Shutdown(t.Context()), "without Start")
	l.start(t)
	require.Error(t, l.Start(t.Context(), componenttest.NewNopHost()), "twice")
	mark := marker(t)
	require.NoError(t, exec.Command("/bin/echo", mark).Run())
	began := time.Now()
	require.NoError(t, l.Shutdown(t.Context()))
	t.Logf("shutdown took %v", time.Since(began))
	require.NoError(t, l.Shutdown(t.Context()))
	require.Nil(t, process.Shared())
	// What happened before Shutdown was forwarded by it.
	l.find(t, schema.EventProcessExec, byArgs("/bin/echo", mark))
	require.Empty(t, ownLinks(t), "programs are still attached")
}

// ownLinks lists this process's descriptors of BPF objects.
func ownLinks(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && len(to) > 10 &&
			(to == "anon_inode:bpf_link" || to == "anon_inode:bpf-prog" || to == "anon_inode:bpf-map" || to == "anon_inode:bpf_iter") {
			out = append(out, to)
		}
	}
	return out
}

func TestLiveStopsInTheMiddle(t *testing.T) {
	l := newLive(t, nil)
	all := make([]string, len(syscalls.Table))
	for i := range all {
		all[i] = syscalls.Table[i].Name
	}
	h := l.registry.Register("test", interest.Names(all...))
	defer h.Release()
	l.start(t)
	storm := exec.Command("/bin/sh", "-c", "while :; do /bin/true; done")
	storm.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	require.NoError(t, storm.Start())
	defer func() { _ = unix.Kill(-storm.Process.Pid, unix.SIGKILL); _ = storm.Wait() }()
	require.Eventually(t, func() bool { return l.logs.LogRecordCount() > 500 }, patience, time.Millisecond)
	require.NoError(t, l.Shutdown(t.Context()))
	n := l.logs.LogRecordCount()
	time.Sleep(50 * time.Millisecond)
	require.Equal(t, n, l.logs.LogRecordCount(), "nothing comes after Shutdown")
	require.Empty(t, ownLinks(t))
}
