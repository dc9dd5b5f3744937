// Package privileges knows which capabilities the agent uses, and what is missing
// in the data without each of them.
package privileges

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// Capability is a privilege and what needs it.
type Capability struct {
	Name      string
	For       string
	Essential bool // nothing works without it
	bit       uint
}

// Numbers of linux/capability.h.
const (
	bitDACReadSearch = 2
	bitSysPtrace     = 19
	bitSysAdmin      = 21
	bitSysResource   = 24
	bitPerfmon       = 38
	bitBPF           = 39
)

// Used lists what the agent uses, those first that nothing works without.
var Used = []Capability{
	{"CAP_BPF", "programs in the kernel", true, bitBPF},
	{"CAP_PERFMON", "events of the kernel", true, bitPerfmon},
	{"CAP_SYS_PTRACE", "service names from the environment of other processes, users and libraries in containers", false, bitSysPtrace},
	{"CAP_DAC_READ_SEARCH", "names of containers and users that only their owner may read", false, bitDACReadSearch},
}

// SysResource is used as well before Linux 5.11.
var SysResource = Capability{"CAP_SYS_RESOURCE", "the memory that kernels before 5.11 count as locked", true, bitSysResource}

// SysAdmin is used as well where the kernel has no other way to probe programs and
// libraries.
var SysAdmin = Capability{"CAP_SYS_ADMIN", "probes in libraries, before Linux 6.6: requests over TLS", false, bitSysAdmin}

// Set is what a process has, a bit for each capability.
type Set uint64

// Effective reads what is in force out of a /proc/PID/status.
func Effective(status string) (held Set, ok bool) {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, "CapEff:"); found {
			held, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return Set(held), err == nil
		}
	}
	return 0, false
}

// Holds knows that CAP_SYS_ADMIN still includes the two that were cut out of it.
func (s Set) Holds(c *Capability) bool {
	if s>>c.bit&1 == 1 {
		return true
	}
	return (c.bit == bitBPF || c.bit == bitPerfmon) && s>>bitSysAdmin&1 == 1
}

// Held is what this process has; not ok where /proc does not tell.
func Held() (held Set, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	return Effective(string(status))
}

// Lack is an error about capabilities that nothing works without.
type Lack struct {
	Missing string // which, and what for
	Remedy  string
}

func (l *Lack) Error() string { return l.Missing + ": " + l.Remedy }

// Lack is what s does not have of what nothing works without; nil if nothing.
func (s Set) Lack() *Lack {
	var missing []string
	for i := range Used {
		if c := &Used[i]; c.Essential && !s.Holds(c) {
			missing = append(missing, c.Name+" ("+c.For+")")
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return &Lack{missing[0] + " is missing", Remedy()}
	default:
		return &Lack{strings.Join(missing, " and ") + " are missing", Remedy()}
	}
}

// Remedy says how to come by all that the agent uses, and more. It names all, for
// setcap replaces what a program had.
func Remedy(more ...Capability) string {
	all := slices.Concat(Used, more)
	names := make([]string, len(all))
	for i := range all {
		names[i] = strings.ToLower(all[i].Name)
	}
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	return "run as root, or allow the program what it uses: sudo setcap " + strings.Join(names, ",") + "=ep " + program +
		" (in a container: capabilities.add)"
}
