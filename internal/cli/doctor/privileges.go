package doctor

import (
	"slices"
	"strconv"
	"strings"
)

// capability is a privilege and what needs it.
type capability struct {
	bit    uint
	name   string
	why    string
	always bool // nothing works without it
}

// Numbers of linux/capability.h.
const (
	capDACReadSearch = 2
	capSysPtrace     = 19
	capSysAdmin      = 21
	capSysResource   = 24
	capPerfmon       = 38
	capBPF           = 39
)

// capabilities are what the agent uses, those first that nothing works without.
var capabilities = []capability{
	{capBPF, "CAP_BPF", "programs in the kernel", true},
	{capPerfmon, "CAP_PERFMON", "events of the kernel", true},
	{capSysPtrace, "CAP_SYS_PTRACE", "service names from the environment of other processes, users and libraries in containers", false},
	{capDACReadSearch, "CAP_DAC_READ_SEARCH", "names of containers and users that only their owner may read", false},
}

// Privileged tells whether the process of a /proc/PID/status may load and
// attach programs.
func Privileged(status string) bool {
	held, ok := effective(status)
	if !ok {
		return false
	}
	for _, c := range capabilities {
		if c.always && !holds(held, c.bit) {
			return false
		}
	}
	return true
}

// holds knows that CAP_SYS_ADMIN still includes the two that were cut out of it.
func holds(held uint64, bit uint) bool {
	if held>>bit&1 == 1 {
		return true
	}
	return (bit == capBPF || bit == capPerfmon) && held>>capSysAdmin&1 == 1
}

// effective reads the effective capabilities out of a /proc/PID/status.
func effective(status string) (held uint64, ok bool) {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, "CapEff:"); found {
			held, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return held, err == nil
		}
	}
	return 0, false
}

func (h Host) capabilities() Check {
	c := Check{Name: "capabilities", Status: OK}
	status, ok := h.read("proc/self/status")
	held, readable := effective(status)
	if !ok || !readable {
		c.Status, c.Found = Info, "cannot be read from /proc/self/status"
		return c
	}
	wanted := capabilities
	if major, minor, ok := kernelVersion(h.Release); ok && (major < 5 || major == 5 && minor < 11) {
		wanted = append(slices.Clip(wanted), capability{capSysResource, "CAP_SYS_RESOURCE", "the memory that kernels before 5.11 count as locked", true})
	}
	var present, absent, reasons []string
	for _, one := range wanted {
		if holds(held, one.bit) {
			present = append(present, one.name)
			continue
		}
		absent, reasons = append(absent, one.name), append(reasons, one.why)
		if one.always {
			c.Status = Fail
		} else if c.Status == OK {
			c.Status = Warn
		}
	}
	c.Found = strings.Join(present, ", ")
	if len(absent) > 0 {
		c.Found = strings.TrimPrefix(c.Found+"; not "+strings.Join(absent, ", "), "; ")
		c.Missing = strings.Join(reasons, "; ")
		c.Remedy = "run as root, or add " + strings.Join(absent, ", ")
	}
	if c.Status == Fail {
		c.Missing = "everything"
	}
	return c
}
