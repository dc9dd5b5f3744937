package rules

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping is a YAML mapping; of a key that appears twice the first counts.
type mapping struct {
	src  *source
	node *yaml.Node
}

// deref follows an alias.
func deref(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (m mapping) get(key string) *yaml.Node {
	for i := 0; i+1 < len(m.node.Content); i += 2 {
		if m.node.Content[i].Value == key {
			return deref(m.node.Content[i+1])
		}
	}
	return nil
}

// scalar is a key's value that must be there and not be empty.
func (m mapping) scalar(key string, at place) (*yaml.Node, error) {
	n := m.get(key)
	switch {
	case n == nil:
		return nil, at.fail(ErrYAMLValidate, "the key '"+key+"' is missing")
	case isNull(n):
		return nil, at.fail(ErrYAMLValidate, "the key '"+key+"' has no value")
	case n.Kind != yaml.ScalarNode:
		return nil, at.in(itemValue, key, n).fail(ErrYAMLValidate, "the value of '"+key+"' must be a single one")
	case n.Value == "":
		return nil, at.in(itemValue, key, n).fail(ErrYAMLValidate, "the value of '"+key+"' is empty")
	}
	return n, nil
}

func (m mapping) text(key string, at place) (string, error) {
	n, err := m.scalar(key, at)
	if err != nil {
		return "", err
	}
	return n.Value, nil
}

// condition is a text that keeps track of where it stands.
func (m mapping) condition(key string, at place) (text, error) {
	n, err := m.scalar(key, at)
	if err != nil {
		return text{}, err
	}
	return textOf(m.src, n), nil
}

// output is a condition's like, without blanks at its ends: folded texts end
// with a line break, and more may be appended.
func (m mapping) output(key string, at place) (text, error) {
	t, err := m.condition(key, at)
	if err != nil {
		return t, err
	}
	p := &t.pieces[0]
	p.from = len(p.s) - len(strings.TrimLeft(p.s, blanks))
	p.s = strings.Trim(p.s, blanks)
	return t, nil
}

// optional reads a key that need not be there.
func optional[T any](m mapping, key string, at place, dst *T, read func(mapping, string, place) (T, error)) error {
	if m.get(key) == nil {
		return nil
	}
	v, err := read(m, key, at)
	if err == nil {
		*dst = v
	}
	return err
}

func readText(m mapping, key string, at place) (string, error) { return m.text(key, at) }

// truths are the truth values of YAML 1.1, which may also be written in capitals
// or with one at the beginning.
var truths = map[string]bool{
	"true": true, "yes": true, "on": true, "y": true, "false": false, "no": false, "off": false, "n": false,
}

func readBool(m mapping, key string, at place) (bool, error) {
	n, err := m.scalar(key, at)
	if err != nil {
		return false, err
	}
	lower := strings.ToLower(n.Value)
	b, ok := truths[lower]
	if !ok || n.Value != lower && n.Value != strings.ToUpper(lower) && n.Value[1:] != lower[1:] {
		return false, at.in(itemValue, key, n).fail(ErrYAMLValidate, "the value of '"+key+"' must be true or false")
	}
	return b, nil
}

// parseUint reads a whole number as YAML 1.1 writes them: decimal, octal with a
// leading 0, or hexadecimal.
func parseUint(s string, bits int) (uint64, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	digits, base := s, 10
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		digits, base = s[2:], 16
	case strings.HasPrefix(s, "0"):
		base = 8
	}
	return strconv.ParseUint(digits, base, bits)
}

func readUint(m mapping, key string, at place) (uint32, error) {
	n, err := m.scalar(key, at)
	if err != nil {
		return 0, err
	}
	v, err := parseUint(n.Value, 32)
	if err != nil {
		return 0, at.in(itemValue, key, n).fail(ErrYAMLValidate, "the value of '"+key+"' must be a whole number")
	}
	return uint32(v), nil
}

// texts is a key's value that must be a sequence of scalars.
func (m mapping) texts(key string, at place, must bool) ([]string, error) {
	n := m.get(key)
	switch {
	case n == nil && !must:
		return nil, nil
	case n == nil:
		return nil, at.fail(ErrYAMLValidate, "the key '"+key+"' is missing")
	}
	at = at.in(itemValue, key, n)
	if n.Kind != yaml.SequenceNode {
		return nil, at.fail(ErrYAMLValidate, "the value of '"+key+"' must be a sequence")
	}
	out := make([]string, 0, len(n.Content))
	for _, it := range n.Content {
		if it = deref(it); it.Kind != yaml.ScalarNode || isNull(it) {
			return nil, at.in(itemListItem, "", it).fail(ErrYAMLValidate, "the elements of '"+key+"' must be single values")
		}
		out = append(out, it.Value)
	}
	return out, nil
}

// overriding is what an item says about changing an earlier one.
type overriding struct {
	flag    bool // append: true
	append  map[string]bool
	replace map[string]bool
}

func (o *overriding) any() bool { return len(o.append)+len(o.replace) > 0 }

// overrides reads the keys append and override.
func (r *reader) overrides(m mapping, at place, mayAppend, mayReplace []string) (overriding, error) {
	ov := overriding{append: map[string]bool{}, replace: map[string]bool{}}
	if err := optional(m, "append", at, &ov.flag, readBool); err != nil {
		return ov, err
	}
	if ov.flag {
		r.warn(at, WarnDeprecated, "the key 'append' is deprecated: name what to append under 'override'")
	}
	n := m.get("override")
	if n == nil || isNull(n) {
		return ov, nil
	}
	overAt := at.in(itemOverride, "", n)
	if n.Kind != yaml.MappingNode {
		return ov, overAt.fail(ErrYAMLValidate, "the value of 'override' must be a mapping")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := ov.add(n.Content[i], deref(n.Content[i+1]), overAt, mayAppend, mayReplace); err != nil {
			return ov, err
		}
	}
	if ov.flag && ov.any() {
		return ov, at.fail(ErrYAMLValidate, "'override' and 'append: true' cannot be used together")
	}
	return ov, nil
}

func (o *overriding) add(key, op *yaml.Node, at place, mayAppend, mayReplace []string) error {
	name := key.Value
	if op.Value != "append" && op.Value != "replace" {
		return at.in(itemValue, name, op).fail(ErrYAMLValidate, "'"+op.Value+"' is neither append nor replace")
	}
	if !contains(mayReplace, name) {
		return at.in(itemOverride, name, key).fail(ErrYAMLValidate, "there is no key '"+name+"' that can be overridden"+didYouMean(name, mayReplace))
	}
	if op.Value == "replace" {
		o.replace[name] = true
		return nil
	}
	if !contains(mayAppend, name) {
		return at.in(itemOverride, name, key).fail(ErrYAMLValidate, "the key '"+name+"' cannot be appended to, only replaced")
	}
	o.append[name] = true
	return nil
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}
