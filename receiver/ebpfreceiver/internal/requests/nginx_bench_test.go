//go:build linux && (amd64 || arm64)

package requests_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Alternating rounds of a measurement, and how long one of them lasts.
const (
	nginxRounds  = 5
	nginxSeconds = 2
)

// BenchmarkNginx measures what capturing costs a fast server, under full load by
// wrk, alternately with and without: CPU time of nginx per request (base-us,
// added-us; medians), and ours per span from the ring to pdata (own-us/span).
// The same machine carries nginx, wrk and both ends' spans: two a request.
//
//	go test -run '^$' -bench Nginx -benchtime 1x ./receiver/ebpfreceiver/internal/requests
func BenchmarkNginx(b *testing.B) {
	for _, path := range []string{"/hello", "/1k"} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			if _, err := exec.LookPath("wrk"); err != nil {
				b.Skip("wrk is not installed")
			}
			pid, addr := nginx(b, "127.0.0.1:1")
			load := func() (perRequest float64, n int) {
				before := cpuOf(b, pid)
				n = wrk(b, "http://"+addr+path)
				return float64(cpuOf(b, pid)-before) / float64(n) / 1e3, n
			}
			load() // warm
			var off, on, own []float64
			var lost uint64
			for range nginxRounds {
				cost, _ := load()
				off = append(off, cost)
				t := trace(b)
				before := ownCPU(b)
				cost, _ = load()
				on = append(on, cost)
				n, l := t.stop(b)
				own = append(own, float64(ownCPU(b)-before)/float64(n)/1e3)
				lost += l
			}
			b.ReportMetric(middle(off), "base-us")
			b.ReportMetric(middle(on)-middle(off), "added-us")
			b.ReportMetric(middle(own), "own-us/span")
			b.ReportMetric(float64(lost), "lost")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func middle(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }

// wrk loads a URL with 16 connections and returns the number of requests.
func wrk(tb testing.TB, url string) int {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "wrk", "-t1", "-c16", "-d"+strconv.Itoa(nginxSeconds), url).CombinedOutput()
	require.NoError(tb, err, string(out))
	for line := range strings.Lines(string(out)) {
		var n int
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "%d requests in", &n); err == nil {
			return n
		}
	}
	tb.Fatalf("wrk said nothing of requests:\n%s", out)
	return 0
}

// cpuOf is the CPU time of a process with one thread, in ns.
func cpuOf(tb testing.TB, pid uint32) int64 {
	tb.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	require.NoError(tb, err)
	first, _, _ := strings.Cut(string(raw), " ")
	n, err := strconv.ParseInt(first, 10, 64)
	require.NoError(tb, err)
	return n
}

// ownCPU is the CPU time of this process, in ns.
func ownCPU(tb testing.TB) int64 {
	tb.Helper()
	var u unix.Rusage
	require.NoError(tb, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

// tracer turns everything into spans and throws them away.
type tracer struct {
	agent *bpf.Agent
	done  chan struct{}
	spans int
}

func trace(tb testing.TB) *tracer {
	tb.Helper()
	agent, err := bpf.Load(bpf.Options{Requests: true, Signatures: requests.Signatures(requests.Protocols()), RequestsRing: 8 << 20})
	if err != nil {
		tb.Skip("loading eBPF programs:", err)
	}
	t := &tracer{agent: agent, done: make(chan struct{})}
	go t.run(tb)
	return t
}

func (t *tracer) run(tb testing.TB) {
	defer close(t.done)
	translator, list := spans.NewTranslator([32]byte{1}), ptrace.NewSpanSlice()
	assembler := requests.New(requests.Config{Emit: func(ex *exchange.Exchange) {
		if translator.Append(list, ex, 0) {
			t.spans++
		}
		ex.Release()
		if list.Len() == 4096 {
			list = ptrace.NewSpanSlice()
		}
	}})
	var ev event.Event
	err := t.agent.Requests().Run(func(raw []byte) {
		if event.Decode(raw, &ev) == nil {
			assembler.Handle(&ev)
		}
	}, nil)
	if err != nil {
		tb.Errorf("reading the ring: %v", err)
	}
}

// stop ends the capture; it returns the number of spans and of lost records.
func (t *tracer) stop(tb testing.TB) (n int, lost uint64) {
	tb.Helper()
	time.Sleep(200 * time.Millisecond) // the ring is read to its end
	s, err := t.agent.Stats()
	require.NoError(tb, err)
	total := s.Classes[bpf.Requests].Total()
	require.NoError(tb, t.agent.Close())
	<-t.done
	return t.spans, total.TotalLost()
}
