package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc/PID/stat: USER_HZ, 100 on every
// architecture that Linux runs Go on.
const tick = 10 * time.Millisecond

// usage is what a process has used so far.
type usage struct {
	cpu     time.Duration // user and system
	rss     int64         // resident bytes, mapped rings and text included
	rssAnon int64         // resident bytes of its own: heap and stacks
}

func usageOf(pid int) (usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return usage{}, err
	}
	return parseUsage(string(stat), string(status))
}

// parseUsage reads proc_pid_stat(5) and proc_pid_status(5).
func parseUsage(stat, status string) (usage, error) {
	// The command's name may hold spaces and parentheses; fields are counted
	// from the last parenthesis, after which comes the third.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return usage{}, fmt.Errorf("stat has only %d fields after the name", len(fields))
	}
	var u usage
	for _, i := range []int{utime, stime} {
		ticks, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return usage{}, err
		}
		u.cpu += time.Duration(ticks) * tick
	}
	var err error
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
