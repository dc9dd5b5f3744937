package process

import "github.com/sightglass/sightglass/internal/syscalls"

// SetRoot tells where a chroot has put the root of a process, and with it that of
// all that the process starts from now on: a path in a mount name space, or "/".
// Only Apply's goroutine may call it. A process that is not known is left alone.
func (t *Table) SetRoot(k Key, path string, mountNS uint32) {
	e, ok := t.entries[k]
	if !ok {
		return
	}
	if path == "/" {
		path, mountNS = "", 0
	}
	t.setRoot(e, path, mountNS)
}

func (t *Table) setRoot(e *entry, path string, mountNS uint32) {
	if e.p.Root == path && e.p.RootNS == mountNS {
		return
	}
	p := *e.p
	p.Root, p.RootNS = path, mountNS
	t.replace(e, &p)
}

// setns and pivotRoot are the rows of the calls that can give a process another
// root in a way that nobody follows.
var setns, pivotRoot = rowOf("setns"), rowOf("pivot_root")

func leavesRoot(row uint16) bool { return row == setns || row == pivotRoot }

func rowOf(name string) uint16 {
	row, _ := syscalls.Index(name)
	return uint16(row)
}
