package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// takeProgramTimes makes the kernel take the time of every eBPF program until
// the returned function is called.
func takeProgramTimes() (off func(), err error) {
	attr := struct {
		kind uint32
		_    [124]byte
	}{kind: unix.BPF_STATS_RUN_TIME}
	fd, err := bpf(unix.BPF_ENABLE_STATS, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if err != nil {
		return nil, err
	}
	return func() { _ = unix.Close(fd) }, nil
}

// programTime is how long the programs that a process holds have run, by what
// /proc tells of their descriptors. Programs that others call count there.
func programTime(pid int) (sum time.Duration, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{} // a program may have several descriptors
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // closed in between
		}
		if err != nil {
			return 0, err
		}
		id, ns := "", int64(0)
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			switch value = strings.TrimSpace(value); name {
			case "prog_id":
				id = value
			case "run_time_ns":
				if ns, err = strconv.ParseInt(value, 10, 64); err != nil {
					return 0, err
				}
			}
		}
		if ns > 0 && !seen[id] {
			seen[id] = true
			sum += time.Duration(ns)
		}
	}
	return sum, nil
}
