// Command load makes one kind of system call in a loop and tells what a call
// cost its thread in CPU time, the kernel's part included.
//
//	load -call getpid|read|open|write [-file F] -for 1s -burst 1000 -pause 4ms
//	load -call http -addr HOST:PORT -path /x -rate 20000 -connections 16 -for 60s
//	load -call burn -share 0.5 -for 10s
//
// The second makes requests at a steady rate, of which it tells the number. The third
// makes no calls but uses CPU time, half a core for example.
//
// Calls come in bursts with pauses between them, so that whoever captures them
// can keep up: otherwise the cost of a full buffer would be measured. The
// output is one JSON object; the cost is the median of the bursts.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// result is the output. One call of "open" is openat and close together.
type result struct {
	Calls   int     `json:"calls"`
	PerCall float64 `json:"cpu_ns_per_call"`
}

func main() {
	var (
		call  = flag.String("call", "getpid", "getpid, read (one byte of /dev/zero), open (openat and close of -file), write (the same with a byte in between), http or burn")
		file  = flag.String("file", "/dev/null", "file to open")
		burst = flag.Int("burst", 1000, "calls in a row")
		pause = flag.Duration("pause", 4*time.Millisecond, "time between two bursts")
		limit = flag.Duration("for", time.Second, "how long to go on")
		share = flag.Float64("share", 0.5, "CPU time to burn, in cores")
		h     httpLoad
	)
	flag.StringVar(&h.addr, "addr", "", "server of the requests, host:port")
	flag.StringVar(&h.path, "path", "/", "path of the requests")
	flag.IntVar(&h.rate, "rate", 1000, "requests per second")
	flag.IntVar(&h.connections, "connections", 16, "connections of the requests")
	flag.Parse()
	var err error
	switch *call {
	case "http":
		err = h.run(*limit)
	case "burn":
		err = burn(*share, *limit)
	default:
		err = run(*call, *file, *burst, *pause, *limit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(call, file string, burst int, pause, limit time.Duration) error {
	// Without the lock the goroutine could move between threads, and the
	// thread's clock would be another one's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	once, err := workload(call, file)
	if err != nil {
		return err
	}
	var bursts []int64
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(pause) {
		start, err := threadCPU()
		if err != nil {
			return err
		}
		for range burst {
			once()
		}
		stop, err := threadCPU()
		if err != nil {
			return err
		}
		bursts = append(bursts, stop-start)
	}
	slices.Sort(bursts)
	return json.NewEncoder(os.Stdout).Encode(result{
		Calls:   burst * len(bursts),
		PerCall: float64(bursts[len(bursts)/2]) / float64(burst),
	})
}

var errUnknown = errors.New("unknown call")

// workload returns a function that makes the call once. Raw calls keep the Go
// scheduler out of what is measured; none of them blocks.
func workload(call, file string) (func(), error) {
	switch call {
	case "getpid":
		return func() { _, _, _ = unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0) }, nil
	case "read":
		fd, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		buf := new([1]byte)
		return func() {
			_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(buf)), 1)
		}, nil
	case "open":
		path, err := unix.BytePtrFromString(file)
		if err != nil {
			return nil, err
		}
		if err := unix.Access(file, unix.R_OK); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		at := unix.AT_FDCWD
		return func() {
			fd, _, _ := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(path)), unix.O_RDONLY, 0, 0, 0)
			_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		}, nil
	}
	if call == "write" {
		return writing(file)
	}
	return nil, fmt.Errorf("%w %q", errUnknown, call)
}

// writing changes the first byte of a file.
func writing(file string) (func(), error) {
	path, err := unix.BytePtrFromString(file)
	if err != nil {
		return nil, err
	}
	if err := unix.Access(file, unix.W_OK); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	buf, at := new([1]byte), unix.AT_FDCWD
	return func() {
		buf[0]++
		fd, _, _ := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(path)), unix.O_WRONLY, 0, 0, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(buf)), 1)
		_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	}, nil
}

// threadCPU is the CPU time of this thread in nanoseconds.
func threadCPU() (int64, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return ts.Nano(), err
}
