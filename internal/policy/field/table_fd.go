package field

import (
	"strconv"
	"strings"
)

const reasonTable = "descriptors other than the event's own are not kept"

// fdFields are the fields of the event's descriptor.
var fdFields = []Field{
	{Name: "fd.num", Type: Int64, Doc: "number of the descriptor", From: []Attr{AttrFileDescriptor, AttrSyscallReturn}, Get: func(c *Context, _ *Arg, v *Value) {
		if f := c.fdinfo(); f.hasNum {
			v.SetInt(f.num)
		}
	}},
	{Name: "fd.type", Type: CharBuf, Doc: "file, directory, ipv4, ipv6, unix, pipe, ...", From: []Attr{AttrFileType, AttrNetType}, Get: func(c *Context, _ *Arg, v *Value) {
		switch f := c.fdinfo(); {
		case f.state != fdKnown:
		case f.kind == nil:
			v.SetText("<NA>")
		default:
			v.SetText(f.kind.name)
		}
	}},
	{Name: "fd.typechar", Type: CharBuf, Doc: "one letter for fd.type", From: []Attr{AttrFileType, AttrNetType}, Get: func(c *Context, _ *Arg, v *Value) {
		if c.fdinfo().state != fdNone {
			v.SetText(c.fdChar())
		}
	}},
	{Name: "fd.name", Type: FSPath, Doc: "absolute path as the program named it, client:port->server:port, or a socket's path", From: []Attr{AttrFilePath, AttrNetLocalAddress, AttrNetPeerAddress}, Get: getFDName},
	{Name: "fd.nameraw", Type: CharBuf, Doc: "path as the program gave it", From: []Attr{AttrFileRaw}, Get: getFDNameRaw},
	{Name: "fd.directory", Type: CharBuf, Doc: "directory of a file, a directory itself", From: []Attr{AttrFilePath}, Get: getFDDirectory},
	{Name: "fd.filename", Type: CharBuf, Doc: "last part of a file's path", From: []Attr{AttrFilePath}, Get: getFDFilename},
	{Name: "fd.name_changed", Type: Boolean, Doc: "the event gave the descriptor another name", From: []Attr{AttrFileNameChanged}, Get: getNameChanged},
	{Name: "fd.dev", Type: Int32, Flags: HexNumber, Doc: "device number of the file", From: []Attr{AttrFileDevice}, Get: device(func(major, minor uint64) uint64 {
		return minor&0xff | major<<8 | (minor&^0xff)<<12
	})},
	{Name: "fd.dev.major", Type: Int32, Doc: "major number of the file's device", From: []Attr{AttrFileDevice}, Get: device(func(major, _ uint64) uint64 { return major })},
	{Name: "fd.dev.minor", Type: Int32, Doc: "minor number of the file's device", From: []Attr{AttrFileDevice}, Get: device(func(_, minor uint64) uint64 { return minor })},
	{Name: "fd.ino", Type: Int64, Doc: "inode number of the file", From: []Attr{AttrFileInode}, Get: getInode},
	{Name: "fd.uid", Type: CharBuf, Doc: "thread id and descriptor number in one", From: []Attr{AttrTID, AttrFileDescriptor}, Get: getFDUID},
	{Name: "fd.containername", Type: CharBuf, Doc: "container.id:fd.name", From: []Attr{AttrContainerID, AttrFilePath}, Get: inContainer((*Context).fdName)},
	{Name: "fd.containerdirectory", Type: CharBuf, Doc: "container.id:fd.directory", From: []Attr{AttrContainerID, AttrFilePath}, Get: inContainer(func(c *Context) (string, bool) {
		var d Value
		getFDDirectory(c, nil, &d)
		return d.Text, d.Kind == Text
	})},
	{Name: "fd.types", Type: CharBuf, List: true, Arg: ArgIndex, Flags: NoVal, Unsupported: reasonTable, Doc: "types of all descriptors of the process"},
	{Name: "fd.is_upper_layer", Type: Boolean, Doc: "the file lies in the upper layer of an overlayfs", From: []Attr{AttrFileUpper}, Get: layer(AttrFileUpper)},
	{Name: "fd.is_lower_layer", Type: Boolean, Doc: "the file lies in a lower layer of an overlayfs", From: []Attr{AttrFileLower}, Get: layer(AttrFileLower)},
}

// getNameChanged believes the source, else the kind of call: what opens,
// accepts or connects names its descriptor.
func getNameChanged(c *Context, _ *Arg, v *Value) {
	if c.fdinfo().state == fdNone {
		return
	}
	if n, ok := c.Int(AttrFileNameChanged); ok {
		v.SetBool(n != 0)
		return
	}
	v.SetBool(!c.failed() && (c.opens() || c.does(actCreat|actAccept)) || c.does(actConnect) && c.connecting())
}

// device reads "major:minor".
func device(pick func(major, minor uint64) uint64) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if major, minor, ok := c.device(); ok && c.fdinfo().state == fdKnown {
			v.SetInt(int64(pick(major, minor)))
		}
	}
}

func (c *Context) device() (major, minor uint64, ok bool) {
	s, ok := c.String(AttrFileDevice)
	if !ok {
		return 0, 0, false
	}
	left, right, _ := strings.Cut(s, ":")
	major, err1 := strconv.ParseUint(left, 10, 32)
	minor, err2 := strconv.ParseUint(right, 10, 32)
	return major, minor, err1 == nil && err2 == nil
}

func getInode(c *Context, _ *Arg, v *Value) {
	if c.fdinfo().state != fdKnown {
		return
	}
	if s, ok := c.String(AttrFileInode); ok {
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			v.SetInt(int64(n))
		}
	}
}

func getFDUID(c *Context, _ *Arg, v *Value) {
	f := c.fdinfo()
	tid, ok := c.idOrPID(AttrTID)
	if !f.hasNum || !ok {
		return
	}
	start := len(c.buf)
	c.buf = strconv.AppendInt(c.buf, tid, 10)
	c.buf = strconv.AppendInt(c.buf, f.num, 10)
	v.SetText(c.own(start))
}

// inContainer puts the container's id before a text.
func inContainer(text func(*Context) (string, bool)) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		s, ok := text(c)
		if !ok {
			return
		}
		id := c.containerID()
		start := len(c.buf)
		c.buf = append(c.buf, id...)
		c.buf = append(c.buf, ':')
		c.buf = append(c.buf, s...)
		v.SetText(c.own(start))
	}
}

func layer(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if c.fdinfo().state == fdKnown {
			v.SetBool(c.flag(a))
		}
	}
}
