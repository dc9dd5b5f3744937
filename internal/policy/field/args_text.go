package field

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// What an argument without a value prints.
const (
	emptyText = "<NA>"
	emptyData = "NULL"
)

// atFDCWD stands for the working directory in place of a descriptor.
const atFDCWD = -100

// appendRaw appends the raw text of argument i.
func (c *Context) appendRaw(dst []byte, i int) []byte {
	a := &c.event.Args[i]
	switch a.Kind {
	case events.KindHex32, events.KindHex64, events.KindHexI32:
		if n, ok := c.argNumber(i); ok {
			return appendHex(dst, n, a.Kind)
		}
		return append(dst, emptyText...)
	case events.KindOct32, events.KindMode:
		if n, ok := c.argNumber(i); ok {
			return appendOctal(dst, n)
		}
		return append(dst, emptyText...)
	case events.KindPath:
		return c.appendPath(dst, i)
	case events.KindText, events.KindAddr:
		return c.appendTextOr(dst, i, emptyText)
	case events.KindTuple:
		return c.appendTuple(dst, i)
	case events.KindBytes:
		if s, ok := c.argText(i); ok && s != "" {
			return AppendPrintable(dst, s)
		}
		return append(dst, emptyData...)
	case events.KindFDList, events.KindSigSet:
		return c.appendTextOr(dst, i, emptyData)
	case events.KindDyn:
		return c.appendDyn(dst, i)
	case events.KindRelTime:
		return c.appendSeconds(dst, i)
	case events.KindAbsTime:
		if n, ok := c.argNumber(i); ok {
			return time.Unix(0, n).AppendFormat(dst, "2006-01-02 15:04:05.000000000 -0700")
		}
		return append(dst, emptyText...)
	default:
		return c.appendDecimalOr(dst, i, emptyText)
	}
}

// appendResolved appends the resolved text of argument i; nothing when there
// is none.
func (c *Context) appendResolved(dst []byte, i int) []byte {
	a := &c.event.Args[i]
	if a.Kind == events.KindPath {
		return c.appendAbsolute(dst, i)
	}
	n, ok := c.argNumber(i)
	if !ok {
		return dst
	}
	switch a.Kind {
	case events.KindFD:
		return c.appendFD(dst, i, n)
	case events.KindErrno:
		if n < 0 {
			return append(dst, events.ErrnoName(-n)...)
		}
	case events.KindFlags, events.KindFlags8, events.KindFlags16, events.KindEnum:
		return a.Set.AppendNames(dst, uint32(n))
	case events.KindMode:
		return setMode.AppendNames(dst, uint32(n))
	case events.KindPID:
		return append(dst, c.processName(n, execAttrs[c.event.ID] == nil || i == int(c.event.Result))...)
	case events.KindUID:
		return append(dst, c.userName(n)...)
	case events.KindGID:
		return append(dst, c.groupName(n)...)
	case events.KindSignal:
		return append(dst, events.SignalName(n)...)
	default:
	}
	return dst
}

func appendHex(dst []byte, n int64, kind events.Kind) []byte {
	u := uint64(n)
	if kind != events.KindHex64 {
		u = uint64(uint32(n))
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, u, 16)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}

func appendOctal(dst []byte, n int64) []byte {
	if n != 0 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, uint64(n), 8)
}

func (c *Context) appendTextOr(dst []byte, i int, empty string) []byte {
	s, ok := c.argText(i)
	if !ok || s == "" {
		s = empty
	}
	return append(dst, s...)
}

// appendPath appends a path as it was given; where the record only has it
// absolute, so.
func (c *Context) appendPath(dst []byte, i int) []byte {
	s, ok := c.argText(i)
	if !ok || s == "" {
		s, ok = c.recordedPath(i)
	}
	if !ok || s == "" {
		s = emptyText
	}
	return append(dst, s...)
}

// appendDyn appends a number whose meaning the rest of the call decides:
// addresses and data of ptrace in hexadecimal, nothing of a failed call.
func (c *Context) appendDyn(dst []byte, i int) []byte {
	n, ok := c.argInt(i)
	switch {
	case !ok:
		return append(dst, emptyData...)
	case c.does(actPtrace):
		if c.failed() {
			n = 0
		}
		return appendHex(dst, n, events.KindHex64)
	default:
		return strconv.AppendInt(dst, n, 10)
	}
}

func (c *Context) appendSeconds(dst []byte, i int) []byte {
	n, ok := c.argNumber(i)
	switch {
	case !ok:
		return append(dst, emptyText...)
	case n == -1:
		return append(dst, "none"...)
	}
	return append(strconv.AppendFloat(dst, float64(n)/float64(ns), 'g', -1, 64), 's')
}

// appendTuple appends both ends of the socket. A call that failed has none.
func (c *Context) appendTuple(dst []byte, i int) []byte {
	if s, ok := c.argText(i); ok && s != "" {
		return append(dst, s...)
	}
	if c.failed() && !c.connecting() {
		return append(dst, emptyData...)
	}
	if s := c.socket(); c.transfers() && c.isIP() && s.raw.addr.IsValid() && s.remote.addr.IsValid() {
		return c.appendWay(dst, s)
	}
	if name, ok := c.fdName(); ok && name != "" {
		return append(dst, name...)
	}
	return append(dst, emptyData...)
}

// appendWay appends where data came from and where it went to, with the local
// end as the socket has it.
func (c *Context) appendWay(dst []byte, s *socket) []byte {
	from, to := s.raw, s.remote
	if c.does(actReads) {
		from, to = to, from
	}
	return appendEnd(append(appendEnd(dst, from), "->"...), to)
}

