package record

import (
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
)

// SharedProcesses answers from the process table of the receiver that runs in
// this program. It has no answers while none does.
type SharedProcesses struct {
	// BootTime is the wall-clock time of the boot, ns since 1970, by which
	// start times are converted; 0 leaves them unknown.
	BootTime int64
}

var _ Processes = (*SharedProcesses)(nil)

// Refresh takes the boot time anew from the clocks, which drift against each
// other.
func (s *SharedProcesses) Refresh() { s.BootTime = bootTime() }

// Ancestor implements Processes.
func (s *SharedProcesses) Ancestor(key string, n int, p *field.Process) bool {
	table := process.Shared()
	if table == nil {
		return false
	}
	k, ok := process.ParseKey(key)
	if !ok {
		return false
	}
	found, ok := table.Ancestor(k, n)
	if ok {
		s.fill(found, p)
	}
	return ok
}

// ByPID implements Processes.
func (s *SharedProcesses) ByPID(pid int64, p *field.Process) bool {
	table := process.Shared()
	if table == nil || pid <= 0 || pid > 1<<32-1 {
		return false
	}
	found, ok := table.LookupPID(uint32(pid))
	if ok {
		s.fill(found, p)
	}
	return ok
}

func (s *SharedProcesses) fill(from *process.Process, p *field.Process) {
	*p = field.Process{
		PID:  int64(from.Key.TGID),
		VPID: int64(from.VPID),
		Name: from.Name,
		Path: from.Path,
		Args: from.Args,
	}
	if s.BootTime != 0 {
		p.Start = s.BootTime + int64(from.Key.Start)
	}
}
