package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine describes where and when the numbers were taken, as one sentence.
func machine(ctx context.Context) string {
	var uts unix.Utsname
	_ = unix.Uname(&uts)
	load, _ := os.ReadFile("/proc/loadavg")
	averages := strings.Fields(string(load) + " ? ? ?")[:3]
	commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return fmt.Sprintf("%s, %d cores, %s of memory, Linux %s %s, %s; load average before: %s; commit %s, %s",
		cpuModel(), runtime.NumCPU(), memory(), unix.ByteSliceToString(uts.Release[:]), runtime.GOARCH, runtime.Version(),
		strings.Join(averages, " "), strings.TrimSpace(string(commit)), time.Now().UTC().Format(time.DateOnly))
}

// cpuModel is empty of detail where the architecture has no "model name".
func cpuModel() string {
	if name := procField("/proc/cpuinfo", "model name"); name != "" {
		return name
	}
	return "unknown CPU"
}

func memory() string {
	n, err := kilobytes(procField("/proc/meminfo", "MemTotal"))
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d GiB", (n+1<<29)>>30)
}

// procField is the value of the first line "name: value" of a file in /proc.
func procField(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
