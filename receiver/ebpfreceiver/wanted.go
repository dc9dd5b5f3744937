//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// wanted is the interest of everybody, made ready for one look-up per event.
type wanted struct {
	registered bool
	accounts   bool
	mounts     bool
	directory  bool        // in which a process is, where it is not where it was started
	rows       []rowFilter // by row of the syscall table
	modified   bool        // what becomes of critical files
	exits      bool        // of every process, not of commands only
}

func newWanted(w interest.Wanted) *wanted {
	out := &wanted{
		registered: w.Registered,
		accounts:   w.Set.Accounts(),
		mounts:     w.Set.Mounts(),
		directory:  w.Registered && w.Set.Directories(),
		rows:       make([]rowFilter, len(syscalls.Table)),
		modified:   w.Registered && w.Set.Has(interest.FileModified),
		exits:      w.Registered && w.Set.Has(interest.ProcessExit),
	}
	for i := range syscalls.Table {
		out.rows[i] = newRowFilter(w.Set, &syscalls.Table[i])
	}
	return out
}

// captured are the calls that the kernel is asked for: those that are wanted,
// and for policies also those that change who a process is, which the process
// table follows.
func captured(w interest.Wanted) interest.Set {
	set := w.Set
	if w.Registered {
		set = set.Union(interest.Names("chroot", "pivot_root")) // where names lead
		for i := range syscalls.Table {
			if s := &syscalls.Table[i]; s.Identity {
				set = set.Union(interest.Names(s.Name))
			}
		}
	}
	if w.Set.Directories() {
		set = set.Union(interest.Names("chdir", "fchdir"))
	}
	if set.Has(interest.FileModified) {
		set = set.Union(integritySet())
	}
	return set.Without(interest.ProcessExit).Without(interest.FileModified)
}

// Reasons why an event is not told.
const (
	reasonSelf     = "self"     // the agent's own doing
	reasonUnwanted = "unwanted" // nobody has an interest in it
)

// refuses tells why an event becomes no record; empty when it does become one.
func (w *wanted) refuses(ev *event.Event, p *process.Process, cfg *ActivityConfig) string {
	if ev.Flags&event.FlagSelf != 0 && !w.registered {
		return reasonSelf
	}
	var tell bool
	switch ev.Type {
	case event.TypeExec:
		tell = true
	case event.TypeExit:
		tell = w.exits || !w.registered && cfg.Exits && p != nil && (p.Executed != 0 || p.Seeded)
	case event.TypeSyscall:
		tell = int(ev.Syscall.Index) < len(w.rows) && w.rows[ev.Syscall.Index].wants(&ev.Syscall, p) &&
			(w.registered || worthTelling(&ev.Syscall))
	case event.TypeFork, event.TypeProcess, event.TypeCgroupMkdir, event.TypeCgroupRmdir,
		event.TypeData, event.TypeSocketClose:
	}
	if !tell {
		return reasonUnwanted
	}
	return ""
}

// worthTelling thins out what is shown when no policy has asked for it: of
// binds only those that make a server, and nothing that failed.
func worthTelling(s *event.Syscall) bool {
	if s.Return < 0 {
		return false
	}
	return s.Name() != "bind" || translate.Listens(s)
}
