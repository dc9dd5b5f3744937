package field

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// evtStateFields say what an event does.
var evtStateFields = []Field{
	{Name: "evt.is_open_read", Type: Boolean, Doc: "opens a file for reading", From: []Attr{AttrFileFlags}, Get: openMode(events.OpenRead)},
	{Name: "evt.is_open_write", Type: Boolean, Doc: "opens a file for writing", From: []Attr{AttrFileFlags}, Get: openMode(events.OpenWrite)},
	{Name: "evt.is_open_exec", Type: Boolean, Doc: "creates a file that may be executed", From: []Attr{AttrFileFlags, AttrFileMode}, Get: getOpenExec},
	{Name: "evt.is_open_create", Type: Boolean, Doc: "the call created the file", From: []Attr{AttrFileCreated, AttrFileFlags}, Get: getOpenCreate},
	{Name: "evt.is_syslog", Type: Boolean, Doc: "writes to the system log", From: []Attr{AttrFilePath, AttrNetPeerAddress}, Get: func(c *Context, _ *Arg, v *Value) {
		name, ok := c.fdName()
		v.SetBool(ok && c.does(actWrites) && strings.Contains(name, "/dev/log"))
	}},
	{Name: "evt.count", Type: Uint32, Doc: "1 for every event", Get: constCount(1)},
	{Name: "evt.count.exit", Type: Uint32, Doc: "1 for every call", Get: constCount(1)},
	{Name: "evt.count.error", Type: Uint32, Doc: "1 for a call that failed, 0 for one that did not", From: []Attr{AttrSyscallReturn}, Get: countFailed(func(*Context) bool { return true })},
	{Name: "evt.count.error.file", Type: Uint32, Doc: "the same of calls by a file's descriptor, and of opens", Get: countFailed((*Context).aboutFile)},
	{Name: "evt.count.error.net", Type: Uint32, Doc: "the same of calls by a socket's descriptor, and of connections", Get: countFailed((*Context).aboutSocket)},
	{Name: "evt.count.error.memory", Type: Uint32, Doc: "the same of memory calls", Get: countFailed((*Context).aboutMemory)},
	{Name: "evt.count.error.other", Type: Uint32, Doc: "the same of all other calls", Get: countFailed(func(c *Context) bool {
		return !c.aboutFile() && !c.aboutSocket() && (c.fdinfo().state == fdKnown || !c.aboutMemory())
	})},
	{Name: "evt.count.procinfo", Type: Uint32, Doc: "always 0", Get: constCount(0)},
	{Name: "evt.count.threadinfo", Type: Uint32, Doc: "always 0", Get: constCount(0)},
	{Name: "evt.infra.docker.name", Type: CharBuf, Flags: NeverValue, Doc: "never a value", Get: noValue},
	{Name: "evt.infra.docker.container.id", Type: CharBuf, Flags: NeverValue, Doc: "never a value", Get: noValue},
	{Name: "evt.infra.docker.container.name", Type: CharBuf, Flags: NeverValue, Doc: "never a value", Get: noValue},
	{Name: "evt.infra.docker.container.image", Type: CharBuf, Flags: NeverValue, Doc: "never a value", Get: noValue},
	{Name: "evt.abspath", Type: CharBuf, Doc: "absolute path of the file that the call names, of two the source", From: []Attr{AttrFilePath, AttrFilePrevious}, Get: absPath(0)},
	{Name: "evt.abspath.src", Type: CharBuf, Doc: "the same", From: []Attr{AttrFilePath, AttrFilePrevious}, Get: absPath(0)},
	{Name: "evt.abspath.dst", Type: CharBuf, Doc: "absolute path of the target of a rename or link, else of the only file", From: []Attr{AttrFilePath}, Get: absPath(1)},
}

func constCount(n uint64) func(*Context, *Arg, *Value) {
	return func(_ *Context, _ *Arg, v *Value) { v.SetUint(n) }
}

// countFailed tells of the calls that the condition is for whether they failed.
func countFailed(of func(*Context) bool) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		n, ok := c.result()
		switch {
		case !ok || !of(c):
		case n < 0:
			v.SetUint(1)
		default:
			v.SetUint(0)
		}
	}
}

// aboutFile and aboutSocket tell what a call is about by its descriptor; where
// nothing is known of that, by what it would have been.
func (c *Context) aboutFile() bool {
	if f := c.fdinfo(); f.state == fdKnown {
		return f.kind.isFile()
	}
	return c.does(actOpen | actCreat)
}

func (c *Context) aboutSocket() bool {
	if f := c.fdinfo(); f.state == fdKnown {
		return f.kind.isIP() || f.kind == kindUnix
	}
	return c.does(actAccept | actConnect)
}

func (c *Context) aboutMemory() bool { return c.event.Category == events.Memory }

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

// absPath is evt.abspath: the path argument number nth of the event, or else its
// last one, made absolute.
func absPath(nth int) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if c.event == nil || c.event.Category == events.Process {
			return
		}
		at, left := -1, nth
		for i := range c.event.Args {
			if c.event.Args[i].Kind != events.KindPath {
				continue
			}
			at = i
			if left == 0 {
				break
			}
			left--
		}
		if at < 0 {
			return
		}
		if s, ok := c.resolvedPath(at); ok {
			v.SetText(s)
		}
	}
}
