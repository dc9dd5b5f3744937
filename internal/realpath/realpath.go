//go:build linux

// Package realpath finds where a name leads in the root and the mount name space
// of a process. Calls that only name a file, such as rename, tell no path of the
// kernel's own: a symbolic link on the way to their directory hides which
// directory that is.
//
// It looks after the call. A link that has been removed or turned since is
// followed where it led when the call that made it was seen, too (Links); an older
// one leads nowhere, or elsewhere. Nothing is opened: no file is touched, and the
// agent adds no opens to those that it watches.
package realpath

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links may lie on one way, as in the kernel.
const maxLinks = 40

// Errors of names that cannot be followed.
var (
	// ErrGone tells that there is no such process any more: another one that
	// has the same root may be asked.
	ErrGone = errors.New("the process has ended")

	errElsewhere = errors.New("the name begins below another root")
	errLoop      = errors.New("too many symbolic links")
	errOwn       = errors.New("a file system that looks different to each process")
)

// Root is what a process sees as "/".
type Root struct {
	dir string // where this program sees it, without a slash at its end
	// below is the path of that in the mount name space; empty at its root.
	below string

	links   *Links // nil when none are remembered
	mountNS uint32 // of the paths
	now     uint64 // the time at which names are followed, ns since boot
}

// At is the root with what links were there at a time, in ns since boot.
func (r Root) At(links *Links, mountNS uint32, now uint64) Root {
	r.links, r.mountNS, r.now = links, mountNS, now
	return r
}

// RootOf is the root of a process; proc is where the proc file system is
// mounted.
func RootOf(proc string, pid uint32) (Root, error) {
	dir := proc + "/" + strconv.FormatUint(uint64(pid), 10) + "/root"
	var buf [unix.PathMax]byte
	n, err := unix.Readlink(dir, buf[:])
	if err != nil {
		if errors.Is(err, unix.ENOENT) {
			return Root{}, ErrGone
		}
		return Root{}, err
	}
	return Root{dir: dir, below: strings.TrimSuffix(string(buf[:n]), "/")}, nil
}

// Path is the root's path in the mount name space.
func (r Root) Path() string {
	if r.below == "" {
		return "/"
	}
	return r.below
}

// Chroot is the root of a process whose root was put at a path of the same mount
// name space; false when that does not lie below this one.
func (r Root) Chroot(path string) (Root, bool) {
	path = strings.TrimSuffix(path, "/")
	rest, ok := r.inside([]byte(path))
	if !ok {
		return Root{}, false
	}
	r.dir, r.below = r.dir+string(rest), path
	return r, true
}

// Identity is what all paths of one file share.
type Identity struct {
	Major, Minor uint32
	Inode        uint64
}

// Identity is that of the file at a path that Directory or Follow gave. The
// kernel is asked for what it has in memory, so that no file server is waited
// for.
func (r Root) Identity(path []byte) (Identity, bool) {
	rest, ok := r.inside(path)
	if !ok {
		return Identity{}, false
	}
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, r.dir+"/"+string(rest),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &st)
	return Identity{Major: st.Dev_major, Minor: st.Dev_minor, Inode: st.Ino}, err == nil
}

// inside is a path of the mount name space as seen from the root.
func (r Root) inside(path []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(path, []byte(r.below))
	return rest, ok && (len(rest) == 0 || rest[0] == '/')
}

// Directory is the path, in the mount name space, of the directory that a name
// lies in, and the name there. base is the path in the mount name space that a
// relative name begins at. The result is put behind dst.
func (r Root) Directory(dst, base, name []byte) (dir, last []byte, err error) {
	name = bytes.TrimRight(name, "/")
	slash := bytes.LastIndexByte(name, '/')
	last = name[slash+1:]
	if len(last) == 0 || string(last) == "." || string(last) == ".." {
		return nil, nil, errElsewhere // no call takes those for a name
	}
	dir, err = r.walk(dst, base, name[:slash+1])
	return dir, last, err
}

// Follow is the path, in the mount name space, of the file that a name leads to,
// through a symbolic link in its last place, too.
func (r Root) Follow(dst, base, name []byte) ([]byte, error) { return r.walk(dst, base, name) }

// walk goes through rest, from base unless it is absolute, and puts the path in
// the mount name space behind dst.
func (r Root) walk(dst, base, rest []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, r.below...)
	floor := len(dst) // ".." leads no higher
	if len(rest) == 0 || rest[0] != '/' {
		inside, ok := r.inside(base)
		if !ok || len(base) == 0 {
			return nil, errElsewhere
		}
		dst = append(dst, bytes.TrimRight(inside, "/")...) // the kernel's: without links
	}
	for links := 0; len(rest) > 0; {
		var seg []byte
		seg, rest, _ = bytes.Cut(rest, slash)
		switch {
		case len(seg) == 0, string(seg) == ".":
			continue
		case string(seg) == "..":
			dst = dst[:max(floor, start+bytes.LastIndexByte(dst[start:], '/'))]
			continue
		}
		before := len(dst)
		dst = append(append(dst, '/'), seg...)
		if string(dst[floor:]) == "/proc" {
			return nil, errOwn // /proc/self is this program's
		}
		target, isLink := r.link(dst[start:], dst[floor:])
		if !isLink {
			continue
		}
		if links++; links > maxLinks {
			return nil, errLoop
		}
		rest = append(append(target, '/'), rest...)
		dst = dst[:before]
		if target[0] == '/' {
			dst = dst[:floor]
		}
	}
	if len(dst) == start {
		dst = append(dst, '/')
	}
	return dst, nil
}

var slash = []byte{'/'}

// link is where a symbolic link leads: full in the mount name space, path in the
// root. A path that leads nowhere is none.
func (r Root) link(full, path []byte) (target []byte, ok bool) {
	if made := r.links.at(r.mountNS, full, r.now); made != "" {
		return append(make([]byte, 0, len(made)+1), made...), true
	}
	var buf [unix.PathMax]byte
	n, err := unix.Readlink(r.dir+string(path), buf[:])
	if err != nil || n == 0 {
		return nil, false
	}
	return append(make([]byte, 0, n+1), buf[:n]...), true
}
