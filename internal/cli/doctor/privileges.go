package doctor

import (
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/privileges"
)

func (h Host) capabilities() Check {
	c := Check{Name: "capabilities", Status: OK}
	status, ok := h.read("proc/self/status")
	held, readable := privileges.Effective(status)
	if !ok || !readable {
		c.Status, c.Found = Info, "cannot be read from /proc/self/status"
		return c
	}
	var more []privileges.Capability
	if major, minor, ok := kernelVersion(h.Release); ok && (major < 5 || major == 5 && minor < 11) {
		more = append(more, privileges.SysResource)
	}
	wanted := slices.Concat(privileges.Used, more)
	var present, absent, reasons []string
	for i := range wanted {
		one := &wanted[i]
		if held.Holds(one) {
			present = append(present, one.Name)
			continue
		}
		absent, reasons = append(absent, one.Name), append(reasons, one.For)
		if one.Essential {
			c.Status = Fail
		} else if c.Status == OK {
			c.Status = Warn
		}
	}
	c.Found = strings.Join(present, ", ")
	if len(absent) > 0 {
		c.Found = strings.TrimPrefix(c.Found+"; not "+strings.Join(absent, ", "), "; ")
		c.Missing = strings.Join(reasons, "; ")
		c.Remedy = privileges.Remedy(more...)
	}
	if c.Status == Fail {
		c.Missing = "everything"
	}
	return c
}
