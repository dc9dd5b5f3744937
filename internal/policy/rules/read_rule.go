package rules

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	ruleAppendable  = []string{"condition", "output", "desc", "tags", "exceptions"}
	ruleReplaceable = []string{
		"condition", "output", "desc", "tags", "exceptions", "priority", "enabled", "warn_evttypes",
		"skip-if-unknown-filter", "capture", "capture_duration", "scope", "reference", "remedy",
	}
)

func (r *reader) rule(m mapping, name string, at place) error {
	ov, err := r.overrides(m, at, ruleAppendable, ruleReplaceable)
	switch {
	case err != nil:
		return err
	case ov.any():
		return r.overrideRule(m, name, at, &ov)
	case ov.flag:
		return r.appendToRule(m, name, at)
	case m.get("condition") == nil && m.get("output") == nil && m.get("desc") == nil && m.get("priority") == nil:
		return r.toggleRule(m, name, at)
	default:
		return r.defineRule(m, name, at)
	}
}

// toggleRule enables or disables an earlier rule.
func (r *reader) toggleRule(m mapping, name string, at place) error {
	if m.get("enabled") == nil {
		return at.fail(ErrYAMLValidate, "the keys 'condition', 'output', 'desc' and 'priority' are missing")
	}
	enabled, err := readBool(m, "enabled", at)
	if err != nil {
		return err
	}
	r.warn(at, WarnDeprecated, "an item with nothing but 'enabled' is deprecated: use 'override: {enabled: replace}'")
	return r.col.enableRule(name, enabled, at)
}

func (r *reader) defineRule(m mapping, name string, at place) error {
	v := &rule{Name: name, Enabled: true, WarnTypes: true, Source: SourceSyscall, at: at, scope: r.scope}
	var err error
	if v.cond, err = m.condition("condition", at); err != nil {
		return err
	}
	v.condAt = at.in(itemRuleCond, "", m.get("condition"))
	if v.output, err = m.output("output", at); err != nil {
		return err
	}
	v.outputAt = at.in(itemOutput, "", m.get("output"))
	if v.Desc, err = m.text("desc", at); err != nil {
		return err
	}
	if v.Priority, err = readPriority(m, "priority", at); err != nil {
		return err
	}
	if err := r.optionalParts(m, v, at); err != nil {
		return err
	}
	old := r.col.rules.get(name)
	if v.Source != SourceSyscall && (old == nil || old.Source == v.Source) {
		r.warn(at, WarnUnknownSource, "there are no events of source "+v.Source+": the rule has no effect"+didYouMean(v.Source, []string{SourceSyscall}))
	}
	if old != nil {
		r.redefine(itemRule, name, at, old.at)
	}
	return r.col.defineRule(v)
}

// optionalParts reads what a rule need not have.
func (r *reader) optionalParts(m mapping, v *rule, at place) error {
	var err error
	first := func(e error) {
		if err == nil {
			err = e
		}
	}
	first(optional(m, "source", at, &v.Source, readText))
	first(optional(m, "enabled", at, &v.Enabled, readBool))
	first(optional(m, "warn_evttypes", at, &v.WarnTypes, readBool))
	first(optional(m, "skip-if-unknown-filter", at, &v.SkipUnknown, readBool))
	first(optional(m, "capture", at, &v.Capture, readBool))
	first(optional(m, "capture_duration", at, &v.CaptureDuration, readUint))
	first(optional(m, "reference", at, &v.Reference, readText))
	first(optional(m, "remedy", at, &v.Remedy, readText))
	first(optional(m, "scope", at, &v.scope, mapping.condition))
	tags, e := m.texts("tags", at, false)
	first(e)
	v.Tags = addTags(nil, tags)
	v.exceptions, e = r.exceptions(m, at, false)
	first(e)
	return err
}

