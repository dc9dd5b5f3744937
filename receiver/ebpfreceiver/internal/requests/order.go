package requests

import "time"

// order keeps connections in the order of use, at most max of them, and says
// which of them Tick looks at next.
type order struct {
	root conn // root.next is the most recent
	hand *conn
	len  int
	max  int
	idle time.Duration // after which one without requests under way is forgotten
}

func (o *order) init(limit int, idle time.Duration) {
	o.root.next, o.root.prev = &o.root, &o.root
	o.max, o.idle = limit, idle
}

// oldest returns the connection that was silent for longest; there must be one.
func (o *order) oldest() *conn { return o.root.prev }

// add puts in a new connection.
func (o *order) add(c *conn) {
	o.len++
	o.link(c)
}

// touch makes c, which is in, the most recent.
func (o *order) touch(c *conn) {
	if o.root.next == c {
		return
	}
	o.unlink(c)
	o.link(c)
}

// remove takes out c, which is in.
func (o *order) remove(c *conn) {
	if o.hand == c {
		o.hand = c.next
	}
	o.len--
	o.unlink(c)
	c.prev, c.next = nil, nil
}

// turn returns the connections one after the other; there must be one.
func (o *order) turn() *conn {
	c := o.hand
	if c == nil || c == &o.root {
		c = o.root.next
	}
	o.hand = c.next
	return c
}

func (o *order) link(c *conn) {
	c.prev, c.next = &o.root, o.root.next
	c.next.prev = c
	o.root.next = c
}

func (o *order) unlink(c *conn) {
	c.prev.next, c.next.prev = c.next, c.prev
}
