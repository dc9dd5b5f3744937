package field

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// fdState says what is known about the event's descriptor.
type fdState uint8

const (
	fdUnknown fdState = iota // not worked out yet
	fdNone                   // events of this type have none
	fdGuessed                // there should be one, but nothing is known about it
	fdKnown
)

// fdInfo is the event's descriptor.
type fdInfo struct {
	state  fdState
	num    int64
	hasNum bool
	kind   *fdKind // nil for a known descriptor of an unlisted type

	sockState sockState
	sock      socket
}

// fdKind is a type of descriptor.
type fdKind struct {
	name string
	char string
}

// The kinds that are told from the event itself.
var (
	kindFile      = &fdKinds[0]
	kindDirectory = &fdKinds[1]
	kindIPv4      = &fdKinds[2]
	kindIPv6      = &fdKinds[3]
	kindUnix      = &fdKinds[4]
	kindNetlink   = &fdKinds[5]
	kindMemfd     = &fdKinds[6]
)

var fdKinds = [...]fdKind{
	{"file", "f"},
	{"directory", "d"},
	{"ipv4", "4"},
	{"ipv6", "6"},
	{"unix", "u"},
	{"netlink", "n"},
	{"memfd", "m"},
	{"pipe", "p"},
	{"event", "e"},
	{"signalfd", "s"},
	{"eventpoll", "l"},
	{"inotify", "i"},
	{"timerfd", "t"},
	{"bpf", "b"},
	{"userfaultfd", "u"},
	{"io_uring", "r"},
	{"pidfd", "P"},
}

// isFile, isIP and isIPC group the kinds; nil, of a descriptor of an unlisted
// type, is in none.
func (k *fdKind) isFile() bool { return k == kindFile || k == kindDirectory }
func (k *fdKind) isIP() bool   { return k == kindIPv4 || k == kindIPv6 }

func (k *fdKind) isIPC() bool {
	if k == nil {
		return false
	}
	switch k.name {
	case "pipe", "unix", "event", "signalfd", "inotify", "userfaultfd":
		return true
	default:
		return false
	}
}

func fdKindByName(name string) *fdKind {
	for i := range fdKinds {
		if fdKinds[i].name == name {
			return &fdKinds[i]
		}
	}
	return nil
}

// fdinfo works out the event's descriptor, once.
func (c *Context) fdinfo() *fdInfo {
	if c.fd.state == fdUnknown {
		c.fd = fdInfo{state: fdNone}
		if c.event != nil && c.event.FD >= 0 {
			c.findFD()
		}
	}
	return &c.fd
}

func (c *Context) findFD() {
	f := &c.fd
	f.state = fdGuessed
	f.num, f.hasNum = c.fdNumber()
	if f.hasNum && f.num < 0 {
		return
	}
	kind, known := c.fdType()
	if known {
		f.state, f.kind = fdKnown, kind
	}
}

// creates reports whether the event's descriptor is its result.
func (c *Context) creates() bool { return c.event.FD == c.event.Result && c.event.Result >= 0 }

// fdNumber is fd.num: the descriptor, -1 when it was not created, AT_FDCWD for
// a call by working directory.
func (c *Context) fdNumber() (int64, bool) {
	if c.creates() {
		if n, ok := c.Int(AttrSyscallReturn); ok {
			return max(n, -1), true
		}
	}
	if n, ok := c.Int(argAttrs[c.event.ID][c.event.FD]); ok {
		return n, true
	}
	return c.Int(AttrFileDescriptor)
}

// fdType is the type of the descriptor, told by the source or else by what the
// event shows. kind is nil for a type without a name of its own.
//
// What a call opens is a directory only if it asked for one, whatever the
// source knows: rules for files also watch directories opened without that.
func (c *Context) fdType() (kind *fdKind, known bool) {
	if c.does(actOpen | actCreat) {
		if flags, ok := c.openFlags(); ok {
			return openKind(flags), true
		}
		if c.does(actCreat) {
			return kindFile, true
		}
	}
	if c.does(actPidfd) { // newer kernels have them in a file system of their own
		return fdKindByName("pidfd"), true
	}
	if s, ok := c.String(AttrFileType); ok {
		return fdKindByName(s), true
	}
	if s, ok := c.String(AttrNetType); ok {
		return fdKindByName(s), true
	}
	if n, ok := c.Int(AttrSocketFamily); ok {
		return familyKind(n), true
	}
	switch {
	case c.does(actOpen):
		return kindFile, true
	case c.does(actSocket | actPair):
		n, ok := c.Int(attrArgDomain)
		return familyKind(n), ok
	case c.does(actNamed):
		return fdKindByName(c.event.Name), true
	case c.does(actMemfd):
		return kindMemfd, true
	}
	return c.fdTypeByFacts()
}

func openKind(flags uint32) *fdKind {
	if flags&events.OpenDirectory != 0 {
		return kindDirectory
	}
	return kindFile
}