func readPriority(m mapping, key string, at place) (Priority, error) {
	n, err := m.scalar(key, at)
	if err != nil {
		return 0, err
	}
	p, ok := ParsePriority(n.Value)
	if !ok {
		return 0, at.in(itemPriority, "", n).fail(ErrYAMLValidate, "'"+n.Value+"' is no priority: use one of "+strings.Join(priorityNames[:], ", "))
	}
	return p, nil
}

// checkSource refuses to change a rule under another source than its own.
func (r *reader) checkSource(m mapping, name string, at place) error {
	n := m.get("source")
	old := r.col.rules.get(name)
	if n == nil || n.Value == "" || old == nil || old.Source == n.Value {
		return nil
	}
	return at.fail(ErrValidate, "the rule was defined before with another source, "+old.Source)
}

// appendToRule does what append: true asks for.
func (r *reader) appendToRule(m mapping, name string, at place) error {
	if err := r.checkSource(m, name, at); err != nil {
		return err
	}
	u := &update{name: name, at: at}
	if m.get("condition") != nil {
		cond, err := m.condition("condition", at)
		if err != nil {
			return err
		}
		u.cond = &cond
	}
	if m.get("exceptions") != nil {
		exs, err := r.exceptions(m, at, true)
		if err != nil {
			return err
		}
		u.exceptions = &exs
	}
	return r.col.appendRule(u)
}

// overrideRule does what the keys under override ask for.
func (r *reader) overrideRule(m mapping, name string, at place, ov *overriding) error {
	if err := r.checkSource(m, name, at); err != nil {
		return err
	}
	for _, part := range []struct {
		keys  map[string]bool
		word  string
		apply func(*update) error
	}{{ov.append, "append", r.col.appendRule}, {ov.replace, "replace", r.col.replaceRule}} {
		if len(part.keys) == 0 {
			continue
		}
		u, err := r.update(m, name, at, part.keys, part.word)
		if err != nil {
			return err
		}
		if err := part.apply(u); err != nil {
			return err
		}
	}
	for _, key := range ruleReplaceable {
		if n := m.get(key); n != nil && !ov.append[key] && !ov.replace[key] {
			return at.in(itemOverride, key, n).fail(ErrYAMLValidate, "the key '"+key+"' has no entry under 'override'")
		}
	}
	return nil
}

