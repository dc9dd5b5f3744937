package field

import "github.com/sightglass/sightglass/internal/policy/events"

// fsFields are the paths that a call names, of calls that succeeded.
var fsFields = []Field{
	{Name: "fs.path.name", Type: FSPath, Doc: "absolute path of the file that the call works on", From: []Attr{AttrFilePath}, Get: fsPath(fsName, false)},
	{Name: "fs.path.nameraw", Type: CharBuf, Doc: "the same as the program gave it", From: []Attr{AttrFileRaw}, Get: fsPath(fsName, true)},
	{Name: "fs.path.source", Type: FSPath, Doc: "absolute path of the source of a rename, link or mount", From: []Attr{AttrFilePrevious, AttrFilePath}, Get: fsPath(fsSource, false)},
	{Name: "fs.path.sourceraw", Type: CharBuf, Doc: "the same as the program gave it", From: []Attr{AttrFileRaw}, Get: fsPath(fsSource, true)},
	{Name: "fs.path.target", Type: FSPath, Doc: "absolute path of the target of a rename, link or mount", From: []Attr{AttrFilePrevious, AttrFilePath}, Get: fsPath(fsTarget, false)},
	{Name: "fs.path.targetraw", Type: CharBuf, Doc: "the same as the program gave it", From: []Attr{AttrFileRaw}, Get: fsPath(fsTarget, true)},
	{Name: "fs.path.resolved", Type: FSPath, Doc: "the kernel's own path of the file, which links and mounts cannot disguise; of what is only named, its directory as it was right after the call, or else the name; not part of Falco", From: []Attr{AttrFileResolved, AttrFilePath}, Get: fsResolved},
	{Name: "fs.path.source.resolved", Type: FSPath, Doc: "the same of the source of a rename or link; not part of Falco", From: []Attr{AttrFileResolved, AttrFilePreviousResolved, AttrFilePrevious, AttrFilePath}, Get: fsResolvedEnd(fsSource)},
	{Name: "fs.path.target.resolved", Type: FSPath, Doc: "the same of the target of a rename or hard link; not part of Falco", From: []Attr{AttrFileResolved, AttrFilePreviousResolved, AttrFilePrevious, AttrFilePath}, Get: fsResolvedEnd(fsTarget)},
}

// changeFields are what became of a critical file, in events of the type
// file_modified. A file that was not there before, or is not after, has no
// values for that side.
var changeFields = []Field{
	{Name: "fs.change", Type: CharBuf, Doc: "what changed of a critical file, joined by commas: created, deleted, content, mode, owner; not part of Falco", From: []Attr{AttrFileChanges}, Get: func(c *Context, _ *Arg, v *Value) {
		if kinds, ok := c.Strings(AttrFileChanges); ok {
			v.SetText(c.joined(kinds, ","))
		}
	}},
	{Name: "fs.before.size", Type: Int64, Doc: "size before, in bytes; not part of Falco", From: []Attr{AttrFileBeforeSize}, Get: getInt(AttrFileBeforeSize)},
	{Name: "fs.before.mode", Type: CharBuf, Doc: "permission bits before, as 0644; not part of Falco", From: []Attr{AttrFileBeforeMode}, Get: getText(AttrFileBeforeMode)},
	{Name: "fs.before.uid", Type: Int64, Doc: "owner before; not part of Falco", From: []Attr{AttrFileBeforeUser}, Get: getInt(AttrFileBeforeUser)},
	{Name: "fs.before.sha256", Type: CharBuf, Doc: "hash of the content before; not part of Falco", From: []Attr{AttrFileBeforeSHA256}, Get: getText(AttrFileBeforeSHA256)},
	{Name: "fs.after.size", Type: Int64, Doc: "size after, in bytes; not part of Falco", From: []Attr{AttrFileAfterSize}, Get: getInt(AttrFileAfterSize)},
	{Name: "fs.after.mode", Type: CharBuf, Doc: "permission bits after; not part of Falco", From: []Attr{AttrFileAfterMode}, Get: getText(AttrFileAfterMode)},
	{Name: "fs.after.uid", Type: Int64, Doc: "owner after; not part of Falco", From: []Attr{AttrFileAfterUser}, Get: getInt(AttrFileAfterUser)},
	{Name: "fs.after.sha256", Type: CharBuf, Doc: "hash of the content after; not part of Falco", From: []Attr{AttrFileAfterSHA256}, Get: getText(AttrFileAfterSHA256)},
}

// fsArgs are the arguments of one call that are paths, by what they are.
type fsArgs struct{ name, source, target string }

// fsPart picks one of them.
type fsPart int

const (
	fsName fsPart = iota
	fsSource
	fsTarget
)

