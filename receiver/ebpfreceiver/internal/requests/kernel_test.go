//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// seen is what is kept of an exchange.
type seen struct {
	Method, Path          string
	Status                int
	Start, FirstByte, End uint64
	Sent                  uint64
	Endpoint              exchange.Endpoint
	Incomplete            exchange.Reason
	HeadCut               bool
	Class                 exchange.Class
	Messages              int64  // that were sent or received
	Group                 string // of consumers
	Span                  string // its name, and what it says was asked for; if that is wanted
}

// watcher is an agent with an assembler behind it.
type watcher struct {
	agent *bpf.Agent
	done  chan struct{}

	mu     sync.Mutex
	all    []seen
	asm    *requests.Assembler
	tr     *spans.Translator  // nil unless the spans are wanted
	finder *encryption.Finder // nil unless what is encrypted is decoded
	opaque []opaque
}

// tell has the spans told apart of what is seen from now on.
func (w *watcher) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tr = spans.NewTranslator([32]byte{1})
}

// patience is how long a test waits for what must come: much longer than it takes,
// since others use the machine, too.
const patience, pollInterval = 90 * time.Second, 10 * time.Millisecond

// patientRing holds all that a test does: where the reader does not get its turn
// in time nothing may be lost all the same.
const patientRing = 64 << 20

// watch starts to capture; the test is skipped where that is not allowed.
func watch(tb testing.TB, opts bpf.Options) *watcher {
	tb.Helper()
	opts.Requests, opts.Signatures = true, requests.Signatures(requests.Protocols())
	if opts.RequestsRing == 0 && os.Getenv("SIGHTGLASS_GUEST") == "" {
		opts.RequestsRing = patientRing
	}
	agent, err := bpf.Load(opts)
	if os.Getenv("SIGHTGLASS_GUEST") == "" && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)) {
		tb.Skip("loading eBPF programs needs root, or CAP_BPF and CAP_PERFMON:", err)
	}
	require.NoError(tb, err)
	for _, h := range agent.Hooks() {
		require.True(tb, h.Attached, "%s: %v", h.Name, h.Err)
	}
	w := &watcher{agent: agent, done: make(chan struct{})}
	w.asm = requests.New(requests.Config{Emit: w.emit, Encrypts: w.encrypts, Opaque: w.noteOpaque, Judge: func(socket uint64, refused uint32, class uint8, bursts bool) {
		if err := agent.Judge(socket, refused, class, bursts); err != nil {
			tb.Error(err)
		}
	}})
	go w.run(tb)
	tb.Cleanup(func() {
		require.NoError(tb, agent.Close())
		<-w.done
	})
	return w
}

func (w *watcher) run(tb testing.TB) {
	defer close(w.done)
	var ev event.Event
	family := family{}
	err := w.agent.Requests().Run(func(raw []byte) {
		if err := event.Decode(raw, &ev); err != nil {
			tb.Errorf("decoding a record: %v", err)
			return
		}
		if !family.has(ev.Key.TGID) {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asm.Handle(&ev)
	}, nil)
	if err != nil {
		tb.Errorf("reading the ring: %v", err)
	}
}

// family knows which processes this one started, itself or by others. What the
// rest of the machine does meanwhile, on connections that are older than the
// capture, would show in the counters that have to be zero.
type family map[uint32]bool

func (f family) has(tgid uint32) bool {
	if is, known := f[tgid]; known {
		return is
	}
	is := true // if it has ended already
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", tgid)); err == nil {
		var state string
		var parent uint32
		_, _ = fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &parent)
		is = parent == uint32(os.Getpid()) || parent > 1 && f.has(parent)
	}
	f[tgid] = is
	return is
}

