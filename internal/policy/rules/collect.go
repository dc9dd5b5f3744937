package rules

import "slices"

// SourceSyscall is the only source of events.
const SourceSyscall = "syscall"

// collection is what the files that were read so far define.
type collection struct {
	lists   named[list]
	macros  named[macro]
	rules   named[rule]
	counter int             // of definitions and appends
	broken  map[string]bool // items whose definition has an error, as "kind name"
}

func newCollection() *collection { return &collection{broken: map[string]bool{}} }

// named keeps items in the order of their first definition.
type named[T any] struct {
	order  []*T
	byName map[string]*T
}

func (n *named[T]) get(name string) *T { return n.byName[name] }

func (n *named[T]) put(name string, item *T) {
	if old := n.byName[name]; old != nil {
		*old = *item
		return
	}
	if n.byName == nil {
		n.byName = map[string]*T{}
	}
	n.byName[name] = item
	n.order = append(n.order, item)
}

func (c *collection) next() int {
	c.counter++
	return c.counter - 1
}

func (c *collection) defineList(l *list) {
	l.visibility = c.next()
	l.index = l.visibility
	if old := c.lists.get(l.Name); old != nil {
		l.index = old.index
	}
	c.lists.put(l.Name, l)
}

func (c *collection) appendList(l *list) error {
	old := c.lists.get(l.Name)
	if old == nil {
		return c.missing(l.at, itemList, l.Name, "there is no list of this name to append to")
	}
	old.Items = append(slices.Clip(old.Items), l.Items...)
	old.visibility = c.next()
	return nil
}

func (c *collection) defineMacro(m *macro) {
	m.visibility = c.next()
	m.index = m.visibility
	if old := c.macros.get(m.Name); old != nil {
		m.index = old.index
	}
	c.macros.put(m.Name, m)
}

func (c *collection) appendMacro(m *macro) error {
	old := c.macros.get(m.Name)
	if old == nil {
		return c.missing(m.at, itemMacro, m.Name, "there is no macro of this name to append to")
	}
	old.cond.extend(m.cond)
	old.visibility = c.next()
	return nil
}

func (c *collection) defineRule(r *rule) error {
	if old := c.rules.get(r.Name); old != nil && old.Source != r.Source {
		return r.at.fail(ErrValidate, "the rule was defined before with another source, "+old.Source)
	}
	r.unknownSource = r.Source != SourceSyscall
	for i := range r.exceptions {
		if err := r.exceptions[i].validate(!r.unknownSource); err != nil {
			return err
		}
	}
	c.next()
	c.rules.put(r.Name, r)
	return nil
}

// silent is an error that follows from one that was told already.
type silent struct{ error }

// missing is the error for an item that does not exist. An item whose
// definition had an error is not told a second time.
func (c *collection) missing(at place, kind, name, msg string) error {
	err := at.fail(ErrValidate, msg+didYouMean(name, c.names(kind)))
	if c.broken[kind+" "+name] {
		return silent{err}
	}
	return err
}

// names are those of all items of a kind.
func (c *collection) names(kind string) []string {
	var out []string
	switch kind {
	case itemList:
		for _, l := range c.lists.order {
			out = append(out, l.Name)
		}
	case itemMacro:
		for _, m := range c.macros.order {
			out = append(out, m.Name)
		}
	case itemRule:
		for _, r := range c.rules.order {
			out = append(out, r.Name)
		}
	}
	return out
}

func (c *collection) appendRule(u *update) error {
	r := c.rules.get(u.name)
	if r == nil {
		return c.missing(u.at, itemRule, u.name, "there is no rule of this name to append to")
	}
	if !u.changes() {
		return u.at.fail(ErrValidate, "an append to a rule needs a condition or exceptions")
	}
	if u.cond != nil && !u.cond.empty() {
		r.cond.extend(*u.cond)
	}
	if u.output != nil && !u.output.empty() {
		r.output.extend(*u.output)
	}
	appendString(&r.Desc, u.desc)
	if u.tags != nil {
		r.Tags = addTags(r.Tags, *u.tags)
	}
	if u.exceptions != nil {
		for _, ex := range *u.exceptions {
			if err := r.appendException(ex); err != nil {
				return err
			}
		}
	}
	c.next()
	return nil
}

func appendString(dst *string, more *string) {
	if more != nil && *more != "" {
		*dst += " " + *more
	}
}

func (r *rule) appendException(ex exception) error {
	for i := range r.exceptions {
		old := &r.exceptions[i]
		if old.Name != ex.Name {
			continue
		}
		if ex.Fields.set {
			return ex.at.fail(ErrValidate, "the exception exists: only values can be appended, no fields")
		}
		if ex.Comps.set {
			return ex.at.fail(ErrValidate, "the exception exists: only values can be appended, no comps")
		}
		old.Values = append(slices.Clip(old.Values), ex.Values...)
		return nil
	}
	if !ex.Fields.set {
		return ex.at.fail(ErrValidate, "an exception needs fields: one, or a list")
	}
	if len(ex.Values) == 0 {
		return ex.at.fail(ErrValidate, "a new exception needs values")
	}
	if err := ex.validate(!r.unknownSource); err != nil {
		return err
	}
	r.exceptions = append(slices.Clip(r.exceptions), ex)
	return nil
}

func set[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}

func (c *collection) replaceRule(u *update) error {
	r := c.rules.get(u.name)
	if r == nil {
		return c.missing(u.at, itemRule, u.name, "there is no rule of this name to replace parts of")
	}
	if u.exceptions != nil {
		for i := range *u.exceptions {
			if err := (*u.exceptions)[i].validate(!r.unknownSource); err != nil {
				return err
			}
		}
	}
	set(&r.cond, u.cond)
	set(&r.scope, u.scope)
	set(&r.output, u.output)
	set(&r.Desc, u.desc)
	set(&r.Reference, u.reference)
	set(&r.Remedy, u.remedy)
	set(&r.Tags, u.tags)
	set(&r.exceptions, u.exceptions)
	set(&r.Priority, u.priority)
	set(&r.Enabled, u.enabled)
	set(&r.WarnTypes, u.warnTypes)
	set(&r.SkipUnknown, u.skipUnknown)
	set(&r.Capture, u.capture)
	set(&r.CaptureDuration, u.captureDuration)
	c.next()
	return nil
}

func (c *collection) enableRule(name string, enabled bool, at place) error {
	r := c.rules.get(name)
	if r == nil {
		return c.missing(at, itemRule, name, "there is no rule of this name to enable or disable")
	}
	r.Enabled = enabled
	return nil
}
