package encryption

import (
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// root is the file system that processes see from "/": the host's, or that of a
// container. Its libraries are probed before anybody is seen to use them: a
// program that runs for a few milliseconds is over before it is looked at.
type root struct {
	pid       uint32    // of a process that has it; 0 for the host's
	looked    time.Time // when its libraries were sought
	libraries []*file
}

// Bounds and intervals of roots.
const (
	maxRoots  = 1024
	rootEvery = time.Second // a library may be replaced, and its users start again at once
)

// system looks for the libraries of the host's system.
func (f *Finder) system(now time.Time) {
	id, _, err := identify(f.cfg.Root)
	if err != nil {
		return
	}
	if f.roots[id] == nil {
		f.roots[id] = &root{}
	}
	f.lookAt(f.roots[id], now)
}

// root looks for the libraries of the system that a process sees, unless that was
// just done.
func (f *Finder) root(pid uint32, now time.Time) {
	id, _, err := identify(f.rootOf(pid))
	if err != nil {
		return
	}
	r := f.roots[id]
	if r == nil {
		if len(f.roots) >= maxRoots {
			return
		}
		r = &root{pid: pid}
		f.roots[id] = r
	}
	if now.Sub(r.looked) >= rootEvery {
		f.lookAt(r, now)
	}
}

// rootOf is a path of the root of a process.
func (f *Finder) rootOf(pid uint32) string {
	return filepath.Join(f.cfg.Proc, strconv.FormatUint(uint64(pid), 10), "root")
}

// lookAt has the libraries of a root probed, those that replaced earlier ones
// included.
func (f *Finder) lookAt(r *root, now time.Time) {
	path := f.cfg.Root
	if r.pid != 0 {
		path = f.rootOf(r.pid)
	}
	dir, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(dir) }()
	r.looked, r.libraries = now, r.libraries[:0]
	for _, path := range systemLibraries {
		if known := f.within(dir, path); known != nil {
			known.used = now
			r.libraries = append(r.libraries, known)
		}
	}
}

// within has a library of a root probed, nil when there is none. Its symbolic
// links lead where they lead those who have that root.
func (f *Finder) within(dir int, path string) *file {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	fd, err := unix.Openat2(dir, path, &how)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	known, err := f.know("/proc/self/fd/"+strconv.Itoa(fd), path, libraryOf(path))
	if err != nil {
		return nil
	}
	return known
}

// sweepRoots forgets the roots that nobody has any more as far as is known, and
// keeps the libraries of the others.
func (f *Finder) sweepRoots(now time.Time) {
	for id, r := range f.roots {
		if r.pid != 0 {
			if current, _, err := identify(f.rootOf(r.pid)); err != nil || current != id {
				delete(f.roots, id)
				continue
			}
		}
		f.lookAt(r, now)
	}
}
