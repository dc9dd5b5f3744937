package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/privileges"
)

// Versions of the kernel, as the C macro KERNEL_VERSION has them.
const (
	oldestKernel   = 5<<16 | 10<<8
	memoryByCgroup = 5<<16 | 11<<8 // maps do not count as locked memory any more
)

// kernelTypes is where the running kernel describes its types.
const kernelTypes = "/sys/kernel/btf/vmlinux"

// refusal is why nothing can be observed, in one line for whoever runs the agent.
// What the kernel answered, which tells of a map or of a program where a privilege
// is what is missing, it only wraps.
type refusal struct {
	why, remedy string
	answer      error
}

func (r *refusal) Error() string { return r.why + ": " + r.remedy }

func (r *refusal) Unwrap() error { return r.answer }

// refused explains what the kernel answers to loading or attaching.
func refused(answer error) error {
	why, remedy := thisMachine().explain(answer)
	return &refusal{why, remedy, answer}
}

// remedy says what can be done about an error from loading or attaching.
func remedy(err error) string {
	if err == nil {
		return ""
	}
	_, remedy := thisMachine().explain(err)
	return remedy
}

// machine is what decides whether the kernel takes programs.
type machine struct {
	version uint32 // of the kernel
	types   bool   // it describes its types
	held    privileges.Set
}

// thisMachine is the one that this runs on. What cannot be found out is taken for
// fine.
func thisMachine() machine {
	m := machine{version: oldestKernel, held: ^privileges.Set(0)}
	if v, err := features.LinuxVersionCode(); err == nil {
		m.version = v
	}
	if held, ok := privileges.Held(); ok {
		m.held = held
	}
	_, err := os.Stat(kernelTypes)
	m.types = err == nil
	return m
}

// explain says why the kernel gave an answer, and what can be done. The first
// cause counts: an old kernel refuses for many reasons, all of which mislead.
func (m machine) explain(answer error) (why, remedy string) {
	var verifier *ebpf.VerifierError
	forbidden := errors.Is(answer, unix.EPERM) || errors.Is(answer, unix.EACCES)
	lack := m.held.Lack()
	var known *refusal
	switch {
	case errors.As(answer, &known):
		return known.why, known.remedy
	case m.version < oldestKernel:
		return fmt.Sprintf("Linux %d.%d is too old", m.version>>16, m.version>>8&0xff),
			"use 5.10 or later (Debian 11, Ubuntu 22.04, RHEL 9)"
	case !m.types:
		return "this kernel does not describe its types (no " + kernelTypes + ")",
			"use one built with CONFIG_DEBUG_INFO_BTF=y, as distributions' are; in a container, mount the host's /sys/kernel/btf"
	case errors.As(answer, &verifier):
		return answer.Error(), "this kernel's verifier refuses the program: report it with the kernel's version"
	case forbidden && lack != nil:
		return lack.Missing, lack.Remedy
	case forbidden && m.version < memoryByCgroup && !m.held.Holds(&privileges.SysResource):
		return "this process may not lock enough memory",
			"raise the limit (ulimit -l unlimited, LimitMEMLOCK=infinity of systemd) or give CAP_SYS_RESOURCE"
	case forbidden:
		return "the kernel forbids programs in it although the privileges are there",
			"in a container, use one without a user namespace of its own and a seccomp profile that allows bpf and perf_event_open; elsewhere, boot with lockdown=integrity or none"
	case errors.Is(answer, unix.ENOMEM):
		return answer.Error(), "free memory, or make the rings smaller (ring_buffer)"
	case errors.Is(answer, unix.ENOENT), errors.Is(answer, unix.EINVAL):
		return answer.Error(), "use a kernel that has the tracepoint (CONFIG_FTRACE_SYSCALLS=y), as distributions' do"
	default:
		return answer.Error(), "use a kernel with BPF and tracepoints (CONFIG_BPF_SYSCALL=y, CONFIG_BPF_EVENTS=y), as distributions' are"
	}
}