// fdTypeByFacts tells the type from the attributes that the event carries.
func (c *Context) fdTypeByFacts() (*fdKind, bool) {
	if a, ok := c.address(AttrNetPeerAddress); ok {
		return addrKind(a), true
	}
	if a, ok := c.address(AttrNetLocalAddress); ok {
		return addrKind(a), true
	}
	if c.namesDirectory() {
		_, ok := c.String(AttrFileBase)
		return kindDirectory, ok
	}
	if _, ok := c.String(AttrFilePath); ok {
		return kindFile, true
	}
	return nil, false
}

// namesDirectory reports whether the event's descriptor is the directory that
// its path argument is relative to.
func (c *Context) namesDirectory() bool {
	return c.does(actDirectory)
}

func familyKind(family int64) *fdKind {
	switch family {
	case 1:
		return kindUnix
	case 2:
		return kindIPv4
	case 10:
		return kindIPv6
	case 16:
		return kindNetlink
	}
	return nil
}

func addrKind(a netip.Addr) *fdKind {
	if a.Is4() {
		return kindIPv4
	}
	return kindIPv6
}

// fdChar is fd.typechar.
func (c *Context) fdChar() string {
	f := c.fdinfo()
	if f.state == fdKnown {
		if f.kind == nil {
			return "o"
		}
		if s := c.socket(); s.remote.addr.IsValid() && f.kind.char == "6" && s.remote.addr.Is4() {
			return "4" // IPv4 through an IPv6 socket
		}
		return f.kind.char
	}
	switch {
	case c.does(actOpenAt):
		return "f"
	case c.does(actSocket | actAccept):
		return "4"
	default:
		return "o"
	}
}

// isFile reports whether the descriptor is a file or directory, or one that
// would be had the call succeeded.
func (c *Context) isFile() bool {
	f := c.fdinfo()
	if f.state == fdKnown {
		return f.kind != nil && (f.kind.char == "f" || f.kind.char == "d")
	}
	return f.state == fdGuessed && (c.opens() || c.does(actCreat))
}

// fdName is fd.name. ok is false when the event has no descriptor.
func (c *Context) fdName() (name string, ok bool) {
	f := c.fdinfo()
	if f.state == fdNone {
		return "", false
	}
	switch {
	case c.namesDirectory():
		if f.state == fdKnown {
			name, _ = c.String(AttrFileBase)
		}
		return name, true
	case c.isSocket():
		return c.socketName(), true
	case c.does(actPidfd):
		return c.pidfdName(), true
	}
	name, _ = c.String(AttrFilePath)
	return name, true
}

// pidfdName is the directory of the process that a descriptor stands for.
func (c *Context) pidfdName() string {
	pid, ok := c.Int(attrArgPID)
	if !ok || c.failed() {
		return ""
	}
	start := len(c.buf)
	c.buf = append(c.buf, "/proc/"...)
	c.buf = strconv.AppendInt(c.buf, pid, 10)
	return c.own(start)
}

func getFDName(c *Context, _ *Arg, v *Value) {
	if name, ok := c.fdName(); ok {
		v.SetText(name)
	}
}

func getFDNameRaw(c *Context, _ *Arg, v *Value) {
	if c.fdinfo().state == fdNone {
		return
	}
	raw := ""
	if c.isFile() && !c.namesDirectory() {
		raw = c.rawPath()
	}
	v.SetText(c.collapsed(raw))
}

// rawPath is the path of an open call as the program gave it.
func (c *Context) rawPath() string {
	if s, ok := c.String(AttrFileRaw); ok {
		return s
	}
	if !c.does(actOpen | actCreat) {
		return ""
	}
	s, _ := c.String(attrArgName)
	return s
}

// collapsed is a path with repeated slashes made one.
func (c *Context) collapsed(path string) string {
	if !strings.Contains(path, "//") {
		return path
	}
	start := len(c.buf)
	for i := range len(path) {
		if path[i] != '/' || i == 0 || path[i-1] != '/' {
			c.buf = append(c.buf, path[i])
		}
	}
	return c.own(start)
}

func getFDDirectory(c *Context, _ *Arg, v *Value) {
	if !c.isFile() {
		if c.fdinfo().state == fdGuessed {
			v.SetText("")
		}
		return
	}
	name, _ := c.fdName()
	if f := c.fdinfo(); f.state == fdKnown && f.kind.char == "d" {
		v.SetText(name)
		return
	}
	v.SetText(dirOf(name))
}

// dirOf is a path up to its last slash, / for a file in the root.
func dirOf(name string) string {
	switch i := strings.LastIndexByte(name, '/'); {
	case i > 0:
		return name[:i]
	case i == 0:
		return "/"
	default:
		return "/"
	}
}

func getFDFilename(c *Context, _ *Arg, v *Value) {
	if f := c.fdinfo(); f.state != fdKnown || f.kind == nil || f.kind.char != "f" {
		return
	}
	name, _ := c.fdName()
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		v.SetText(name[i+1:])
		return
	}
	v.SetText("/")
}
