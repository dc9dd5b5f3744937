package translate

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// MaxNames is how many files a call names at most.
const MaxNames = 2

// Name is what a call gave as the name of a file. Its bytes are the event's.
type Name struct {
	// Base is the kernel's path of the directory that Given begins at; empty
	// when Given is absolute.
	Base, Given []byte
	// Follows tells that the call works on what a symbolic link of that name
	// leads to, not on the link.
	Follows bool
}

// Names puts the names of a call that has worked on files without opening them
// behind dst; nothing for other calls. What is not known whole is empty.
func Names(dst []Name, s *event.Syscall) []Name {
	how, ok := namedBy(s.Index)
	if !ok || s.Return < 0 {
		return dst
	}
	c := call{Syscall: s, spec: &syscalls.Table[s.Index]}
	follows := how.follows
	if flags := c.arg("flags"); flags != nil {
		follows = follows && flags.Number&how.unless == 0 || flags.Number&how.only != 0
	}
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		if c.spec.Args[i].Kind != syscalls.KindPath {
			continue
		}
		n := Name{Given: c.Args[i].Bytes, Follows: follows && (!how.first || i < 2)}
		base, flags, _ := c.base(i)
		if (flags|c.Args[i].Flags)&(event.ArgTruncated|event.ArgUnreadable) != 0 {
			n.Given = nil
		} else {
			n.Base = base
		}
		dst = append(dst, n)
	}
	return dst
}

// naming says which of a call's names are followed through a last link.
type naming struct {
	follows bool
	unless  uint64 // but not with these flags
	only    uint64 // or with these
	first   bool   // the first name alone
}

// namings are the calls that work on files by name.
var namings = map[string]naming{
	"unlink": {}, "unlinkat": {}, "rmdir": {}, "mkdir": {}, "mkdirat": {}, "mknod": {}, "mknodat": {},
	"rename": {}, "renameat": {}, "renameat2": {}, "symlink": {}, "symlinkat": {}, "lchown": {},
	"link":   {},
	"linkat": {only: unix.AT_SYMLINK_FOLLOW, first: true},
	"chmod":  {follows: true}, "fchmodat": {follows: true},
	"fchmodat2": {follows: true, unless: unix.AT_SYMLINK_NOFOLLOW},
	"chown":     {follows: true},
	"fchownat":  {follows: true, unless: unix.AT_SYMLINK_NOFOLLOW},
	"setxattr":  {follows: true}, "lsetxattr": {},
	"truncate": {follows: true}, "truncate64": {follows: true},
}

// namedRows are the namings by row of the table, for one look-up per call.
var namedRows = func() []*naming {
	rows := make([]*naming, len(syscalls.Table))
	for i := range syscalls.Table {
		if how, ok := namings[syscalls.Table[i].Name]; ok {
			rows[i] = &how
		}
	}
	return rows
}()

func namedBy(row uint16) (naming, bool) {
	if int(row) >= len(namedRows) || namedRows[row] == nil {
		return naming{}, false
	}
	return *namedRows[row], true
}

// resolved writes where the names lead.
func (l *Logs) resolved(attrs pcommon.Map, c call, paths [MaxNames][]byte) {
	last := schema.FileResolvedPath
	if path := paths[0]; len(path) > 0 {
		key := last
		if c.pathArgs() > 1 {
			key = schema.FilePreviousResolvedPath
		}
		attrs.PutStr(key, l.texts.text(path))
	}
	if path := paths[1]; len(path) > 0 {
		attrs.PutStr(last, l.texts.text(path))
	}
}
