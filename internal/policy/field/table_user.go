package field

// userFields are the fields of the acting user and group.
var userFields = []Field{
	{Name: "user.uid", Type: Uint32, Doc: "effective user id", From: []Attr{AttrUserID}, Get: getUint(AttrUserID)},
	{Name: "user.name", Type: CharBuf, Doc: "name of the effective user, <NA> when unknown", From: []Attr{AttrUserName, AttrUserID}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.Int(AttrUserID); ok {
			v.SetText(c.userName(n))
			return
		}
		c.orNA(AttrUserName, v)
	}},
	{Name: "user.loginuid", Type: Int64, Doc: "audit user id, -1 when unset", From: []Attr{AttrLoginUID}, Get: func(c *Context, _ *Arg, v *Value) {
		v.SetInt(-1)
		if n, ok := c.Int(AttrLoginUID); ok && n != noID {
			v.SetInt(n)
		}
	}},
	{Name: "user.loginname", Type: CharBuf, Doc: "name of the audit user, <NA> when unset or unknown", From: []Attr{AttrLoginName}, Get: func(c *Context, _ *Arg, v *Value) {
		v.SetText(emptyText)
		if n, ok := c.Int(AttrLoginUID); ok && n != -1 && n != noID {
			v.SetText(c.userName(n))
		}
	}},
	{Name: "user.homedir", Type: CharBuf, Doc: "home directory, <NA> when unknown", From: []Attr{AttrUserHome}, Get: func(c *Context, _ *Arg, v *Value) { c.orNA(AttrUserHome, v) }},
	{Name: "user.shell", Type: CharBuf, Doc: "login shell, <NA> when unknown", From: []Attr{AttrUserShell}, Get: func(c *Context, _ *Arg, v *Value) { c.orNA(AttrUserShell, v) }},
	{Name: "group.gid", Type: Uint32, Doc: "effective group id", From: []Attr{AttrGroupID}, Get: getUint(AttrGroupID)},
	{Name: "group.name", Type: CharBuf, Doc: "name of the effective group, <NA> when unknown", From: []Attr{AttrGroupName, AttrGroupID}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.Int(AttrGroupID); ok {
			v.SetText(c.groupName(n))
			return
		}
		c.orNA(AttrGroupName, v)
	}},
}

// noID is an unset user or group id as the kernel has it.
const noID = 1<<32 - 1

// orNA is a text that falls back to <NA>.
func (c *Context) orNA(a Attr, v *Value) {
	v.SetText(emptyText)
	if s, ok := c.String(a); ok && s != "" {
		v.SetText(s)
	}
}

// userName is the name of a user as far as the event knows it.
func (c *Context) userName(uid int64) string {
	if uid == -1 || uid == noID {
		return "<NONE>"
	}
	for _, pair := range [...]struct{ id, name Attr }{{AttrUserID, AttrUserName}, {AttrLoginUID, AttrLoginName}} {
		if n, ok := c.Int(pair.id); ok && n == uid {
			if s, ok := c.String(pair.name); ok && s != "" {
				return s
			}
		}
	}
	if uid == 0 {
		return "root"
	}
	return emptyText
}

// groupName is the name of a group as far as the event knows it.
func (c *Context) groupName(gid int64) string {
	if gid == -1 || gid == noID {
		return "<NONE>"
	}
	if n, ok := c.Int(AttrGroupID); ok && n == gid {
		if s, ok := c.String(AttrGroupName); ok && s != "" {
			return s
		}
	}
	if gid == 0 {
		return "root"
	}
	return emptyText
}
