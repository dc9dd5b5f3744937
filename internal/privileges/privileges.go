// Package privileges knows which capabilities the agent uses, and what is missing
// in the data without each of them.
package privileges

import (
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

// Suffice tells whether the process of a /proc/PID/status may load and attach
// programs.
func Suffice(status string) bool {
	held, ok := Effective(status)
	if !ok {
		return false
	}
	for i := range Used {
		if Used[i].Essential && !held.Holds(&Used[i]) {
			return false
		}
	}
	return true
}