// fsCalls has the calls with paths. Of a link the new name is the source and
// the old one the target, as with a symbolic link.
var fsCalls = map[string]fsArgs{
	"mkdir": {name: "path"}, "mkdirat": {name: "path"}, "rmdir": {name: "path"},
	"unlink": {name: "path"}, "unlinkat": {name: "name"},
	"open": {name: "name"}, "openat": {name: "name"}, "openat2": {name: "name"}, "creat": {name: "name"},
	"open_by_handle_at": {name: "path"},
	"chmod":             {name: "filename"}, "fchmodat": {name: "filename"}, "fchmodat2": {name: "filename"}, "fchmod": {name: "fd"},
	"chown": {name: "path"}, "lchown": {name: "path"}, "fchownat": {name: "pathname"}, "fchown": {name: "fd"},
	"truncate": {name: "path"}, "ftruncate": {name: "fd"}, "setxattr": {name: "path"}, "lsetxattr": {name: "path"}, "fsetxattr": {name: "fd"},
	"move_mount": {source: "from_path", target: "dir"},
	"umount":     {name: "name"}, "umount2": {name: "name"}, "quotactl": {name: "special"},
	"rename":    {source: "oldpath", target: "newpath"},
	"renameat":  {source: "oldpath", target: "newpath"},
	"renameat2": {source: "oldpath", target: "newpath"},
	"link":      {source: "newpath", target: "oldpath"},
	"linkat":    {source: "newpath", target: "oldpath"},
	"symlink":   {source: "linkpath", target: "target"},
	"symlinkat": {source: "linkpath", target: "target"},
	"mount":     {source: "dev", target: "dir"},
}

// resolvedArgs are the arguments of calls with two paths whose real path is
// told, and where.
var resolvedArgs = map[string]Attr{
	"oldpath": AttrFilePreviousResolved, "newpath": AttrFileResolved, "linkpath": AttrFileResolved,
}

// fsArg is the argument of a call that is one of its paths.
type fsArg struct {
	position int8 // -1 when the call has none
	real     Attr // where its real path is told, when hasReal
	hasReal  bool
}

// fsPaths are the paths of the calls, by the number of the event's type.
var fsPaths = func() [][3]fsArg {
	table := make([][3]fsArg, events.Count())
	for id := range table {
		e := events.ByID(events.ID(id))
		call := fsCalls[e.Name]
		for part, name := range [...]string{fsName: call.name, fsSource: call.source, fsTarget: call.target} {
			arg := fsArg{position: int8(e.ArgIndex(name))}
			arg.real, arg.hasReal = resolvedArgs[name]
			table[id][part] = arg
		}
	}
	return table
}()

// fsArg is one of the paths of a call that succeeded; nil when it has none.
func (c *Context) fsArg(part fsPart) *fsArg {
	if c.event == nil || c.failed() {
		return nil
	}
	if arg := &fsPaths[c.event.ID][part]; arg.position >= 0 {
		return arg
	}
	return nil
}

// fsResolvedEnd is one end of a call with two paths, where it really is, or as
// it was named when that could not be told any more.
func fsResolvedEnd(part fsPart) func(*Context, *Arg, *Value) {
	named := fsPath(part, false)
	return func(c *Context, a *Arg, v *Value) {
		arg := c.fsArg(part)
		if arg == nil {
			return
		}
		if arg.hasReal {
			if s, ok := c.String(arg.real); ok {
				v.SetText(s)
				return
			}
		}
		named(c, a, v)
	}
}

// fsResolved is the real path of the file. Of an open file only the kernel
// knows it; what is only named is where the name says unless more is known.
func fsResolved(c *Context, a *Arg, v *Value) {
	if s, ok := c.String(AttrFileResolved); ok {
		v.SetText(s)
		return
	}
	if c.event == nil || c.does(actOpen|actCreat) {
		return
	}
	if arg := c.fsArg(fsName); arg != nil && c.event.Args[arg.position].Kind != events.KindFD {
		fsNamed(c, a, v)
	}
}

var fsNamed = fsPath(fsName, false)

func fsPath(part fsPart, raw bool) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		arg := c.fsArg(part)
		if arg == nil {
			return
		}
		if s, ok := c.fsText(int(arg.position), raw); ok {
			v.SetText(s)
		}
	}
}

func (c *Context) fsText(i int, raw bool) (string, bool) {
	a := &c.event.Args[i]
	switch {
	case a.Kind == events.KindFD: // fchmod, fchown: the descriptor's file
		return c.fdName()
	case raw:
		return c.argText(i)
	case a.Kind == events.KindText:
		s, ok := c.argText(i)
		if !ok {
			return "", false
		}
		base, _ := c.base(i)
		return c.normal(base, s), true
	default:
		return c.resolvedPath(i)
	}
}
