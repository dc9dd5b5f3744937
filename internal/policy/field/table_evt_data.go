package field

import "github.com/sightglass/sightglass/internal/policy/events"

// evtDataFields are about the data that an event moves.
var evtDataFields = []Field{
	{Name: "evt.buffer", Type: ByteBuf, Doc: "data that was read or written", Get: getBuffer},
	{Name: "evt.buflen", Type: Uint64, Doc: "bytes that were read or written", From: []Attr{AttrSyscallReturn}, Get: moved(anyWay, anyKind)},
	{Name: "evt.buflen.in", Type: Uint64, Doc: "the same of what was read", From: []Attr{AttrSyscallReturn}, Get: moved(events.IORead, anyKind)},
	{Name: "evt.buflen.out", Type: Uint64, Doc: "the same of what was written", From: []Attr{AttrSyscallReturn}, Get: moved(events.IOWrite, anyKind)},
	{Name: "evt.buflen.file", Type: Uint64, Doc: "bytes that were read from a file or written to it", From: []Attr{AttrSyscallReturn}, Get: moved(anyWay, isRegular)},
	{Name: "evt.buflen.file.in", Type: Uint64, Doc: "the same of what was read", From: []Attr{AttrSyscallReturn}, Get: moved(events.IORead, isRegular)},
	{Name: "evt.buflen.file.out", Type: Uint64, Doc: "the same of what was written", From: []Attr{AttrSyscallReturn}, Get: moved(events.IOWrite, isRegular)},
	{Name: "evt.buflen.net", Type: Uint64, Doc: "bytes that were received from an IP socket or sent by it", From: []Attr{AttrSyscallReturn}, Get: moved(anyWay, (*fdKind).isIP)},
	{Name: "evt.buflen.net.in", Type: Uint64, Doc: "the same of what was received", From: []Attr{AttrSyscallReturn}, Get: moved(events.IORead, (*fdKind).isIP)},
	{Name: "evt.buflen.net.out", Type: Uint64, Doc: "the same of what was sent", From: []Attr{AttrSyscallReturn}, Get: moved(events.IOWrite, (*fdKind).isIP)},
	{Name: "evt.is_io", Type: Boolean, Doc: "reads from its descriptor or writes to it", Get: doing(actReads | actWrites)},
	{Name: "evt.is_io_read", Type: Boolean, Doc: "reads from its descriptor", Get: doing(actReads)},
	{Name: "evt.is_io_write", Type: Boolean, Doc: "writes to its descriptor", Get: doing(actWrites)},
	{Name: "evt.is_wait", Type: Boolean, Doc: "makes the thread wait", Get: doing(actWaits)},
	{Name: "evt.io_dir", Type: CharBuf, Doc: "read or write; no value for other events", Get: func(c *Context, _ *Arg, v *Value) {
		switch {
		case c.does(actWrites):
			v.SetText("write")
		case c.does(actReads):
			v.SetText("read")
		}
	}},
}

func doing(a act) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { v.SetBool(c.does(a)) }
}

// anyWay stands for both directions in place of one's category.
const anyWay = events.Other

func anyKind(*fdKind) bool     { return true }
func isRegular(k *fdKind) bool { return k == kindFile }

// moved is how many bytes a call moved one way by a kind of descriptor.
func moved(way events.Category, by func(*fdKind) bool) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if !c.transfers() || way != anyWay && c.event.Category != way {
			return
		}
		n, ok := c.result()
		if f := c.fdinfo(); ok && n >= 0 && by(f.kind) {
			v.SetUint(uint64(n))
		}
	}
}

// transfers reports whether the event moves data.
func (c *Context) transfers() bool {
	return c.event != nil && (c.event.Category == events.IORead || c.event.Category == events.IOWrite)
}

func getBuffer(c *Context, _ *Arg, v *Value) {
	if !c.transfers() {
		return
	}
	if s, ok := c.String(attrArgData); ok {
		v.Kind, v.Text = Bytes, s
	}
}

// category is evt.category: of what only moves data it is that of the
// descriptor.
func (c *Context) category() string {
	switch c.event.Category {
	case events.IORead, events.IOWrite, events.IOOther:
	default:
		return c.event.Category.String()
	}
	f := c.fdinfo()
	switch {
	case f.state != fdKnown:
		return "unknown"
	case f.kind.isFile():
		return "file"
	case f.kind.isIP():
		return "net"
	case f.kind.isIPC():
		return "ipc"
	default:
		return "unknown"
	}
}
