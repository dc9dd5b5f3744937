package record

import "github.com/sightglass/sightglass/internal/process"

// maxKin is how many processes Kin tells of at most.
const maxKin = 16

// Kin calls yield for the acting process as it is now and for those above it,
// the nearest first, until yield returns false. Without a process table, as in a
// gateway, there is nobody.
func (v *View) Kin(yield func(*process.Process) bool) {
	if v.processes == nil {
		return
	}
	key, ok := v.key(ownProcessKey)
	if !ok {
		return
	}
	for n := range maxKin {
		p, ok := v.processes.Ancestor(key, n)
		if !ok || !yield(p) {
			return
		}
	}
}