// emit is called with mu held.
func (w *watcher) emit(ex *exchange.Exchange) {
	f, status := httpOf(ex)
	messages, group := messagesOf(ex)
	span := ""
	if w.tr != nil {
		span = tell(ex, w.tr)
	}
	w.all = append(w.all, seen{
		Method: string(f.Method), Path: string(f.Target), Status: status,
		Start: ex.Start, FirstByte: ex.FirstByte, End: ex.End, Sent: ex.Sent,
		Endpoint: ex.Endpoint, Incomplete: ex.Incomplete, HeadCut: f.HeadCut, Class: ex.Class,
		Messages: messages, Group: group, Span: span,
	})
	ex.Release()
}

// of returns what was seen of a process, by start.
func (w *watcher) of(tgid uint32) []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine := slices.DeleteFunc(slices.Clone(w.all), func(s seen) bool { return s.Endpoint.Owner.TGID != tgid })
	slices.SortStableFunc(mine, func(a, b seen) int { return cmp.Compare(a.Start, b.Start) })
	return mine
}

func (w *watcher) stats() requests.Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asm.Stats()
}

// wait waits until n exchanges of each process were seen, and then a little for
// more than there should be.
func (w *watcher) wait(tb testing.TB, n int, tgids ...uint32) {
	tb.Helper()
	for _, tgid := range tgids {
		deadline := time.Now().Add(patience)
		for len(w.of(tgid)) < n && time.Now().Before(deadline) {
			time.Sleep(pollInterval)
		}
		if got := w.of(tgid); len(got) < n {
			require.FailNow(tb, "exchanges are missing", "process %d: %d of %d\n%+v\n%+v", tgid, len(got), n, got, w.stats())
		}
	}
	time.Sleep(150 * time.Millisecond)
	for _, tgid := range tgids {
		require.Len(tb, w.of(tgid), n)
	}
}

// requireLossless checks the counters: nothing lost, nothing out of step.
func (w *watcher) requireLossless(tb testing.TB) {
	tb.Helper()
	s, err := w.agent.Stats()
	require.NoError(tb, err)
	total := s.Classes[bpf.Requests].Total()
	require.Zero(tb, total.TotalLost())
	a := w.stats()
	require.Zero(tb, a.Gaps)
	require.Zero(tb, a.Late)
	require.Zero(tb, a.Bare)
	for r, n := range a.Exchanges {
		if why := exchange.Reason(r); why != exchange.Complete && why != exchange.ConnectionClosed {
			require.Zero(tb, n, "%v", why)
		}
	}
}

// requireMatch compares what one side was seen to do with the client's record.
func requireMatch(tb testing.TB, want []outcome, got []seen, role event.Role) {
	tb.Helper()
	require.Len(tb, got, len(want))
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b outcome) int { return cmp.Compare(a.Start, b.Start) })
	type key struct {
		method, path string
		status       int
	}
	counts := map[key]int{}
	for _, o := range want {
		counts[key{o.Method, o.Path, o.Status}]++
	}
	for _, s := range got {
		counts[key{s.Method, s.Path, s.Status}]--
		require.Equal(tb, role, s.Endpoint.Role)
		require.False(tb, s.Endpoint.RoleGuessed)
		require.False(tb, s.HeadCut)
		require.LessOrEqual(tb, s.Start, s.End)
		if s.FirstByte != 0 {
			require.LessOrEqual(tb, s.Start, s.FirstByte)
			require.LessOrEqual(tb, s.FirstByte, s.End)
		}
		// A server's span lies in its client's; only the return of a call that
		// sent much may be noticed later than the client has it all.
		end := s.End
		if role == event.RoleServer && s.Sent > 16<<10 {
			end = s.FirstByte
		}
		if s.Incomplete == exchange.StreamReset || s.Status == rpcTimeout { // the client has gone already
			end = s.Start
		}
		inside := func(o outcome) bool { return o.Path == s.Path && o.Start <= s.Start && end <= o.End }
		require.True(tb, slices.ContainsFunc(want, inside), "%+v is in no interval of the client", s)
	}
	for k, n := range counts {
		require.Zero(tb, n, "%+v: positive is missing, negative invented", k)
	}
}

