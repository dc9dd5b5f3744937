package field

import (
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// evtStateFields say what an event does.
var evtStateFields = []Field{
	{Name: "evt.is_open_read", Type: Boolean, Doc: "opens a file for reading", From: []Attr{AttrFileFlags}, Get: openMode(events.OpenRead)},
	{Name: "evt.is_open_write", Type: Boolean, Doc: "opens a file for writing", From: []Attr{AttrFileFlags}, Get: openMode(events.OpenWrite)},
	{Name: "evt.is_open_exec", Type: Boolean, Doc: "creates a file that may be executed", From: []Attr{AttrFileFlags, AttrFileMode}, Get: getOpenExec},
	{Name: "evt.is_open_create", Type: Boolean, Doc: "the call created the file", From: []Attr{AttrFileCreated, AttrFileFlags}, Get: getOpenCreate},
	{Name: "evt.is_io", Type: Boolean, Doc: "reads, writes, or otherwise handles data", Get: inCategory(events.IORead, events.IOWrite, events.IOOther)},
	{Name: "evt.is_io_read", Type: Boolean, Doc: "reads data", Get: inCategory(events.IORead)},
	{Name: "evt.is_io_write", Type: Boolean, Doc: "writes data", Get: inCategory(events.IOWrite)},
	{Name: "evt.is_wait", Type: Boolean, Doc: "makes the thread wait", Get: inCategory(events.Wait, events.Sleep)},
	{Name: "evt.io_dir", Type: CharBuf, Doc: "read or write; no value for other events", Get: func(c *Context, _ *Arg, v *Value) {
		switch {
		case c.event == nil:
		case c.event.Category == events.IORead:
			v.SetText("read")
		case c.event.Category == events.IOWrite:
			v.SetText("write")
		}
	}},
	{Name: "evt.is_syslog", Type: Boolean, Doc: "writes to the system log", From: []Attr{AttrFilePath, AttrNetPeerAddress}, Get: func(c *Context, _ *Arg, v *Value) {
		name, ok := c.fdName()
		v.SetBool(ok && c.transfers() && c.event.Category == events.IOWrite && strings.HasSuffix(name, "/dev/log"))
	}},
	{Name: "evt.count", Type: Uint32, Doc: "1 for every event", Get: countIf(func(*Context) bool { return true })},
	{Name: "evt.count.exit", Type: Uint32, Doc: "1 for every call", Get: countIf(func(*Context) bool { return true })},
	{Name: "evt.count.error", Type: Uint32, Doc: "1 for every call that failed", From: []Attr{AttrSyscallReturn}, Get: countIf((*Context).failed)},
	{Name: "evt.count.error.file", Type: Uint32, Doc: "1 for every file call that failed", Get: countFailed(events.File)},
	{Name: "evt.count.error.net", Type: Uint32, Doc: "1 for every network call that failed", Get: countFailed(events.Net)},
	{Name: "evt.count.error.memory", Type: Uint32, Doc: "1 for every memory call that failed", Get: countFailed(events.Memory)},
	{Name: "evt.count.error.other", Type: Uint32, Doc: "1 for every other call that failed", Get: countIf(func(c *Context) bool {
		return c.failed() && !c.inCategory(events.File, events.Net, events.Memory)
	})},
	{Name: "evt.abspath", Type: CharBuf, Doc: "absolute path of the file that the call names", From: []Attr{AttrFilePath}, Get: absPath(-1)},
	{Name: "evt.abspath.src", Type: CharBuf, Doc: "absolute path of the source of a rename or link", From: []Attr{AttrFilePrevious}, Get: absPath(0)},
	{Name: "evt.abspath.dst", Type: CharBuf, Doc: "absolute path of the target of a rename or link", From: []Attr{AttrFilePath}, Get: absPath(1)},
}

func (c *Context) inCategory(cats ...events.Category) bool {
	return c.event != nil && slices.Contains(cats, c.event.Category)
}

func inCategory(cats ...events.Category) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { v.SetBool(c.inCategory(cats...)) }
}

// countIf is 1 where the condition holds and no value elsewhere.
func countIf(cond func(*Context) bool) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if cond(c) {
			v.SetUint(1)
		}
	}
}

func countFailed(cat events.Category) func(*Context, *Arg, *Value) {
	return countIf(func(c *Context) bool { return c.failed() && c.inCategory(cat) })
}

// opens reports whether the event is one of the open calls with flags.
func (c *Context) opens() bool { return c.does(actOpen) }

// openFlags are the flags of an open call, worked out once.
type openFlags struct {
	done, known bool
	falco       uint32 // with what the call did added
}

// openFlags are Falco's flags of an open call.
func (c *Context) openFlags() (flags uint32, ok bool) {
	if f := &c.flags; !f.done {
		*f = openFlags{done: true}
		if n, ok := c.kernelFlags(); ok {
			f.known = true
			f.falco = setOpen.FromKernel(uint64(n)) | c.layers(events.OpenUpper, events.OpenLower)
			if c.flag(AttrFileCreated) {
				f.falco |= events.OpenCreated
			}
		}
	}
	return c.flags.falco, c.flags.known
}

// kernelFlags are the kernel's flags of an open call.
func (c *Context) kernelFlags() (int64, bool) {
	if n, ok := c.Int(AttrFileFlags); ok {
		return n, true
	}
	return c.Int(attrArgFlags)
}

// layers are the bits that tell the overlay layer of the event's file.
func (c *Context) layers(upper, lower uint32) uint32 {
	switch {
	case c.flag(AttrFileUpper):
		return upper
	case c.flag(AttrFileLower):
		return lower
	default:
		return 0
	}
}

func openMode(bit uint32) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		v.SetBool(false)
		if c.opens() {
			flags, _ := c.openFlags()
			v.SetBool(flags&bit != 0)
		}
	}
}

// openModeBits are the permission bits that an open call asked for.
func (c *Context) openModeBits() (int64, bool) {
	if n, ok := c.Int(attrArgMode); ok {
		return n, true
	}
	s, ok := c.String(AttrFileMode)
	if !ok {
		return 0, false
	}
	return parseOctal(s)
}

// tmpfile reports whether the kernel's flags ask for a nameless file; Falco's
// flags also say so for every directory that is opened.
func (c *Context) tmpfile() bool {
	n, ok := c.kernelFlags()
	return ok && n&0o20000000 != 0
}

func getOpenExec(c *Context, _ *Arg, v *Value) {
	v.SetBool(false)
	if !c.opens() && !c.does(actCreat) {
		return
	}
	flags, _ := c.openFlags()
	if c.opens() && flags&events.OpenCreate == 0 && !c.tmpfile() {
		return
	}
	mode, ok := c.openModeBits()
	v.SetBool(ok && mode&0o111 != 0)
}

func getOpenCreate(c *Context, _ *Arg, v *Value) {
	v.SetBool(false)
	if c.opens() || c.does(actCreat) {
		v.SetBool(c.flag(AttrFileCreated) || c.tmpfile() && !c.failed())
	}
}

// absPath is evt.abspath: the path argument number nth of the event (-1: its
// only one), made absolute.
func absPath(nth int) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if c.event == nil {
			return
		}
		var paths []int8
		var room [4]int8
		paths = room[:0]
		for i := range c.event.Args {
			if c.event.Args[i].Kind == events.KindPath {
				paths = append(paths, int8(i))
			}
		}
		if nth < 0 && len(paths) > 1 || nth >= 0 && len(paths) < 2 || len(paths) == 0 {
			return
		}
		if s, ok := c.resolvedPath(int(paths[max(nth, 0)])); ok {
			v.SetText(s)
		}
	}
}
