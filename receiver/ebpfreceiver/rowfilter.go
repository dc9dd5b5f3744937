//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// rowFilter is what is wanted of the calls of one row of the syscall table. The
// zero value wants none. One goroutine uses it.
type rowFilter struct {
	all    bool
	some   *interest.Filter // nil: none, or all
	flags  int              // the argument with the open flags; -1: the call has none
	how    bool             // that is an open_how
	socket bool             // the first argument is a socket
	path   int              // the one path argument; -1: there is none, or more
	dir    int              // the directory's descriptor before it; -1: the working directory
	joined []byte           // room for a path
}

// newRowFilter is what set wants of a row.
func newRowFilter(set interest.Set, spec *syscalls.Spec) rowFilter {
	f := rowFilter{flags: -1, path: -1, dir: -1}
	if !set.Has(spec.Name) {
		return f
	}
	f.some = set.Filter(spec.Name)
	f.all = f.some == nil
	f.socket = interest.HasSocket(spec.Name)
	paths := 0
	for i, a := range spec.Args {
		if a.Kind == syscalls.KindPath {
			paths++
			f.path = i
		}
	}
	if paths > 1 {
		f.path = -1
	}
	if f.path > 0 && spec.Args[f.path-1].Kind == syscalls.KindDirFD {
		f.dir = f.path - 1
	}
	if interest.HasAccess(spec.Name) {
		if f.flags = spec.ArgIndex("flags"); f.flags < 0 {
			f.flags, f.how = spec.ArgIndex("how"), true
		}
	}
	return f
}

// wants reports whether somebody may want the call of p, which may be nil.
func (f *rowFilter) wants(s *event.Syscall, p *process.Process) bool {
	if f.some == nil {
		return f.all
	}
	detail, ok := f.detail(s)
	if !ok {
		return true
	}
	w := &f.some[interest.ClassOf(s.Return, detail)]
	return w.Any || len(w.Resolved) > 0 && f.resolves(s, w.Resolved) ||
		len(w.Named) > 0 && f.names(s, w.Named) || len(w.Programs) > 0 && f.runs(p, w.Programs)
}

// detail is the access mode that an open call asks for, or the kind of socket; ok
// is false when it could not be read.
func (f *rowFilter) detail(s *event.Syscall) (detail uint64, ok bool) {
	switch {
	case f.socket:
		return interest.SocketKind(s.Args[0].Socket.Family, s.Args[0].Socket.PeerPort), true
	case f.flags < 0:
		return 0, true
	case f.how:
		return s.Args[f.flags].Words[0], s.Args[f.flags].Flags&event.ArgUnreadable == 0
	default:
		return s.Args[f.flags].Number, true
	}
}

// resolves reports whether the opened file may lie where it is wanted.
func (f *rowFilter) resolves(s *event.Syscall, where interest.Beginnings) bool {
	path := s.Result.Path
	if s.Return < 0 || len(path) == 0 {
		return false // no record tells one
	}
	if path[0] != '/' || s.Result.Flags&event.ArgTruncated != 0 {
		return true
	}
	f.joined = append(append(f.joined[:0], path...), 0)
	return where.Match(f.joined)
}

// names reports whether the name that the program gave may be one that is
// wanted. Names that are not plain pass: what they come to is for others to say.
func (f *rowFilter) names(s *event.Syscall, where interest.Beginnings) bool {
	if f.path < 0 {
		return true
	}
	arg := &s.Args[f.path]
	name := arg.Bytes
	if arg.Flags&(event.ArgUnreadable|event.ArgTruncated) != 0 || len(name) == 0 {
		return true
	}
	f.joined = f.joined[:0]
	if name[0] != '/' {
		base, flags := s.Cwd, s.CwdFlag
		if f.dir >= 0 && s.Args[f.dir].Int() != unix.AT_FDCWD {
			base, flags = s.Args[f.dir].Path, s.Args[f.dir].Flags
		}
		if len(base) == 0 || base[0] != '/' || flags&event.ArgTruncated != 0 || !interest.IsPlainTail(name) {
			return true
		}
		f.joined = append(append(f.joined, bytes.TrimSuffix(base, slash)...), '/')
	} else if !interest.IsPlain(name) {
		return true
	}
	f.joined = append(f.joined, name...)
	if n := len(f.joined); n > 1 && f.joined[n-1] == '/' {
		f.joined = f.joined[:n-1]
	}
	f.joined = append(f.joined, 0)
	return where.Match(f.joined)
}

var slash = []byte{'/'}

// runs reports whether the process may be one of the programs that are wanted.
func (f *rowFilter) runs(p *process.Process, which interest.Beginnings) bool {
	if p == nil {
		return true
	}
	f.joined = append(append(f.joined[:0], p.Name...), 0)
	return which.Match(f.joined)
}
