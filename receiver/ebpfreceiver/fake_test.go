//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// fakeKernel plays records that a test has written.
type fakeKernel struct {
	seeds    [][]byte
	rings    [2]*fakeRing
	hooks    []bpf.Hook
	worse    []bpf.Degradation
	stats    bpf.Stats
	statsErr error
	sockets  bpf.RequestStats
	latency  []bpf.Latency

	mu       sync.Mutex
	wanted   []string
	filtered bool
	closed   int

	environment bool
}

func newFakeKernel() *fakeKernel {
	return &fakeKernel{
		rings: [2]*fakeRing{newFakeRing(), newFakeRing()},
		hooks: []bpf.Hook{{Name: "sched_process_exec", Attached: true}},
	}
}

func (k *fakeKernel) Seed(handle func([]byte)) error {
	if k.seeds == nil {
		return bpf.ErrNoIterator
	}
	for _, raw := range k.seeds {
		handle(raw)
	}
	return nil
}

func (k *fakeKernel) SetInterest(set interest.Set) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = set.Sorted()
	k.filtered = set.Filter("openat") != nil
	return []string{"nosuchcall"}, nil
}

func (k *fakeKernel) SetExecEnvironment(on bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.environment = on
	return nil
}

func (k *fakeKernel) SetKnownFiles(_, _ []uint64) error { return nil }

func (k *fakeKernel) interest() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wanted
}

func (k *fakeKernel) Hooks() []bpf.Hook                       { return k.hooks }
func (k *fakeKernel) Degradations() []bpf.Degradation         { return k.worse }
func (k *fakeKernel) Stats() (bpf.Stats, error)               { return k.stats, k.statsErr }
func (k *fakeKernel) RequestStats() (bpf.RequestStats, error) { return k.sockets, k.statsErr }
func (k *fakeKernel) Strays() ([]bpf.Stray, error)            { return nil, nil }
func (k *fakeKernel) AttachTLS(string, []bpf.TLSProbe) (io.Closer, error) {
	return nil, bpf.ErrNoTLS
}
func (k *fakeKernel) TLSStats() (s bpf.TLSStats, err error)   { return s, nil }
func (k *fakeKernel) Judge(uint64, uint32, uint8, bool) error { return nil }
func (k *fakeKernel) security() source                        { return k.rings[bpf.Security] }
func (k *fakeKernel) requests() source                        { return k.rings[bpf.Requests] }

func (k *fakeKernel) Latencies(handle func(*bpf.Latency)) error {
	if k.latency == nil {
		return bpf.ErrLatencyOff
	}
	for i := range k.latency {
		handle(&k.latency[i])
	}
	return nil
}

func (k *fakeKernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed++
	if k.closed == 1 {
		close(k.rings[0].end)
		close(k.rings[1].end)
	}
	return nil
}

// fakeRing is a source that a test writes to.
type fakeRing struct {
	records chan []byte
	end     chan struct{}
	err     error
}

func newFakeRing() *fakeRing {
	return &fakeRing{records: make(chan []byte, 1024), end: make(chan struct{})}
}

// Pending never says that everything has been handled.
func (r *fakeRing) Pending() int { return 1 }

func (r *fakeRing) Run(handle func([]byte), pause func(int)) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case raw := <-r.records:
			handle(raw)
		case <-tick.C:
			if len(r.records) == 0 {
				pause(0)
			}
		case <-r.end:
			return r.err
		}
	}
}

// bench is a receiver over a fake kernel, with sinks.
type bench struct {
	*ebpfReceiver
	kernel   *fakeKernel
	logs     *consumertest.LogsSink
	traces   *consumertest.TracesSink
	metrics  *consumertest.MetricsSink
	registry *interest.Registry
	opts     bpf.Options // that it was loaded with
	loadErr  error
}

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = t.TempDir()
	cfg.Activity.FlushInterval = minFlush
	cfg.MetricsInterval = minInterval
	if change != nil {
		change(cfg)
	}
	b := &bench{
		ebpfReceiver: newReceiver(cfg, receivertest.NewNopSettings(typ)), kernel: newFakeKernel(),
		logs: new(consumertest.LogsSink), traces: new(consumertest.TracesSink), metrics: new(consumertest.MetricsSink),
		registry: new(interest.Registry),
	}
	b.ebpfReceiver.logs, b.ebpfReceiver.traces, b.ebpfReceiver.metrics = b.logs, b.traces, b.metrics
	b.ebpfReceiver.registry = b.registry
	b.load = func(opts bpf.Options) (kernel, error) {
		b.opts = opts
		if b.loadErr != nil {
			return nil, b.loadErr
		}
		return b.kernel, nil
	}
	return b
}