// update reads the parts of a rule that are to be changed.
func (r *reader) update(m mapping, name string, at place, parts map[string]bool, word string) (*update, error) {
	u := &update{name: name, at: at}
	for _, key := range ruleReplaceable {
		if !parts[key] {
			continue
		}
		if m.get(key) == nil {
			return nil, at.fail(ErrYAMLValidate, "'override' says "+word+" for '"+key+"', but there is no such key")
		}
		if err := r.updatePart(u, m, key, at, word == "append"); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func readInto[T any](m mapping, key string, at place, dst **T, read func(mapping, string, place) (T, error)) error {
	v, err := read(m, key, at)
	*dst = &v
	return err
}

func (r *reader) updatePart(u *update, m mapping, key string, at place, appending bool) error {
	switch key {
	case "condition":
		return readInto(m, key, at, &u.cond, mapping.condition)
	case "scope":
		return readInto(m, key, at, &u.scope, mapping.condition)
	case "output":
		return readInto(m, key, at, &u.output, mapping.output)
	case "desc":
		return readInto(m, key, at, &u.desc, readText)
	case "reference":
		return readInto(m, key, at, &u.reference, readText)
	case "remedy":
		return readInto(m, key, at, &u.remedy, readText)
	case "tags":
		return readInto(m, key, at, &u.tags, func(m mapping, key string, at place) ([]string, error) {
			return m.texts(key, at, true)
		})
	case "exceptions":
		return readInto(m, key, at, &u.exceptions, func(m mapping, _ string, at place) ([]exception, error) {
			return r.exceptions(m, at, appending)
		})
	case "priority":
		return readInto(m, key, at, &u.priority, readPriority)
	case "enabled":
		return readInto(m, key, at, &u.enabled, readBool)
	case "warn_evttypes":
		return readInto(m, key, at, &u.warnTypes, readBool)
	case "skip-if-unknown-filter":
		return readInto(m, key, at, &u.skipUnknown, readBool)
	case "capture":
		return readInto(m, key, at, &u.capture, readBool)
	default:
		return readInto(m, key, at, &u.captureDuration, readUint)
	}
}

// exceptions reads the exceptions of a rule.
func (r *reader) exceptions(m mapping, at place, appending bool) ([]exception, error) {
	n := m.get("exceptions")
	if n == nil || isNull(n) {
		return nil, nil
	}
	all := at.in(itemExceptions, "", n)
	if n.Kind != yaml.SequenceNode {
		return nil, all.fail(ErrYAMLValidate, "the value of 'exceptions' must be a sequence")
	}
	var out []exception
	for _, it := range n.Content {
		ex, err := r.exception(mapping{r.src, deref(it)}, at, all, appending)
		if err != nil {
			return nil, err
		}
		for i := range out {
			if out[i].Name == ex.Name {
				r.warn(ex.at, WarnExceptionNotUnique, "the exception '"+ex.Name+"' is defined more than once in this rule")
				break
			}
		}
		out = append(out, ex)
	}
	return out, nil
}

func (r *reader) exception(m mapping, at, all place, appending bool) (ex exception, err error) {
	if m.node.Kind != yaml.MappingNode {
		return ex, all.in(itemException, "", m.node).fail(ErrYAMLValidate, "an exception must be a mapping")
	}
	if ex.Name, err = m.text("name", all.in(itemException, "", m.node)); err != nil {
		return ex, err
	}
	ex.at = at.in(itemException, ex.Name, m.node)
	if ex.Fields, err = r.entryOf(m, "fields", ex.at, !appending); err != nil {
		return ex, err
	}
	if ex.Comps, err = r.entryOf(m, "comps", ex.at, false); err != nil {
		return ex, err
	}
	values := m.get("values")
	if values == nil {
		if appending {
			r.warn(ex.at, WarnAppendNoValues, "the exception '"+ex.Name+"' is extended by no values")
		}
		return ex, nil
	}
	valuesAt := ex.at.in(itemExValues, "", values)
	if values.Kind != yaml.SequenceNode {
		return ex, valuesAt.fail(ErrYAMLValidate, "the value of 'values' must be a sequence")
	}
	for _, v := range values.Content {
		e, err := readEntry(deref(v), "", valuesAt.in(itemExValue, "", v))
		if err != nil {
			return ex, err
		}
		ex.Values = append(ex.Values, e)
	}
	return ex, nil
}

func (r *reader) entryOf(m mapping, key string, at place, must bool) (entry, error) {
	n := m.get(key)
	if n == nil {
		if must {
			return entry{}, at.fail(ErrYAMLValidate, "the key '"+key+"' is missing")
		}
		return entry{}, nil
	}
	return readEntry(n, key, at)
}

// readEntry reads a scalar or a sequence of entries. What is neither, and what
// is empty, counts as not given.
func readEntry(n *yaml.Node, key string, at place) (entry, error) {
	at = at.in(itemValue, key, n)
	e := entry{at: at}
	switch {
	case n.Kind == yaml.ScalarNode && !isNull(n):
		if n.Value == "" {
			return e, at.fail(ErrYAMLValidate, "the value is empty")
		}
		e.item = n.Value
	case n.Kind == yaml.SequenceNode:
		e.isList = true
		for _, it := range n.Content {
			it = deref(it)
			sub, err := readEntry(it, "", at.in(itemException, "", it))
			if err != nil {
				return e, err
			}
			e.items = append(e.items, sub)
		}
	}
	e.set = e.item != "" || len(e.items) > 0
	return e, nil
}
