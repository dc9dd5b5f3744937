package field

import (
	"math"
	"strconv"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// argAttrs has the attribute of every argument of every event type.
var argAttrs = func() [][]Attr {
	out := make([][]Attr, events.Count())
	for id := range out {
		args := events.ByID(events.ID(id)).Args
		out[id] = make([]Attr, len(args))
		for i := range args {
			out[id][i], _ = ArgAttr(args[i].Name)
		}
	}
	return out
}()

func mustArg(name string) Attr {
	a, ok := ArgAttr(name)
	if !ok {
		panic("no event has an argument named " + name)
	}
	return a
}

// Attributes of arguments that fields need by name.
var (
	attrArgData   = mustArg("data")
	attrArgFlags  = mustArg("flags")
	attrArgMode   = mustArg("mode")
	attrArgDomain = mustArg("domain")
	attrArgName   = mustArg("name")
	attrArgPID    = mustArg("pid")
	attrArgType   = mustArg("type")
	setOpen       = events.SetByName("open")
	setMode       = events.SetByName("mode")
)

// argInt is the number of argument i: as the record has it, else from what the
// record says elsewhere.
func (c *Context) argInt(i int) (int64, bool) {
	if i == int(c.event.Result) { // accept has an argument of the same name
		if n, ok := c.Int(AttrSyscallReturn); ok {
			return n, true
		}
	}
	attr := argAttrs[c.event.ID][i]
	if n, ok := c.Int(attr); ok {
		return n, true
	}
	if s, ok := c.String(attr); ok { // addresses are written in hexadecimal
		if s == "" || s[0] < '0' || s[0] > '9' {
			return 0, false // without the allocation of an error
		}
		n, err := strconv.ParseUint(s, 0, 64)
		return int64(n), err == nil
	}
	return c.derivedInt(i)
}

// derivedInt is the number of an argument that the record does not have under
// its own name.
func (c *Context) derivedInt(i int) (int64, bool) {
	e := c.event
	a := &e.Args[i]
	switch {
	case i == int(e.FD):
		return c.Int(AttrFileDescriptor)
	case a.Name == "domain":
		return c.Int(AttrSocketFamily)
	case a.Name == "mode":
		if s, ok := c.String(AttrFileMode); ok {
			return parseOctal(s)
		}
	case a.Name == "flags" || a.Name == "creat_flags":
		return c.derivedFlags(a)
	case c.opensFile() && c.failed() && (a.Name == "dev" || a.Name == "ino"):
		return 0, true
	case c.does(actExit):
		return c.exitNumber(a.Name)
	case a.Name == "dev" && a.Kind == events.KindHex32:
		if major, minor, ok := c.device(); ok {
			return int64(minor&0xff | major<<8 | (minor&^0xff)<<12), true
		}
	case a.Name == "ino":
		var v Value
		getInode(c, nil, &v)
		return v.Int64(), v.Kind == Int
	}
	if row := execAttrs[e.ID]; row != nil && row[i] != 0 {
		return c.processNumber(row[i])
	}
	return 0, false
}

func (c *Context) opensFile() bool { return c.does(actOpen | actCreat) }

// derivedFlags are flags that a call has in another argument or not at all.
func (c *Context) derivedFlags(a *events.Arg) (int64, bool) {
	switch {
	case c.opens():
		return c.Int(AttrFileFlags)
	case c.does(actSocket | actPair):
		return c.Int(attrArgType)
	case a.Name == "creat_flags":
		return 0, true
	case c.does(actExec):
		return 0, true
	case c.does(actFlagless):
		return 0, true
	}
	return 0, false
}

// argNumber is argument i in Falco's numbers.
func (c *Context) argNumber(i int) (int64, bool) {
	n, ok := c.argInt(i)
	if !ok {
		return 0, false
	}
	a := &c.event.Args[i]
	switch a.Kind {
	case events.KindFlags, events.KindFlags8, events.KindFlags16:
		return int64(c.falcoFlags(a, uint64(n))), true
	case events.KindEnum:
		return int64(a.Set.FromKernel(uint64(n))), true
	case events.KindOct32:
		if c.opens() && !c.hasMode() {
			return 0, true
		}
		return n & 0o7777, true
	case events.KindMode:
		if c.does(actNode) {
			return n & 0o177777, true
		}
		return n & 0o7777, true
	default:
		return n, true
	}
}

// hasMode reports whether an open call may create a file and so uses its mode.
func (c *Context) hasMode() bool {
	flags, ok := c.openFlags()
	return !ok || flags&events.OpenCreate != 0 || c.tmpfile()
}

func (c *Context) falcoFlags(a *events.Arg, kernel uint64) uint32 {
	switch {
	case c.opens() && a.Name == "flags":
		flags, _ := c.openFlags()
		return flags
	case a.Name == "creat_flags":
		return c.layers(1, 2)
	case c.does(actExec) && a.Name == "flags":
		return c.exeFlags()
	}
	return a.Set.FromKernel(kernel)
}

// exeFlags describe the program file of an exec.
func (c *Context) exeFlags() (flags uint32) {
	for i, a := range [...]Attr{AttrExeWritable, AttrExeUpper, AttrExeMemfd, AttrExeLower} {
		if c.flag(a) {
			flags |= 1 << i
		}
	}
	return flags
}

// argText is a textual argument as the record has it, else from what the
// record says elsewhere.
func (c *Context) argText(i int) (string, bool) {
	attr := argAttrs[c.event.ID][i]
	if s, ok := c.String(attr); ok {
		return s, true
	}
	if list, ok := c.Strings(attr); ok {
		return c.nulEnded(list), true
	}
	a := &c.event.Args[i]
	switch {
	case a.Kind == events.KindAddr:
		return c.addressText()
	case a.Kind == events.KindPath && (c.does(actOpen|actCreat) || a.Name == "path"):
		if s := c.rawPath(); s != "" {
			return s, true
		}
	case a.Name == "target":
		return c.String(AttrFileTarget)
	case c.does(actExec | actClone):
		if s, ok := c.execText(a.Name); ok {
			return s, true
		}
	}
	if row := execAttrs[c.event.ID]; row != nil && row[i] != 0 {
		return c.String(row[i])
	}
	return "", false
}

// addressText is the address that a call was given: of the peer, or to bind to.
func (c *Context) addressText() (string, bool) {
	addr, portAttr := AttrNetPeerAddress, AttrNetPeerPort
	if c.does(actServe) {
		addr, portAttr = AttrNetLocalAddress, AttrNetLocalPort
	}
	a, ok := c.address(addr)
	if !ok {
		return c.String(addr)
	}
	p, _ := c.Int(portAttr)
	start := len(c.buf)
	c.buf = appendEnd(c.buf, end{a, uint16(p)})
	return c.own(start), true
}

// nulEnded joins texts as the kernel keeps them, each with a NUL behind it.
func (c *Context) nulEnded(items []string) string {
	start := len(c.buf)
	for _, it := range items {
		c.buf = append(c.buf, it...)
		c.buf = append(c.buf, 0)
	}
	return c.own(start)
}

// getRawArg gives the argument the type that the field was resolved to: that of
// the first event with such an argument.
func getRawArg(c *Context, a *Arg, v *Value) {
	i := a.position(c.event)
	if i < 0 {
		return
	}
	want, have := typeOfKind(a.kind), typeOfKind(c.event.Args[i].Kind)
	v.Base = uint8(c.event.Args[i].Kind.Base())
	switch {
	case want.Class() != have.Class():
	case want.Class() == ClassNumber:
		n, ok := c.argNumber(i)
		switch {
		case !ok:
		case want.Kind() == Int:
			v.SetInt(n)
		default:
			v.SetUint(uint64(n) & (want.Max() | math.MaxUint32))
		}
	case want.Class() == ClassBytes:
		if s, ok := c.argText(i); ok {
			v.Kind, v.Text = Bytes, s
		}
	default:
		v.SetText(emptyText)
		if s, ok := c.argText(i); ok {
			v.SetText(s)
		}
	}
}

func getArg(c *Context, a *Arg, v *Value) {
	i := a.position(c.event)
	if i < 0 {
		return
	}
	c.scratch = c.appendResolved(c.scratch[:0], i)
	if len(c.scratch) == 0 {
		c.scratch = c.appendRaw(c.scratch, i)
	}
	v.SetText(c.keep(c.scratch))
}

func getArgs(c *Context, _ *Arg, v *Value) {
	if c.event == nil {
		return
	}
	dst := c.scratch[:0]
	for i := range c.event.Args {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, c.event.Args[i].Name...)
		dst = append(dst, '=')
		dst = c.appendRaw(dst, i)
		mark := len(dst)
		dst = append(dst, '(')
		if dst = c.appendResolved(dst, i); len(dst) == mark+1 {
			dst = dst[:mark]
			continue
		}
		dst = append(dst, ')')
	}
	c.scratch = dst
	v.SetText(c.keep(dst))
}

// appendDecimalOr appends a number, or the text for an empty argument.
func (c *Context) appendDecimalOr(dst []byte, i int, empty string) []byte {
	n, ok := c.argNumber(i)
	if !ok {
		return append(dst, empty...)
	}
	return strconv.AppendInt(dst, n, 10)
}
