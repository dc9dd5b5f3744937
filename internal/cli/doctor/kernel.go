package doctor

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// The oldest kernel that is supported, as major and minor.
const minMajor, minMinor = 5, 10

func (h Host) kernel() Check {
	c := Check{Name: "kernel", Status: OK, Found: "Linux " + h.Release + " on " + h.Arch}
	major, minor, ok := kernelVersion(h.Release)
	switch {
	case h.Arch != "amd64" && h.Arch != "arm64":
		c.Status, c.Missing, c.Remedy = Fail, "everything", "use a machine with amd64 or arm64; there are no programs for "+h.Arch
	case !ok:
		c.Status, c.Remedy = Info, "the version cannot be read; the hooks below tell what works"
	case major < minMajor || major == minMajor && minor < minMinor:
		c.Status, c.Missing = Fail, "everything"
		c.Remedy = fmt.Sprintf("use a kernel from %d.%d on (Debian 11, Ubuntu 22.04, RHEL 9)", minMajor, minMinor)
	}
	return c
}

// kernelVersion reads "6.12.0-1-amd64" as 6, 12.
func kernelVersion(release string) (major, minor int, ok bool) {
	first, rest, found := strings.Cut(release, ".")
	if !found {
		return 0, 0, false
	}
	digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(rest)
	}
	major, err1 := strconv.Atoi(first)
	minor, err2 := strconv.Atoi(rest[:digits])
	return major, minor, err1 == nil && err2 == nil
}

const btfPath = "sys/kernel/btf/vmlinux"

func (h Host) btf() Check {
	c := Check{Name: "type information", Status: OK, Found: "/" + btfPath}
	if h.exists(btfPath) {
		return c
	}
	return Check{
		Name: c.Name, Status: Fail, Found: "no /" + btfPath, Missing: "everything",
		Remedy: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels are; in a container, mount the host's /sys/kernel/btf",
	}
}

// lockdown in its confidential mode keeps every program from reading kernel memory.
// It is not visible in many containers and where the kernel knows none.
func (h Host) lockdown() (c Check, visible bool) {
	text, ok := h.read("sys/kernel/security/lockdown")
	if !ok {
		return c, false
	}
	c = Check{Name: "lockdown", Status: OK, Found: selected(text)}
	if c.Found == "confidentiality" {
		c.Status, c.Missing = Fail, "everything: eBPF programs may not read kernel memory"
		c.Remedy = "boot with lockdown=integrity, which still allows it"
	}
	return c, true
}

// selected returns the word in brackets: "none [integrity] confidentiality".
func selected(text string) string {
	_, rest, ok := strings.Cut(text, "[")
	word, _, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		return text
	}
	return word
}

func (h Host) jit() Check {
	c := Check{Name: "eBPF compiler", Status: OK, Found: "on"}
	if value, ok := h.read("proc/sys/net/core/bpf_jit_enable"); ok && value == "0" {
		c.Status, c.Found, c.Remedy = Warn, "off: every event costs several times as much", "sysctl net.core.bpf_jit_enable=1"
	}
	return c
}

// ioUring lets a process open and connect without system calls.
func (h Host) ioUring() Check {
	c := Check{Name: "io_uring", Status: Info}
	value, ok := h.read("proc/sys/kernel/io_uring_disabled")
	switch {
	case ok && value == "2":
		c.Status, c.Found = OK, "off, so nothing goes past the system calls"
	case ok && value == "1":
		c.Found = "for privileged processes only"
	default:
		c.Found = "on: what a process does through it is no system call"
		if users := h.ringUsers(); users != "" {
			c.Found += "; used by " + users
		}
		c.Remedy = "where nobody needs it: sysctl kernel.io_uring_disabled=2"
	}
	return c
}

// maxRingUsers bounds the processes that are named.
const maxRingUsers = 20

// ringUsers names the processes that have an io_uring, as far as their
// descriptors may be looked at.
func (h Host) ringUsers() string {
	const ring = "anon_inode:[io_uring]"
	processes, _ := fs.Glob(h.Root, "proc/[1-9]*")
	var users []string
	for _, dir := range processes {
		descriptors, _ := fs.ReadDir(h.Root, dir+"/fd")
		if !slices.ContainsFunc(descriptors, func(d fs.DirEntry) bool {
			target, err := fs.ReadLink(h.Root, dir+"/fd/"+d.Name())
			return err == nil && target == ring
		}) {
			continue
		}
		if len(users) == maxRingUsers {
			users = append(users, "...")
			break
		}
		name, _ := h.read(dir + "/comm")
		users = append(users, name+" "+strings.TrimPrefix(dir, "proc/"))
	}
	return strings.Join(users, ", ")
}
