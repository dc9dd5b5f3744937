package translate

import (
	"bytes"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// Values of schema.FileOperation.
const (
	opOpen    = "open"
	opCreate  = "create"
	opDelete  = "delete"
	opRename  = "rename"
	opLink    = "link"
	opSymlink = "symlink"
	opMkdir   = "mkdir"
	opRmdir   = "rmdir"
	opChmod   = "chmod"
	opChown   = "chown"
	opCut     = "truncate"
	opXattr   = "setxattr"
)

// files writes the files that a call is about.
func (l *Logs) files(attrs pcommon.Map, c call, arguments bool) {
	l.paths(attrs, c, arguments)
	if c.spec.Result == syscalls.ResultFile {
		l.opened(attrs, c)
	} else if fd, number := c.held(); fd != nil && fd.Socket.Family == 0 {
		l.descriptor(attrs, fd, number)
		l.heldPath(attrs, fd)
	} else if c.spec.Result == syscalls.ResultCwd && len(c.Result.Path) > 0 {
		attrs.PutStr(schema.FileResolvedPath, l.texts.text(c.Result.Path))
	}
	if op := operation(c); op != "" {
		attrs.PutStr(schema.FileOperation, op)
	}
	if mode, ok := modeOf(c); ok {
		attrs.PutStr(schema.FileMode, octal(mode))
	}
}

// paths writes the names that the call was given, made absolute; with its
// arguments also the directory that the name is relative to.
func (l *Logs) paths(attrs pcommon.Map, c call, arguments bool) {
	names := 0
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		if c.spec.Args[i].Kind != syscalls.KindPath {
			continue
		}
		names++
		arg := &c.Args[i]
		if arg.Flags&event.ArgUnreadable != 0 {
			continue
		}
		base, flags, named := c.base(i)
		if len(arg.Bytes) == 0 && len(base) == 0 {
			continue
		}
		key := schema.FilePath
		if names == 1 && c.pathArgs() > 1 {
			key = schema.FilePreviousPath
		}
		cut := flags&event.ArgTruncated != 0
		if cut && c.opens() {
			// the kernel knows better what a name below half a base leads to
			attrs.PutStr(key, l.texts.text(c.Result.Path))
			l.mark(flags, schema.FileBasePath)
		} else {
			attrs.PutStr(key, l.texts.text(l.absolute(base, arg.Bytes, cut)))
			l.mark(flags, key)
		}
		if arguments && named && key == schema.FilePath {
			attrs.PutStr(schema.FileBasePath, l.texts.text(base))
		}
	}
	if target := c.arg("target"); target != nil && len(target.Bytes) > 0 {
		attrs.PutStr(schema.FileSymlinkTarget, l.texts.text(target.Bytes))
	}
}

// opens tells whether the call has opened a file whose whole path is known.
func (c call) opens() bool {
	return c.spec.Result == syscalls.ResultFile && c.Return >= 0 &&
		len(c.Result.Path) > 0 && c.Result.Flags&event.ArgTruncated == 0
}

// pathArgs counts the path arguments.
func (c call) pathArgs() int {
	n := 0
	for i := range c.spec.Args {
		if c.spec.Args[i].Kind == syscalls.KindPath {
			n++
		}
	}
	return n
}

// base is the directory that path argument i is relative to: that of the
// descriptor before it, else the working directory. named tells that it came
// from a descriptor, flags whether its beginning is missing. Empty for absolute
// paths.
func (c call) base(i int) (dir []byte, flags event.ArgFlags, named bool) {
	if raw := c.Args[i].Bytes; len(raw) > 0 && raw[0] == '/' {
		return nil, 0, false
	}
	if i > 0 && c.spec.Args[i-1].Kind == syscalls.KindDirFD && c.Args[i-1].Int() != unix.AT_FDCWD {
		return c.Args[i-1].Path, c.Args[i-1].Flags, true
	}
	return c.Cwd, c.CwdFlag, false
}

