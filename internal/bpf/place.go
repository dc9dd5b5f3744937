package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/privileges"
)

// probePlace is where in a file of user space a program runs.
type probePlace struct {
	offset uint64 // in the file, in bytes
	back   bool   // where the function returns to that begins at offset
	cookie uint64 // what the program is told
	pid    uint32 // the one process in which it runs; 0: in all
}

// haveMultiProbes says whether the kernel attaches several probes at once (6.6).
// Those it lets go of by far faster, and CAP_PERFMON is enough for them.
func haveMultiProbes() bool { return features.HaveBPFLinkUprobeMulti() == nil }

// probeAttachType is how programs are loaded that probePlace attaches.
func probeAttachType() ebpf.AttachType {
	if haveMultiProbes() {
		return ebpf.AttachTraceUprobeMulti
	}
	return ebpf.AttachNone
}

// attach has a program run there, one loaded with probeAttachType.
func (p probePlace) attach(file *link.Executable, prog *ebpf.Program) (link.Link, error) {
	if haveMultiProbes() {
		places := &link.UprobeMultiOptions{Addresses: []uint64{p.offset}, Cookies: []uint64{p.cookie}, PID: p.pid}
		if p.back {
			return file.UretprobeMulti(nil, prog, places)
		}
		return file.UprobeMulti(nil, prog, places)
	}
	probe := file.Uprobe
	if p.back {
		probe = file.Uretprobe
	}
	l, err := probe("", prog, &link.UprobeOptions{Address: p.offset, Cookie: p.cookie, PID: int(p.pid)})
	return l, explainProbe(err, thisMachine().held)
}

// explainProbe says what lacks when a single probe is forbidden. Since July 2025
// (commit ba677dbe77af, in the stable kernels as well) only CAP_SYS_ADMIN may have
// one, for a probe in the midst of an instruction does harm.
func explainProbe(answer error, held privileges.Set) error {
	if !errors.Is(answer, unix.EACCES) || held.Holds(&privileges.SysAdmin) {
		return answer
	}
	return &refusal{
		fmt.Sprintf("%s (%s) is missing", privileges.SysAdmin.Name, privileges.SysAdmin.For),
		privileges.Remedy(privileges.SysAdmin), answer,
	}
}
