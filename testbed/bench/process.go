package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a process has used so far.
type usage struct {
	cpu     time.Duration // user and system
	rss     int64         // resident bytes, mapped rings and text included
	rssAnon int64         // resident bytes of its own: heap and stacks
}

func usageOf(pid int) (usage, error) {
	cpu, err := cpuOf(pid)
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return usage{}, err
	}
	u, err := parseMemory(string(status))
	u.cpu = cpu
	return u, err
}

// cpuOf is the CPU time that a process has used so far, user and system, exact to the
// nanosecond: proc_pid_stat(5) counts in hundredths of a second, each of which is a
// percent of a core.
func cpuOf(pid int) (time.Duration, error) {
	const cpuClock = 2          // CPUCLOCK_SCHED of the kernel's posix-timers.h
	clock := ^pid<<3 | cpuClock // clock_getcpuclockid(3)
	var now unix.Timespec
	if err := unix.ClockGettime(int32(clock), &now); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// parseMemory reads proc_pid_status(5).
func parseMemory(status string) (u usage, err error) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "VmRSS":
			u.rss, err = kilobytes(value)
		case "RssAnon":
			u.rssAnon, err = kilobytes(value)
		}
		if err != nil {
			return usage{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return u, nil
}

// wakeupsOf is how often the threads of a process have gone to sleep so far, and
// so how often they were woken.
func wakeupsOf(pid int) (sum int, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // ended in between
		}
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
				n, err := strconv.Atoi(strings.TrimSpace(value))
				if err != nil {
					return 0, err
				}
				sum += n
			}
		}
	}
	return sum, nil
}

// kilobytes turns "  1234 kB" into bytes.
func kilobytes(value string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
	return n << 10, err
}
