package field

import (
	"strconv"
	"time"
)

const ns = uint64(time.Second)

// evtTimeFields are the fields of the event's time.
var evtTimeFields = []Field{
	{Name: "evt.time", Type: CharBuf, Flags: TextNumber, Doc: "local time with ns", Get: clock("15:04:05.000000000")},
	{Name: "evt.time.s", Type: CharBuf, Flags: TextNumber, Doc: "local time without ns", Get: clock("15:04:05")},
	{Name: "evt.time.iso8601", Type: CharBuf, Flags: TextNumber, Doc: "time in UTC as ISO 8601 with ns", Get: getISOTime},
	{Name: "evt.datetime", Type: CharBuf, Flags: TextNumber, Doc: "local date and time with ns", Get: clock("2006-01-02 15:04:05.000000000")},
	{Name: "evt.datetime.s", Type: CharBuf, Flags: TextNumber, Doc: "local date and time without ns", Get: clock("2006-01-02 15:04:05")},
	{Name: "evt.outputtime", Type: CharBuf, Flags: TextNumber, Doc: "the same as evt.time", Get: clock("15:04:05.000000000")},
	{Name: "evt.rawtime", Type: AbsTime, Doc: "ns since 1970", Get: moment(func(c *Context) uint64 { return c.now() })},
	{Name: "evt.rawtime.s", Type: AbsTime, Doc: "whole seconds of evt.rawtime", Get: moment(func(c *Context) uint64 { return c.now() / ns })},
	{Name: "evt.rawtime.ns", Type: AbsTime, Flags: Padded, Doc: "ns of evt.rawtime within the second", Get: moment(func(c *Context) uint64 { return c.now() % ns })},
	{Name: "evt.reltime", Type: RelTime, Flags: Padded, Doc: "ns since the first event", Get: moment(func(c *Context) uint64 { return c.since(c.first) })},
	{Name: "evt.reltime.s", Type: RelTime, Doc: "whole seconds of evt.reltime", Get: moment(func(c *Context) uint64 { return c.since(c.first) / ns })},
	{Name: "evt.reltime.ns", Type: RelTime, Flags: Padded, Doc: "ns of evt.reltime within the second", Get: moment(func(c *Context) uint64 { return c.since(c.first) % ns })},
	{Name: "evt.deltatime", Type: RelTime, Doc: "ns since the event before", Get: moment(func(c *Context) uint64 { return c.since(c.prev) })},
	{Name: "evt.deltatime.s", Type: RelTime, Doc: "whole seconds of evt.deltatime", Get: moment(func(c *Context) uint64 { return c.since(c.prev) / ns })},
	{Name: "evt.deltatime.ns", Type: RelTime, Flags: Padded, Doc: "ns of evt.deltatime within the second", Get: moment(func(c *Context) uint64 { return c.since(c.prev) % ns })},
	{Name: "evt.latency", Type: RelTime, Flags: Deprecated, Doc: "always 0, since a call is one event", Get: zero},
	{Name: "evt.latency.s", Type: RelTime, Flags: Deprecated, Doc: "always 0", Get: zero},
	{Name: "evt.latency.ns", Type: RelTime, Flags: Deprecated | Padded, Doc: "always 0", Get: zero},
	{Name: "evt.latency.quantized", Type: Uint64, Flags: Deprecated, Doc: "always 0", Get: zero},
	{Name: "evt.latency.human", Type: CharBuf, Flags: Deprecated, Doc: "always 0ns", Get: constText("0ns")},
	{Name: "evt.wait_latency", Type: RelTime, Flags: Deprecated, Doc: "always 0", Get: zero},
}

func zero(_ *Context, _ *Arg, v *Value) { v.SetUint(0) }

func (c *Context) now() uint64 { return uint64(c.Time()) }

// since is the time between an earlier event and this one; records may come
// slightly out of order.
func (c *Context) since(earlier int64) uint64 { return uint64(max(c.Time()-earlier, 0)) }

func moment(get func(*Context) uint64) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) { v.SetUint(get(c)) }
}

func clock(layout string) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		start := len(c.buf)
		c.buf = time.Unix(0, c.Time()).AppendFormat(c.buf, layout)
		v.SetText(c.own(start))
		v.Num = c.now()
	}
}

// isoLayout is how Falco writes ISO 8601 times.
const isoLayout = "2006-01-02T15:04:05.000000000-0700"

func getISOTime(c *Context, _ *Arg, v *Value) {
	start := len(c.buf)
	c.buf = time.Unix(0, c.Time()).UTC().AppendFormat(c.buf, isoLayout)
	v.SetText(c.own(start))
	v.Num = c.now()
}

func parseOctal(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 8, 64)
	return n, err == nil
}
