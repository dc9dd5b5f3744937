package field

import (
	"unsafe"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// Context is one event while it is being evaluated: its source, what was
// worked out about it once, and the memory for texts that are put together.
// It is reused from event to event; one goroutine at a time.
type Context struct {
	Source
	Names Names  // nil: domain names have no addresses
	Num   uint64 // running number of the event, from 1

	event *events.Event // nil when the type is unknown
	act   act
	buf   []byte // memory of texts that were put together; only grows during an event
	first int64  // time of the first event, ns
	prev  int64  // time of the event before, ns
	last  int64  // time of this event, ns

	chain []Process // of the acting process, by steps; filled as far as asked
	ended bool      // the chain is complete
	fd    fdInfo
	flags openFlags

	proc    Process  // scratch for one leader
	names   []string // lists that were put together; only grows during an event
	step    Arg
	scratch []byte // for a text that is being put together out of others
}

// Begin makes src the event to evaluate. event is its type, nil when unknown.
func (c *Context) Begin(src Source, event *events.Event) {
	// The source may be the same as before, with another event in it.
	now := src.Time()
	if c.Num == 0 {
		c.first, c.last = now, now
	}
	c.prev, c.last = c.last, now
	c.Num++
	c.Source, c.event, c.act = src, event, 0
	if event != nil {
		c.act = acts[event.ID]
	}
	c.flags.done = false
	c.buf, c.names = c.buf[:0], c.names[:0]
	c.chain, c.ended = c.chain[:0], false
	c.fd.state = fdUnknown
}

// BeginLike makes the event that other shows the one to evaluate, with the
// facts as src tells them. It does not count as another event.
func (c *Context) BeginLike(other *Context, src Source) {
	c.Num, c.first, c.last, c.Names = max(other.Num, 1)-1, other.first, other.prev, other.Names
	c.Begin(src, other.event)
	c.first, c.last = other.first, other.last
}

// Again makes src, whose event was begun before, the one to evaluate. It does not
// count as another event.
func (c *Context) Again(src Source, event *events.Event) {
	num, first, prev, last := c.Num, c.first, c.prev, c.last
	c.Begin(src, event)
	c.Num, c.first, c.prev, c.last = num, first, prev, last
}

// Event is the event's type; nil when it is unknown.
func (c *Context) Event() *events.Event { return c.event }

// own finishes a text that was appended to the context's memory from start on.
// The text is valid until the next Begin.
func (c *Context) own(start int) string {
	if start == len(c.buf) {
		return ""
	}
	return unsafe.String(&c.buf[start], len(c.buf)-start)
}

// keep copies a text into the context's memory.
func (c *Context) keep(text []byte) string {
	start := len(c.buf)
	c.buf = append(c.buf, text...)
	return c.own(start)
}

// joined puts texts together with a separator between them.
func (c *Context) joined(items []string, sep string) string {
	if len(items) == 1 {
		return items[0]
	}
	start := len(c.buf)
	for i, it := range items {
		if i > 0 {
			c.buf = append(c.buf, sep...)
		}
		c.buf = append(c.buf, it...)
	}
	return c.own(start)
}

// maxAncestors bounds the walk through ancestors.
const maxAncestors = 256

// Process is the process n steps above the acting one, nil when it is not
// known. The pointer is valid until the next call.
func (c *Context) Process(n int) *Process {
	if n < 0 || n > maxAncestors {
		return nil
	}
	for len(c.chain) <= n && !c.ended {
		if len(c.chain) < cap(c.chain) {
			c.chain = c.chain[:len(c.chain)+1]
		} else {
			c.chain = append(c.chain, Process{})
		}
		p := &c.chain[len(c.chain)-1]
		*p = Process{}
		if !c.Ancestor(len(c.chain)-1, p) || c.repeats(p) {
			c.chain = c.chain[:len(c.chain)-1]
			c.ended = true
		}
	}
	if n >= len(c.chain) {
		return nil
	}
	return &c.chain[n]
}

// repeats finds loops, which a table that is being changed may show.
func (c *Context) repeats(p *Process) bool {
	if p.PID == 0 {
		return false
	}
	for i := range len(c.chain) - 1 {
		if c.chain[i].PID == p.PID && c.chain[i].Start == p.Start {
			return true
		}
	}
	return false
}

// leader is the leader of a group, nil when it is not known. The pointer is
// valid until the next call.
func (c *Context) leader(of Group) *Process {
	c.proc = Process{}
	if !c.Leader(of, &c.proc) {
		return nil
	}
	return &c.proc
}

// text, number and boolean read one attribute into a value.
func (c *Context) text(a Attr, v *Value) {
	if s, ok := c.String(a); ok {
		v.SetText(s)
	}
}

func (c *Context) signed(a Attr, v *Value) {
	if n, ok := c.Int(a); ok {
		v.SetInt(n)
	}
}

func (c *Context) unsigned(a Attr, v *Value) {
	if n, ok := c.Int(a); ok {
		v.SetUint(uint64(n))
	}
}

// flag is a truth value that is never missing.
func (c *Context) flag(a Attr) bool {
	n, ok := c.Int(a)
	return ok && n != 0
}

// result is the event's result, when events of its type have one.
func (c *Context) result() (int64, bool) {
	if c.event == nil || c.event.Result < 0 {
		return 0, false
	}
	return c.Int(AttrSyscallReturn)
}

// failed reports whether the event's result is an error.
func (c *Context) failed() bool {
	n, ok := c.result()
	return ok && n < 0
}
