package process

import "github.com/sightglass/sightglass/internal/syscalls"

// moves reports whether a row of the system call table changes the working
// directory of the process; its result is the path of the new one.
func moves(row uint16) bool {
	return int(row) < len(syscalls.Table) && syscalls.Table[row].Result == syscalls.ResultCwd
}

// move gives a process another working directory. Its threads share it, apart
// from those that have asked for one of their own, which are not told apart.
func (t *Table) move(e *entry, path []byte) {
	if string(path) == e.p.Directory() {
		return
	}
	p := *e.p
	if p.MovedTo = string(path); p.MovedTo == p.Cwd {
		p.MovedTo = ""
	}
	t.replace(e, &p)
}

// FollowDirectories is called when the calls that change working directories
// begin to be captured: Apply's goroutine then looks where the processes are that
// may have moved before.
func (t *Table) FollowDirectories() { t.lookAgain.Store(true) }

// readDirectories looks where the living processes are.
func (t *Table) readDirectories() {
	t.lookAgain.Store(false)
	for _, e := range t.entries {
		if !e.p.Alive() || e.p.Kernel {
			continue
		}
		if dir, ok := t.proc.cwd(e.p.Key); ok {
			t.move(e, []byte(dir))
		}
	}
}