// absolute joins base and name lexically: empty, "." and ".." segments are
// resolved without looking at any file. cut says that the beginning of base is
// missing; a name that climbs out of what is left of it then counts as one from
// the root, for that is where enough ".." lead. The result is valid until the
// next call.
func (l *Logs) absolute(base, name []byte, cut bool) []byte {
	out := l.buf[:0]
	if len(base) == 0 && (len(name) == 0 || name[0] != '/') {
		return name // nobody knows where
	}
	detached := len(base) > 0 && base[0] != '/'
	for _, part := range [2][]byte{base, name} {
		for len(part) > 0 {
			seg := part
			if slash := bytes.IndexByte(part, '/'); slash >= 0 {
				seg, part = part[:slash], part[slash+1:]
			} else {
				part = nil
			}
			switch {
			case len(seg) == 0, len(seg) == 1 && seg[0] == '.':
			case len(seg) == 2 && seg[0] == '.' && seg[1] == '.':
				if len(out) == 0 && cut {
					detached = false
				}
				out = out[:max(bytes.LastIndexByte(out, '/'), 0)]
			default:
				out = append(out, '/')
				out = append(out, seg...)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, '/')
	}
	l.buf = out
	if detached {
		return out[1:] // as the base: below no root that has a name
	}
	return out
}

// opened writes the descriptor that a call returned.
func (l *Logs) opened(attrs pcommon.Map, c call) {
	if flags, ok := openFlags(c); ok {
		attrs.PutInt(schema.FileOpenFlags, int64(flags))
	}
	if c.Return < 0 {
		return
	}
	if len(c.Result.Path) > 0 {
		path := l.texts.text(c.Result.Path)
		attrs.PutStr(schema.FileResolvedPath, path)
		if c.pathArgs() == 0 { // by handle
			attrs.PutStr(schema.FilePath, path)
		}
	}
	l.mark(c.Result.Flags&event.ArgTruncated, schema.FileResolvedPath)
	if c.Result.File.Flags&event.FileCreated != 0 {
		attrs.PutBool(schema.FileCreated, true)
	}
	l.descriptor(attrs, &c.Result, c.Return)
}

// descriptor writes an open file.
func (l *Logs) descriptor(attrs pcommon.Map, arg *event.Arg, fd int64) {
	attrs.PutInt(schema.FileDescriptor, fd)
	f := &arg.File
	if f.Inode == 0 {
		return
	}
	attrs.PutStr(schema.FileInode, l.number(f.Inode, 10))
	l.buf = strconv.AppendUint(l.buf[:0], uint64(f.Major()), 10)
	l.buf = strconv.AppendUint(append(l.buf, ':'), uint64(f.Minor()), 10)
	attrs.PutStr(schema.FileDevice, l.texts.text(l.buf))
	if t := fileType(arg); t != "" {
		attrs.PutStr(schema.FileDescriptorType, t)
	}
	if f.Flags&event.FileUpper != 0 {
		attrs.PutBool(schema.FileUpperLayer, true)
	}
	if f.Flags&event.FileLower != 0 {
		attrs.PutBool(schema.FileLowerLayer, true)
	}
}

// held is the descriptor that a call is about and which is no open file of its
// own: the one it returned, or else the one it was given.
func (c call) held() (fd *event.Arg, number int64) {
	if c.returned() {
		if pair := c.kind(syscalls.KindFDPair); pair != nil {
			return &c.Result, int64(int32(pair.Words[0]))
		}
		return &c.Result, c.Return
	}
	for _, k := range [...]syscalls.Kind{syscalls.KindFD, syscalls.KindClosing} {
		if arg := c.kind(k); arg != nil {
			return arg, int64(arg.Int())
		}
	}
	return nil, 0
}

// returned tells whether the call's result is a descriptor of which something is
// known. Of bpf it may be 0 and mean success.
func (c call) returned() bool {
	if c.spec.Name == "bpf" && nameless(c.Result.Path) == "" {
		return false
	}
	return c.Result.File.Inode != 0 || c.Result.Socket.Family != 0
}

// heldPath writes the path of a descriptor; what has a type of its own has none.
func (l *Logs) heldPath(attrs pcommon.Map, fd *event.Arg) {
	path := fd.Path
	if fd.File.Flags&event.FileMemfd != 0 {
		path = bytes.TrimPrefix(path, memfdPrefix)
	} else if fd.Flags&event.ArgDetached != 0 && nameless(fd.Path) != "" {
		return
	}
	if len(path) > 0 {
		name := l.texts.text(path)
		attrs.PutStr(schema.FilePath, name)
		attrs.PutStr(schema.FileResolvedPath, name)
	}
}

var memfdPrefix = []byte("memfd:")

// nameless is the type of a descriptor of the kernel's own, by the name that
// its makers give it inside the kernel; empty for all else.
func nameless(name []byte) string {
	switch string(name) {
	case "[eventfd]":
		return "event"
	case "[eventpoll]":
		return "eventpoll"
	case "[signalfd]":
		return "signalfd"
	case "[timerfd]":
		return "timerfd"
	case "inotify":
		return "inotify"
	case "[userfaultfd]":
		return "userfaultfd"
	case "[io_uring]":
		return "io_uring"
	case "[pidfd]":
		return "pidfd"
	case "bpf-map", "bpf-prog", "bpf_link", "bpf_iter", "btf", "bpf-token":
		return "bpf"
	}
	return ""
}

// fileType is the word for what a descriptor stands for.
func fileType(arg *event.Arg) string {
	f := &arg.File
	if f.Flags&event.FileMemfd != 0 {
		return "memfd"
	}
	if arg.Flags&event.ArgDetached != 0 {
		if t := nameless(arg.Path); t != "" {
			return t
		}
	}
	switch f.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFCHR, unix.S_IFBLK:
		return "file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFIFO:
		return "pipe"
	default:
		return ""
	}
}