// appendFD appends what is known of a descriptor argument: <type>name of the
// event's own, the error of a failed call.
func (c *Context) appendFD(dst []byte, i int, n int64) []byte {
	switch {
	case n == atFDCWD:
		return append(dst, "AT_FDCWD"...)
	case n < 0:
		return append(dst, events.ErrnoName(-n)...)
	}
	if name, ok := c.directory(i); ok {
		return append(append(dst, "<d>"...), name...)
	}
	f := c.fdinfo()
	if f.state != fdKnown || !f.hasNum || f.num != n && !c.sameFD(i) {
		return dst
	}
	name, _ := c.fdName()
	dst = append(dst, '<')
	dst = append(dst, c.fdChar()...)
	if t := c.transport(); t != "" {
		dst = append(dst, t[0])
	}
	dst = append(dst, '>')
	return append(dst, name...)
}

// sameFD reports whether argument i is a descriptor for the same thing as the
// event's own, under another number: the old one of a dup, or one of its kind
// without a name, the other end of a pipe or pair.
func (c *Context) sameFD(i int) bool {
	return c.does(actDup) || c.does(actPipe|actPair) && c.event.Args[i].Name == "fd2"
}

// directory is the directory behind descriptor argument i, when that is what the
// event's only path is relative to. Records have it when the path is.
func (c *Context) directory(i int) (string, bool) {
	for at := range c.event.Args {
		if dir := c.event.Args[at].Dir; dir >= 0 && int(dir) != i || c.event.ArgIndex("newpath") >= 0 {
			return "", false
		}
		if c.event.Args[at].Dir == int8(i) {
			return c.String(AttrFileBase)
		}
	}
	return "", false
}

// processName is the name of the process with a pid; own tells that the call was
// given it, in the numbers of the caller's pid namespace.
func (c *Context) processName(pid int64, own bool) string {
	ids := [...]Attr{AttrPID, AttrTID}
	if own {
		ids = [...]Attr{AttrVPID, AttrVTID}
	}
	for _, a := range ids {
		if id, ok := c.idOrPID(a); ok && id == pid {
			s, _ := c.String(AttrProcName)
			return s
		}
	}
	_, inside := c.Int(AttrVPID) // in a pid namespace of its own
	if p := c.Process(1); p != nil && p.PID == pid && (!own || !inside) {
		return p.Name
	}
	name, _ := c.NameOf(pid, own)
	return name
}

// appendAbsolute appends a path argument made absolute, if it is not.
func (c *Context) appendAbsolute(dst []byte, i int) []byte {
	raw, ok := c.argText(i)
	if !ok || raw == "" || strings.HasPrefix(raw, "/") {
		return dst
	}
	if s, ok := c.resolvedPath(i); ok {
		return append(dst, s...)
	}
	return dst
}

// resolvedPath is path argument i, absolute and without dots.
func (c *Context) resolvedPath(i int) (string, bool) {
	raw, ok := c.argText(i)
	if !ok || raw == "" {
		return c.recordedPath(i)
	}
	if strings.HasPrefix(raw, "/") {
		return c.normal("", raw), true
	}
	if s, ok := c.recordedPath(i); ok {
		return s, true
	}
	base, ok := c.base(i)
	if !ok {
		return "", false
	}
	return c.normal(base, raw), true
}

// recordedPath is what the record itself says about path argument i.
func (c *Context) recordedPath(i int) (string, bool) {
	switch c.event.Args[i].Name {
	case "oldpath":
		return c.String(AttrFilePrevious)
	case "name", "path", "newpath", "linkpath", "filename", "pathname":
		if c.event.Category == events.Process {
			return "", false
		}
		return c.String(AttrFilePath)
	}
	return "", false
}

// base is the directory that path argument i is relative to.
func (c *Context) base(i int) (string, bool) {
	if dir := c.event.Args[i].Dir; dir >= 0 {
		if n, ok := c.argInt(int(dir)); ok && n != atFDCWD {
			return c.String(AttrFileBase)
		}
	}
	return c.String(AttrProcCwd)
}

// normal makes a path absolute and takes out repeated slashes, dots and a
// slash at the end; symbolic links are not followed.
func (c *Context) normal(base, path string) string {
	if isNormal(path) {
		return path
	}
	start := len(c.buf)
	c.buf = AppendPath(c.buf, base, path)
	return c.own(start)
}

// isNormal reports whether a path is absolute and has nothing to take out. A
// component that only begins with a dot is taken for one that does.
func isNormal(path string) bool {
	if len(path) < 2 || path[0] != '/' || path[len(path)-1] == '/' {
		return false
	}
	for i := 1; i < len(path); i++ {
		if path[i-1] == '/' && (path[i] == '/' || path[i] == '.') {
			return false
		}
	}
	return true
}

// AppendPath appends path, put behind base when it is relative, with // made
// one slash, . and .. resolved lexically, and no slash at the end.
func AppendPath(dst []byte, base, path string) []byte {
	start := len(dst)
	if !strings.HasPrefix(path, "/") {
		dst = appendParts(dst, start, base)
	}
	dst = appendParts(dst, start, path)
	if len(dst) == start {
		dst = append(dst, '/')
	}
	return dst
}

func appendParts(dst []byte, root int, path string) []byte {
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			if i := bytes.LastIndexByte(dst[root:], '/'); i >= 0 {
				dst = dst[:root+i]
			}
		default:
			dst = append(dst, '/')
			dst = append(dst, part...)
		}
	}
	return dst
}
