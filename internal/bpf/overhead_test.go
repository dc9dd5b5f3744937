package bpf

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// rounds of one measurement; each has the calls with and without the programs.
const overheadRounds = 15

// BenchmarkSyscallOverhead measures the CPU time that the attached programs add
// to a system call, by alternating rounds with and without them. Metrics: ns of
// CPU per iteration without ("base-ns") and added ("added-ns"), medians.
//
//	go test -run '^$' -bench SyscallOverhead ./internal/bpf
func BenchmarkSyscallOverhead(b *testing.B) {
	cases := []struct {
		name     string
		opts     Options
		calls    int // per round
		workload func(n int)
	}{
		{"getpid_unwanted", Options{Syscalls: []string{"openat"}}, 20000, callGetpid},
		{"getpid_all_wanted", Options{Syscalls: AllSyscalls()}, 20000, callGetpid},
		{"read_zero", Options{Syscalls: AllSyscalls()}, 20000, readZero(b)},
		{"openat_close_unwanted", Options{Syscalls: []string{"kill"}}, 4000, openClose},
		{"openat_close_captured", Options{Syscalls: AllSyscalls()}, 4000, openClose},
		{"openat_close_captured_plain", Options{Syscalls: AllSyscalls(), Plain: true}, 4000, openClose},
		{"getpid_latency", Options{Latency: true}, 20000, callGetpid},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			requireRoot(b)
			var off, on []float64
			for range overheadRounds {
				off = append(off, cpuPerCall(c.workload, c.calls))
				on = append(on, withAgent(b, c.opts, func() float64 { return cpuPerCall(c.workload, c.calls) }))
			}
			base, with := median(off), median(on)
			b.ReportMetric(base, "base-ns")
			b.ReportMetric(with-base, "added-ns")
			b.ReportMetric(slices.Min(on)-slices.Min(off), "added-min-ns")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// withAgent runs f while an agent is attached and its ring is read.
func withAgent(b *testing.B, opts Options, f func() float64) float64 {
	b.Helper()
	opts.SecurityRing = 64 << 20
	a, err := Load(opts)
	require.NoError(b, err)
	f() // warm
	v := f()
	require.NoError(b, a.Close())
	return v
}

// cpuPerCall is this thread's CPU time in ns per call of the workload.
func cpuPerCall(workload func(int), n int) float64 {
	begin := threadCPU()
	workload(n)
	return float64(threadCPU()-begin) / float64(n)
}

func threadCPU() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(fmt.Sprintf("thread clock: %v", err))
	}
	return ts.Nano()
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func callGetpid(n int) {
	for range n {
		_, _, _ = unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0)
	}
}

func readZero(b *testing.B) func(int) {
	b.Helper()
	fd, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(b, err)
	b.Cleanup(func() { _ = unix.Close(fd) })
	var buf [1]byte
	return func(n int) {
		for range n {
			_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), 1)
		}
	}
}

func openClose(n int) {
	at := unix.AT_FDCWD
	for range n {
		fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(&etcPath[0])), 0, 0, 0, 0)
		if errno == 0 {
			_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		}
	}
}

var etcPath = append([]byte("/etc/passwd"), 0)
