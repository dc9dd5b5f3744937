package process

import (
	"strings"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
)

// Process is what is known about one process. It is immutable: an exec or the
// end of the process makes another Process. Times are ns since boot.
type Process struct {
	Key    Key
	Parent Key // the process that started it; zero when unknown

	Name          string   // comm, at most 15 bytes, as of the last exec or fork
	Path          string   // kernel's path of the executable
	Args          []string // argv; nil when unknown; not to be changed
	ArgsTruncated bool
	Cwd           string // kernel's path of the working directory, at the last exec or fork
	MovedTo       string // the same where a chdir since then led to another; empty for none, or when none was told
	Root          string // where a chroot has put its root, a path of the mount name space RootNS; empty when none was told
	RootNS        uint32
	File          event.File
	Ctime, Mtime  uint64         // of the executable, ns since 1970; 0 when unknown
	Identity      event.Identity // as of the last event that told it
	Env           []string       // environment at the last exec, at most 4096 bytes; only while it is kept; not to be changed

	UID, GID, EUID, EGID uint32
	LoginUID, Session    uint32 // event.NoID when unset
	TTY                  uint32 // 0 for none
	VPID, PGID           uint32 // PGID: process group, host view
	MountNS, PIDNS       uint32
	Cgroup               container.CgroupID

	// Session and cgroup in which the present program was executed by its own
	// process or, without an exec since the fork, by an ancestor. A change at
	// an exec tells a login.
	ExecSession uint32
	ExecCgroup  container.CgroupID

	Executed uint64 // last exec; 0 when not seen
	Ended    uint64 // 0 while it lives
	Exit     event.Exit

	Service  Service
	LoadsSDK bool // it was started with an OpenTelemetry agent that makes spans of its own
	Kernel   bool // kernel thread
	Seeded   bool // it ran before the table was made
	Repaired bool // its fork was not seen: what is here may be younger than the process
}

// Alive reports whether the process had not ended when p was made.
func (p *Process) Alive() bool { return p.Ended == 0 }

// Directory is the kernel's path of the working directory, as far as it is known.
func (p *Process) Directory() string {
	if p.MovedTo != "" {
		return p.MovedTo
	}
	return p.Cwd
}

// Chroot is the path of its root directory in a mount name space, when that is
// not the root there and the chroot was told; empty otherwise.
func (p *Process) Chroot(mountNS uint32) string {
	if p.RootNS != mountNS {
		return ""
	}
	return p.Root
}

// CommandLine joins the arguments by spaces.
func (p *Process) CommandLine() string { return strings.Join(p.Args, " ") }

// Service is the identity that a process states in its environment by
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. Empty fields were not given.
type Service struct {
	Name, Namespace, Version string
}

// splitArgs cuts NUL-terminated strings. They all share one copy of raw.
func splitArgs(raw []byte) []string {
	if len(raw) == 0 {
		return nil
	}
	s := strings.TrimSuffix(string(raw), "\x00")
	args := make([]string, 0, strings.Count(s, "\x00")+1)
	for a := range strings.SplitSeq(s, "\x00") {
		args = append(args, a)
	}
	return args
}
