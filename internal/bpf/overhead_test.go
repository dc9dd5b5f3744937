package bpf

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// rounds of one measurement; each has the calls with and without the programs.
const overheadRounds = 15

// BenchmarkSyscallOverhead measures the CPU time that the attached programs add
// to a system call, by alternating rounds without them, with two empty programs in
// their places, and with them. Metrics: ns of CPU per iteration without ("base-ns"),
// added ("added-ns"), and added to what the empty ones cost ("beyond-empty-ns") and
// how many times that is ("x-empty"); medians of what each round tells. Where code
// and tables come to lie differs from start to start by tens of ns: run it several
// times (-count).
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
		{"getpid_all_wanted", Options{Syscalls: allSyscalls()}, 20000, callGetpid},
		{"read_zero", Options{Syscalls: allSyscalls()}, 20000, readZero(b)},
		{"openat_close_unwanted", Options{Syscalls: []string{"kill"}}, 4000, openClose},
		{"openat_close_captured", Options{Syscalls: allSyscalls()}, 4000, openClose},
		{"openat_captured", Options{Syscalls: []string{"openat"}}, 4000, openClose},
		{"openat_close_captured_plain", Options{Syscalls: allSyscalls(), Plain: true}, 4000, openClose},
		{"getpid_latency", Options{Latency: true}, 20000, callGetpid},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			requireRoot(b)
			measure := func() float64 { return cpuPerCall(c.workload, c.calls) }
			var off, added, empty, beyond []float64
			for range overheadRounds {
				none, nothing, all := measure(), withEmpty(b, measure), withAgent(b, c.opts, measure)
				off, added = append(off, none), append(added, all-none)
				empty, beyond = append(empty, nothing-none), append(beyond, all-nothing)
			}
			b.ReportMetric(median(off), "base-ns")
			b.ReportMetric(median(added), "added-ns")
			b.ReportMetric(median(beyond), "beyond-empty-ns")
			b.ReportMetric(median(beyond)/median(empty), "x-empty")
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

// withEmpty runs f while programs that do nothing are attached where the agent's
// would be: what the kernel takes for having anybody there.
func withEmpty(b *testing.B, f func() float64) float64 {
	b.Helper()
	for _, name := range []string{"sys_enter", "sys_exit"} {
		p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Type: ebpf.RawTracepoint, License: "Dual BSD/GPL",
			Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		})
		require.NoError(b, err)
		defer p.Close()
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p})
		require.NoError(b, err)
		defer l.Close()
	}
	f() // warm
	return f()
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
