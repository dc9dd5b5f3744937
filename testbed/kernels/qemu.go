//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// noReport is the exit code of a guest that said nothing.
const noReport = -1

// exitMark stands before the exit code in the guest's report.
const exitMark = "GUEST-EXIT "

// qemu is the emulator's command and its Debian package.
func (k *kernel) qemu() (command, pkg string) {
	if k.arch == "arm64" {
		return "qemu-system-aarch64", "qemu-system-arm"
	}
	return "qemu-system-x86_64", "qemu-system-x86"
}

// boot runs the guest to its end or to the time limit, and returns what the
// tests wrote and the exit code, noReport when there is none.
func boot(ctx context.Context, o *options, k *kernel, image, initrd string) ([]byte, int, error) {
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "qemu")
	if err != nil {
		return nil, noReport, err
	}
	defer os.RemoveAll(dir)
	klog := filepath.Join(dir, "klog")
	command, _ := k.qemu()
	cmd := exec.CommandContext(ctx, command, k.arguments(image, initrd, klog)...)
	// an emulator that outlives us would eat a CPU for ever
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout = io.Writer(&out)
	if o.verbose {
		cmd.Stdout = io.MultiWriter(&out, os.Stdout)
	}
	cmd.Stderr = cmd.Stdout
	err = cmd.Run()
	log, _ := os.ReadFile(klog)
	code := exitCode(append(log, out.Bytes()...))
	if code == noReport {
		out.WriteString("\n--- kernel log ---\n")
		out.Write(log)
		fmt.Fprintf(&out, "\nthe guest did not report (%v)\n", err)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, noReport, err
	}
	return out.Bytes(), code, nil
}

// exitCode finds the guest's report.
func exitCode(log []byte) int {
	_, after, ok := bytes.Cut(log, []byte(exitMark))
	if !ok {
		return noReport
	}
	digits, _, _ := bytes.Cut(after, []byte("\n"))
	code, err := strconv.Atoi(strings.TrimSpace(string(digits)))
	if err != nil {
		return noReport
	}
	return code
}

// arguments are QEMU's. Emulation only: virtualisation inside a virtual machine
// is slower or does not boot stock kernels. One thread emulates both CPUs: with
// a thread for each, one guest in four hung while programs were attached.
func (k *kernel) arguments(image, initrd, klog string) []string {
	args := []string{
		"-accel", "tcg,thread=single", "-smp", "2", "-m", "1G", "-nodefaults", "-no-user-config",
		"-display", "none", "-no-reboot", "-chardev", "stdio,id=out,signal=off", "-serial", "chardev:out",
		"-kernel", image, "-initrd", initrd,
	}
	line := "panic=-1 quiet loglevel=3 random.trust_cpu=on audit=0 mitigations=off"
	if k.arch == "arm64" { // one serial port, for the tests and the kernel's log
		return append(args, "-M", "virt", "-cpu", "max,pauth-impdef=on", "-append", line+" console=ttyAMA0")
	}
	// the guest sees the host's time stamp counter, but measuring its rate on a
	// busy host goes wrong
	line += " reboot=t nokaslr no_timer_check console=ttyS1" + counterRate()
	return append(args, "-M", "q35", "-cpu", "max", "-append", line,
		"-chardev", "file,id=klog,path="+klog, "-serial", "chardev:klog")
}

// counterRate tells the guest how fast the time stamp counter runs.
func counterRate() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "cpu MHz" {
			continue
		}
		mhz, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || mhz <= 0 {
			return ""
		}
		return fmt.Sprintf(" tsc_early_khz=%d tsc=reliable lpj=%d", int(mhz*1000), int(mhz*4000))
	}
	return ""
}