// OpenFlags are the O_ bits that a call opened with; ok is false when it is none
// that opens, or they could not be read.
func OpenFlags(s *event.Syscall) (flags uint64, ok bool) {
	return openFlags(call{Syscall: s, spec: s.Spec()})
}

// openFlags are the O_ bits that a call opened with.
func openFlags(c call) (uint64, bool) {
	if how := c.kind(syscalls.KindOpenHow); how != nil {
		return how.Words[0], how.Flags&event.ArgUnreadable == 0
	}
	if c.spec.Name == "creat" {
		return unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC, true
	}
	if flags := c.arg("flags"); flags != nil {
		return uint64(uint32(flags.Number)), true
	}
	return 0, false
}

// modeOf are the permission bits that a call sets; of an open only when it may
// create.
func modeOf(c call) (uint64, bool) {
	var mode uint64
	if how := c.kind(syscalls.KindOpenHow); how != nil {
		mode = how.Words[1]
	} else if arg := c.kind(syscalls.KindMode); arg != nil {
		mode = arg.Number
	} else {
		return 0, false
	}
	if c.spec.Result == syscalls.ResultFile {
		const creates = unix.O_CREAT | unix.O_TMPFILE&^unix.O_DIRECTORY
		if flags, ok := openFlags(c); !ok || flags&creates == 0 {
			return 0, false
		}
	}
	return mode & 0o7777, true
}

func octal(mode uint64) string {
	const digits = "01234567"
	return string([]byte{digits[mode>>9&7], digits[mode>>6&7], digits[mode>>3&7], digits[mode&7]})
}

// operation is the word for what a call does to a file; empty for other calls.
func operation(c call) string {
	switch c.spec.Name {
	case "open", "openat", "openat2", "creat", "open_by_handle_at":
		if c.Result.File.Flags&event.FileCreated != 0 {
			return opCreate
		}
		return opOpen
	case "unlinkat":
		if flags := c.arg("flags"); flags != nil && flags.Number&unix.AT_REMOVEDIR != 0 {
			return opRmdir
		}
		return opDelete
	default:
		return operations[c.spec.Name]
	}
}

var operations = map[string]string{
	"unlink": opDelete, "rename": opRename, "renameat": opRename, "renameat2": opRename,
	"link": opLink, "linkat": opLink, "symlink": opSymlink, "symlinkat": opSymlink,
	"mkdir": opMkdir, "mkdirat": opMkdir, "rmdir": opRmdir,
	"chmod": opChmod, "fchmod": opChmod, "fchmodat": opChmod, "fchmodat2": opChmod,
	"chown": opChown, "lchown": opChown, "fchown": opChown, "fchownat": opChown,
	"mknod": opCreate, "mknodat": opCreate,
	"truncate": opCut, "truncate64": opCut, "ftruncate": opCut, "ftruncate64": opCut,
	"setxattr": opXattr, "lsetxattr": opXattr, "fsetxattr": opXattr,
}
