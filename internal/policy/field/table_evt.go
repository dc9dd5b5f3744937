package field

import "github.com/sightglass/sightglass/internal/policy/events"

const (
	reasonCapture = "it only makes sense while reading a capture file"
	reasonCPU     = "records do not tell which CPU a call was made on"
	reasonPlugin  = "there are no plugins that make events"
)

// evtFields are the fields of the event itself.
var evtFields = []Field{
	{Name: "evt.type", Type: CharBuf, Flags: EventType | EventScoped, Doc: "name of the event: the system call", From: []Attr{AttrSyscallName}, Get: func(c *Context, _ *Arg, v *Value) {
		v.SetText(c.EventType())
	}},
	{Name: "evt.num", Type: Uint64, Doc: "running number of the event, from 1", Get: func(c *Context, _ *Arg, v *Value) {
		v.SetUint(c.Num)
	}},
	{Name: "evt.type.is", Type: Uint32, Arg: ArgKeyDotted, Flags: EventScoped, Doc: "1 if the event has the type that is the argument, else 0", Get: func(c *Context, a *Arg, v *Value) {
		v.SetUint(0)
		if c.EventType() == a.Text {
			v.SetUint(1)
		}
	}},
	{Name: "syscall.type", Type: CharBuf, Flags: EventType | EventScoped, Doc: "name of the system call; no value for other events", From: []Attr{AttrSyscallName}, Get: func(c *Context, _ *Arg, v *Value) {
		if c.event != nil && c.event.Syscall {
			v.SetText(c.event.Name)
		}
	}},
	{Name: "evt.category", Type: CharBuf, Doc: "category of the event, such as file, net or process", Get: func(c *Context, _ *Arg, v *Value) {
		if c.event != nil {
			v.SetText(c.category())
		}
	}},
	{Name: "evt.source", Type: CharBuf, Doc: "source of the event: syscall", Get: constText("syscall")},
	{Name: "evt.dir", Type: CharBuf, Flags: Deprecated, Doc: "direction: always <, since a call is one event", Get: constText("<")},
	{Name: "evt.cpu", Type: Int16, Unsupported: reasonCPU, Doc: "number of the CPU"},
	{Name: "evt.hostname", Type: CharBuf, Doc: "name of the host", From: []Attr{AttrHostName}, Get: getText(AttrHostName)},
	{Name: "evt.is_async", Type: Boolean, Doc: "made by the agent rather than by a call: false", Get: constBool(false)},
	{Name: "evt.asynctype", Type: CharBuf, Doc: "kind of an asynchronous event; no value for calls", Get: noValue},
	{Name: "evt.pluginname", Type: CharBuf, Unsupported: reasonPlugin, Doc: "name of the plugin that made the event"},
	{Name: "evt.plugininfo", Type: CharBuf, Unsupported: reasonPlugin, Doc: "the plugin's summary of the event"},
	{Name: "evt.around", Type: Uint64, Arg: ArgKeyMust, Flags: FilterOnly | NoCompare, Unsupported: reasonCapture, Doc: "within so many ms of the given time"},

	{Name: "evt.res", Type: CharBuf, Doc: "SUCCESS or the name of the error", From: []Attr{AttrSyscallReturn}, Get: getRes},
	{Name: "evt.rawres", Type: Int64, Doc: "result as a number; errors are negative", From: []Attr{AttrSyscallReturn}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.result(); ok {
			v.SetInt(n)
		}
	}},
	{Name: "evt.failed", Type: Boolean, Doc: "the result is an error; no value for events without one", From: []Attr{AttrSyscallReturn}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.result(); ok {
			v.SetBool(n < 0)
		}
	}},
	{Name: "evt.arg", Type: CharBuf, Arg: ArgEvent, Flags: EventArg, Doc: "argument by name or number, resolved to names where it can be", Get: getArg},
	{Name: "evt.rawarg", Arg: ArgEvent, Flags: NoCompare, Doc: "argument as it was given, with its own type", Get: getRawArg},
	{Name: "evt.args", Type: CharBuf, Flags: EventArg, Doc: "all arguments as name=value", Get: getArgs},
	{Name: "evt.info", Type: CharBuf, Flags: EventArg, Doc: "the same as evt.args", Get: getArgs},
	{Name: "evt.buffer", Type: ByteBuf, Doc: "data that was read or written", Get: getBuffer},
}

func noValue(*Context, *Arg, *Value) {}

func constText(s string) func(*Context, *Arg, *Value) {
	return func(_ *Context, _ *Arg, v *Value) { v.SetText(s) }
}

func constBool(b bool) func(*Context, *Arg, *Value) {
	return func(_ *Context, _ *Arg, v *Value) { v.SetBool(b) }
}

func getText(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { c.text(a, v) }
}

func getList(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if list, ok := c.Strings(a); ok {
			v.SetList(list)
		}
	}
}

func getInt(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { c.signed(a, v) }
}

func getUint(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { c.unsigned(a, v) }
}

// getFlag is a truth value that is false when the attribute is absent.
func getFlag(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { v.SetBool(c.flag(a)) }
}

func getRes(c *Context, _ *Arg, v *Value) {
	n, ok := c.result()
	switch {
	case !ok:
	case n >= 0:
		v.SetText("SUCCESS")
	default:
		v.SetText(events.ErrnoName(-n))
	}
}
