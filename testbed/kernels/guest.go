//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// guest is pid 1. Whatever happens, it reports and ends the machine.
func guest() {
	code := 125
	out, report := "/dev/ttyS0", "/dev/ttyS1"
	if runtime.GOARCH == "arm64" {
		out, report = "/dev/ttyAMA0", "/dev/ttyAMA0"
	}
	defer func() {
		if f, err := os.OpenFile(report, os.O_WRONLY|unix.O_NOCTTY, 0); err == nil {
			fmt.Fprintf(f, "\n%s%d\n", exitMark, code)
			drain(f)
		}
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // with -no-reboot QEMU ends
	}()
	mountAll()
	tty, err := openTTY(out)
	if err != nil {
		return
	}
	if err := raiseLoopback(); err != nil {
		fmt.Fprintln(tty, "guest: loopback:", err)
	}
	if err := loadModules("/" + modulesDir); err != nil {
		fmt.Fprintln(tty, "guest:", err)
	}
	code = runJob(tty)
	drain(tty)
}

// mountAll mounts what tests of eBPF programs look at.
func mountAll() {
	for _, m := range []struct{ dir, kind string }{
		{"/proc", "proc"},
		{"/sys", "sysfs"},
		{"/dev", "devtmpfs"},
		{"/dev/pts", "devpts"},
		{"/dev/shm", "tmpfs"},
		{"/run", "tmpfs"},
		{"/sys/fs/cgroup", "cgroup2"},
		{"/sys/fs/bpf", "bpf"},
		{"/sys/kernel/tracing", "tracefs"},
		{"/sys/kernel/security", "securityfs"},
	} {
		_ = os.MkdirAll(m.dir, 0o755)
		_ = unix.Mount(m.kind, m.dir, m.kind, 0, "") // a kernel without one of them: its tests tell
	}
	_ = os.MkdirAll("/tmp", 0o1777)
	for _, file := range hostFiles {
		_ = os.MkdirAll(filepath.Dir(file), 0o755)
		_ = os.WriteFile(file, nil, 0o644)
	}
}

// hostFiles are on every host; tests open them.
var hostFiles = []string{"/etc/passwd", "/etc/hostname", "/usr/bin/env", "/usr/share/doc"}

// openTTY opens a serial port as a plain pipe: no echo, no translation.
func openTTY(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return f, nil //nolint:nilerr // readable enough without
	}
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	_ = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
	return f, nil
}

// drain waits until everything has left the serial port.
func drain(f *os.File) {
	_ = unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1)
}

// raiseLoopback brings lo up.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}

// runJob runs every test binary; the exit code is the first that is not 0.
func runJob(tty *os.File) int {
	b, err := os.ReadFile(jobFile)
	if err != nil {
		fmt.Fprintln(tty, "guest:", err)
		return 125
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		fmt.Fprintln(tty, "guest:", err)
		return 125
	}
	code := 0
	for _, t := range j.Tests {
		if c := runTest(tty, &t, j.Env); c != 0 && code == 0 {
			code = c
		}
	}
	return code
}

func runTest(tty *os.File, t *test, env []string) int {
	cmd := exec.Command(t.Path, t.Args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.Dir, tty, tty
	cmd.Env = append([]string{"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp"}, env...)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	default:
		fmt.Fprintln(tty, "guest:", t.Path, err)
		return 124
	}
}