var mixed = []string{
	"GET /status/200", "GET /status/404", "GET /bytes/100", "GET /bytes/5000", "GET /bytes/300000",
	"GET /chunks/1", "GET /chunks/7", "POST /upload 10", "POST /upload 100000", "HEAD /bytes/1234",
	"GET /status/204", "GET /status/503", "DELETE /status/304", "GET /slow/5", "GET /long/1500", "POST /long/900 3000",
}

func TestKernelGo(t *testing.T) {
	for name, addr := range map[string]string{
		"IPv4": "127.0.0.1:0", "dual stack": "[::]:0", "IPv6": "[::1]:0", "unix": t.TempDir() + "/s",
	} {
		for _, plain := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "", true: ", as on an old kernel"}[plain], func(t *testing.T) {
				if strings.HasPrefix(addr, "/") {
					_ = os.Remove(addr)
				}
				w := watch(t, bpf.Options{Plain: plain})
				server, at := serve(t, addr)
				at = strings.Replace(at, "[::]", "127.0.0.1", 1)
				client := request(t, &job{Addr: at, Paths: mixed, Conns: 4, N: 10 * len(mixed)})
				want := client.outcomes(t)
				w.wait(t, len(want), server.pid(), client.pid())
				requireMatch(t, want, w.of(server.pid()), event.RoleServer)
				requireMatch(t, want, w.of(client.pid()), event.RoleClient)
				w.requireLossless(t)
			})
		}
	}
}

func TestKernelNewConnections(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, at := serve(t, "127.0.0.1:0")
	client := request(t, &job{Addr: at, Paths: mixed, Conns: 4, N: 100, NoKeep: true})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

func TestKernelOldConnection(t *testing.T) {
	server, at := serve(t, "127.0.0.1:0")
	client := request(t, &job{Addr: at, Paths: mixed, Conns: 1, N: len(mixed), Handshake: true})
	require.Equal(t, "ready", client.line(t))
	w := watch(t, bpf.Options{})
	_, err := client.in.Write([]byte("\n"))
	require.NoError(t, err)
	want := client.outcomes(t)[1:]
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

func TestKernelPipelining(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, at := serve(t, "127.0.0.1:0")
	paths := []string{"GET /status/200", "GET /bytes/10", "HEAD /bytes/99", "GET /status/204"}
	client := request(t, &job{Addr: at, Paths: paths, Conns: 2, N: 400, Pipelined: 4})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
}

func TestKernelAbort(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, at := serve(t, "127.0.0.1:0")
	client := request(t, &job{Addr: at, Paths: []string{"POST /abort 1"}, Conns: 1, N: 3})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	for _, s := range append(w.of(server.pid()), w.of(client.pid())...) {
		require.Equal(t, exchange.ConnectionClosed, s.Incomplete)
		require.Zero(t, s.Status)
	}
}

func TestKernelSelf(t *testing.T) {
	w := watch(t, bpf.Options{})
	_, at := serve(t, "127.0.0.1:0")
	j := job{Addr: at, Paths: []string{"GET /status/200"}, Conns: 1, N: 5}
	require.Len(t, j.connection(nil), 5)
	require.Eventually(t, func() bool {
		s, err := w.agent.Stats()
		require.NoError(t, err)
		total := s.Classes[bpf.Requests].Total()
		return total.Filtered[0] >= 10
	}, patience, pollInterval, "what the agent does itself is counted")
	require.Empty(t, w.of(uint32(os.Getpid())))
}

// TestKernelLoad is the promise of the design: nothing missing, nothing
// invented at full speed.
func TestKernelLoad(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, at := serve(t, "127.0.0.1:0")
	n := 20000
	if testing.Short() || os.Getenv("SIGHTGLASS_GUEST") != "" {
		n = 2000
	}
	client := request(t, &job{Addr: at, Paths: mixed[:3], Conns: 8, N: n / 8})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}
