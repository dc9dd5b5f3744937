//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/critical"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/realpath"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// namer finds out where the names lead that calls work on without opening them.
// One goroutine uses it.
type namer struct {
	proc      string
	processes *process.Table
	critical  *critical.Files
	cgroup    cgroupOf
	hostNS    uint32 // mount name space of the first process; 0 when it cannot be seen

	links *realpath.Links

	names []translate.Name
	paths [translate.MaxNames][]byte // kept for their room

	// lie has the paths as the process's own mounts have them: unmasked ones are
	// the host's. Those of a name that is followed through a last link are empty.
	lie [translate.MaxNames][]byte

	ofHost [translate.MaxNames]bool // the path that was resolved last is one of the host's, whatever mounts the process has
}

func newNamer(e *enricher, proc string) *namer {
	n := &namer{proc: proc, processes: e.processes, critical: e.critical, cgroup: e.cgroup, links: realpath.NewLinks()}
	var st unix.Stat_t
	if unix.Stat(proc+"/1/ns/mnt", &st) == nil {
		n.hostNS = uint32(st.Ino)
	}
	return n
}

// resolve finds out where the names of a call lead, in the order of
// translate.Names. The paths are valid until the next call; those that cannot be
// told are empty.
func (n *namer) resolve(ev *event.Event) (paths [translate.MaxNames][]byte) {
	n.ofHost, n.lie = [translate.MaxNames]bool{}, [translate.MaxNames][]byte{}
	n.names = translate.Names(n.names[:0], &ev.Syscall)
	if len(n.names) == 0 {
		return paths
	}
	root, ok := n.root(ev)
	if !ok {
		return n.bound(ev)
	}
	root = root.At(n.links, ev.Task.MountNS, ev.Time)
	for i := range n.names {
		paths[i] = n.follow(root, i)
	}
	n.remember(ev)
	return paths
}

// remember notes what a call did to symbolic links; follow has found the paths.
func (n *namer) remember(ev *event.Event) {
	ns, paths := ev.Task.MountNS, &n.lie
	switch ev.Syscall.Spec().Name {
	case "symlink", "symlinkat":
		if target := &ev.Syscall.Args[0]; len(paths[0]) > 0 && target.Flags&(event.ArgTruncated|event.ArgUnreadable) == 0 {
			n.links.Made(ns, paths[0], target.Bytes, ev.Time)
		}
	case "unlink", "unlinkat":
		n.links.Removed(ns, paths[0])
	case "rename", "renameat", "renameat2":
		n.links.Renamed(ns, paths[0], paths[1])
	default:
	}
}

// onHost reports whether the acting process sees the host's own mounts.
func (n *namer) onHost(ev *event.Event) bool { return n.hostNS == 0 || n.hostNS == ev.Task.MountNS }

// firstProcess is the id of the host's first process.
const firstProcess = 1

// root is that of the acting process or, when that has ended, of an ancestor
// that has the same mounts.
func (n *namer) root(ev *event.Event) (realpath.Root, bool) {
	root, err := realpath.RootOf(n.proc, ev.Key.TGID)
	if !errors.Is(err, realpath.ErrGone) {
		return root, err == nil
	}
	var inside string
	if actor, ok := n.processes.Lookup(ev.Key); ok {
		inside = actor.Chroot(ev.Task.MountNS)
	}
	for i := 1; i <= maxAskedAncestors; i++ {
		p, ok := n.processes.Ancestor(ev.Key, i)
		if !ok {
			break
		}
		if p.Alive() && p.MountNS == ev.Task.MountNS {
			if root, ok := n.rootBy(p.Key.TGID, inside); ok {
				return root, true
			}
		}
	}
	if n.hostNS != 0 && n.hostNS == ev.Task.MountNS {
		return n.rootBy(firstProcess, inside)
	}
	return realpath.Root{}, false
}

// rootBy is the root of a process that has ended, by one that lives with the same
// mounts: the same root or, when inside is not empty, the directory in it that a
// chroot has made the root.
func (n *namer) rootBy(pid uint32, inside string) (realpath.Root, bool) {
	root, err := realpath.RootOf(n.proc, pid)
	if err != nil {
		return realpath.Root{}, false
	}
	if inside == "" {
		return root, true
	}
	return root.Chroot(inside)
}

// chroot is the row of that call.
var chroot = func() uint16 {
	row, _ := syscalls.Index("chroot")
	return uint16(row)
}()

// reroot follows a chroot: what the process and its children name later lies in
// another directory than what they seem to name, and they may have ended when
// somebody looks.
func (n *namer) reroot(ev *event.Event) {
	call := &ev.Syscall
	if call.Index != chroot || call.Return != 0 {
		return
	}
	path := "/" // as if nobody knew of it
	root, err := realpath.RootOf(n.proc, ev.Key.TGID)
	switch given := &call.Args[0]; {
	case err == nil:
		path = root.Path()
	case given.Flags&(event.ArgTruncated|event.ArgUnreadable) == 0 && call.CwdFlag&event.ArgTruncated == 0:
		if before, ok := n.root(ev); ok {
			if led, err := before.At(n.links, ev.Task.MountNS, ev.Time).Follow(nil, call.Cwd, given.Bytes); err == nil {
				path = string(led)
			}
		}
	}
	n.processes.SetRoot(ev.Key, path, ev.Task.MountNS)
}

// follow is where name i leads; nil when that cannot be told.
func (n *namer) follow(root realpath.Root, i int) []byte {
	name, room := &n.names[i], n.paths[i][:0]
	if len(name.Given) == 0 {
		return nil
	}
	if name.Follows {
		path, err := root.Follow(room, name.Base, name.Given)
		if err != nil {
			return nil
		}
		n.paths[i] = path
		if id, ok := root.Identity(path); ok {
			if known := n.critical.NameOf(id, path); known != nil {
				n.ofHost[i] = true
				return known
			}
		}
		return n.unmask(root, i, bytes.LastIndexByte(path, '/'))
	}
	dir, last, err := root.Directory(room, name.Base, name.Given)
	if err != nil {
		return nil
	}
	if len(dir) > 1 {
		dir = append(dir, '/')
	}
	end := len(dir) - 1
	n.paths[i] = append(dir, last...)
	n.lie[i] = n.paths[i]
	return n.unmask(root, i, end)
}

// unmask gives a path below a mount of the host's directories the host's own
// path. end is the length of the path of its directory.
func (n *namer) unmask(root realpath.Root, i, end int) []byte {
	path := n.paths[i]
	for ; end > 0; end = bytes.LastIndexByte(path[:end], '/') {
		id, ok := root.Identity(path[:end])
		if !ok {
			continue
		}
		known := n.critical.Directory(id)
		n.ofHost[i] = known != nil
		switch {
		case known == nil:
		case bytes.Equal(known, path[:end]):
			return path
		default:
			out := append(bytes.TrimSuffix(bytes.Clone(known), slash), path[end:]...)
			n.paths[i] = out
			return out
		}
	}
	return path
}
