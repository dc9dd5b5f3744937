package record

import (
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
)

// maxKin is how many processes Kin tells of at most.
const maxKin = 16

// Kin calls yield for the acting process as it is now and for those above it,
// the nearest first, until yield returns false. Without a process table, as in a
// gateway, it tells of the acting process and its parent what the record says:
// of their groups nothing, and of the parent's terminal that of the child.
func (v *View) Kin(yield func(*process.Process) bool) {
	key, ok := v.key(ownProcessKey)
	if !ok {
		return
	}
	if v.processes == nil {
		v.kinOfRecord(key, yield)
		return
	}
	for n := range maxKin {
		p, ok := v.processes.Ancestor(key, n)
		if !ok || !yield(p) {
			return
		}
	}
}

func (v *View) kinOfRecord(key process.Key, yield func(*process.Process) bool) {
	tty, _ := v.Int(field.AttrTTY)
	self := process.Process{Key: key, TTY: uint32(tty)}
	self.Name, _ = v.String(field.AttrProcName)
	if !yield(&self) {
		return
	}
	above, ok := v.key(ownParentKey)
	if !ok {
		return
	}
	parent := process.Process{Key: above, TTY: self.TTY}
	if parent.Name, ok = v.String(field.AttrParentName); !ok {
		parent.Name, ok = v.ancestorName(1)
	}
	if ok { // whoever has no name may be a shell
		yield(&parent)
	}
}