func (b *bench) start(t *testing.T) {
	t.Helper()
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, b.Shutdown(context.WithoutCancel(t.Context()))) })
}

// write puts records into the security ring.
func (b *bench) write(records ...[]byte) {
	for _, r := range records {
		b.kernel.rings[bpf.Security].records <- r
	}
}

var errRefused = errors.New("operation not permitted")

// The wire, as bpf/event.h has it, written by hand: what a test needs of it.
type wire struct {
	ev    event.Event
	extra []byte
}

func at(ev *event.Event) *wire { return &wire{ev: *ev} }

// task writes an event's header and task.
func (w *wire) task(body int) []byte {
	ne, h, k := binary.NativeEndian, &w.ev.Header, &w.ev.Task
	b := make([]byte, 0, 512)
	b = ne.AppendUint16(b, uint16(h.Type))
	b = ne.AppendUint16(b, uint16(h.Flags))
	b = ne.AppendUint32(b, uint32(32+96+body))
	b = ne.AppendUint64(b, h.Time)
	b = ne.AppendUint64(b, h.Key.Start)
	b = ne.AppendUint32(b, h.Key.TGID)
	b = ne.AppendUint32(b, h.TID)
	b = ne.AppendUint64(b, k.Parent.Start)
	b = ne.AppendUint64(b, k.CgroupID)
	var flags uint32
	for _, v := range []uint32{
		k.Parent.TGID, k.UID, k.GID, k.EUID, k.EGID, k.LoginUID, k.Session, k.TTY, k.VPID, k.VTID,
		k.CgroupHierarchy, k.MountNS, k.PIDNS, k.NetNS, flags, k.PGID,
	} {
		b = ne.AppendUint32(b, v)
	}
	var comm [16]byte
	copy(comm[:15], k.Comm)
	return append(b, comm[:]...)
}

func (w *wire) fork() []byte {
	ne, f := binary.NativeEndian, &w.ev.Fork
	b := w.task(16)
	b = ne.AppendUint64(b, f.Parent.Start)
	b = ne.AppendUint32(b, f.Parent.TGID)
	return ne.AppendUint32(b, f.ParentTID)
}

func (w *wire) exit() []byte {
	return append(w.task(8), w.ev.Exit.Code, w.ev.Exit.Signal, 0, 0, 0, 0, 0, 0)
}

// exec writes an exec or a seed: executable (part 10) and argv (part 13).
func (w *wire) exec(exe string, args ...string) []byte {
	var argv []byte
	for _, a := range args {
		argv = append(append(argv, a...), 0)
	}
	var names []byte // from the file up to the root
	for start := len(exe); start > 0; {
		slash := start - 1
		for exe[slash] != '/' {
			slash--
		}
		names = append(append(names, exe[slash+1:start]...), 0)
		start = slash
	}
	body := make([]byte, 72)
	binary.NativeEndian.PutUint32(body[4:], uint32(len(args)))
	binary.NativeEndian.PutUint64(body[48:], w.ev.Exec.Input)
	binary.NativeEndian.PutUint64(body[56:], w.ev.Exec.Output)
	body = appendExtra(body, 10, 2, names)
	body = appendExtra(body, 13, 1, argv)
	return append(w.task(len(body)), body...)
}

// call writes a system call without extras.
func (w *wire) call(t *testing.T, name string, ret int64, args ...uint64) []byte {
	t.Helper()
	row, ok := syscalls.Index(name)
	require.True(t, ok)
	ne := binary.NativeEndian
	body := ne.AppendUint64(nil, uint64(ret))
	body = ne.AppendUint64(body, 0)
	for i := range 6 {
		var v uint64
		if i < len(args) {
			v = args[i]
		}
		body = ne.AppendUint64(body, v)
	}
	body = ne.AppendUint16(body, uint16(row))
	body = append(body, 0, 0, 0, 0, 0, 0)
	body = append(body, w.extra...)
	return append(w.task(len(body)), body...)
}

// cgroup writes the making or the end of a control group.
func (w *wire) cgroup(id uint64, path string) []byte {
	ne := binary.NativeEndian
	body := ne.AppendUint64(nil, id)
	body = ne.AppendUint32(body, 0)
	body = ne.AppendUint32(body, 1)
	body = appendExtra(body, 15, 1, append([]byte(path), 0))
	h := w.task(0)[:32]
	ne.PutUint32(h[4:], uint32(32+len(body)))
	return append(h, body...)
}

func appendExtra(b []byte, part, kind uint8, data []byte) []byte {
	b = append(b, part, kind, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}
