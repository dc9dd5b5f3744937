package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// reader reads the items of one file into a collection.
type reader struct {
	src   *source
	col   *collection
	res   *Result
	file  place
	scope text // of the whole file
}

// read reads a file. Every item with an error is told and left out.
func (r *reader) read() {
	dec := yaml.NewDecoder(bytes.NewReader([]byte(r.src.text)))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.res.Errors = append(r.res.Errors, r.yamlError(err))
			r.res.schema = append(r.res.schema, "the file is not YAML")
			return
		}
		if len(doc.Content) > 0 {
			r.schema(doc.Content[0])
			r.document(doc.Content[0])
		}
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (r *reader) yamlError(err error) Issue {
	msg, at := err.Error(), r.file
	if m := yamlLine.FindStringSubmatch(strings.SplitN(msg, "\n", 2)[0]); m != nil {
		msg = m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			at = at.at(itemValue, "", r.src.offset(line, 1))
		}
	}
	if len(at.locs) == 1 { // characters are refused without their place
		offset, size := firstRefused(r.src.text)
		at = at.at(itemValue, "", offset)
		if size > 0 {
			msg += fmt.Sprintf(": %q", r.src.text[offset:offset+size])
		}
	}
	return at.issue(ErrYAMLParse, msg)
}

// firstRefused finds the first character that YAML does not take: a byte that is
// not UTF-8, or a control character.
func firstRefused(s string) (offset, size int) {
	for i, c := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError && n == 1 || unicode.IsControl(c) && !strings.ContainsRune("\t\n\r\u0085", c) {
			return i, n
		}
	}
	return 0, 0
}

func (r *reader) document(n *yaml.Node) {
	switch {
	case isNull(n):
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if item = deref(item); isNull(item) {
				continue
			}
			if err := r.item(item); err != nil {
				r.report(err)
			}
		}
	case n.Kind == yaml.MappingNode:
		r.report(r.file.fail(ErrYAMLValidate, "the document is a mapping, but must be a sequence of items"))
	default:
		r.report(r.file.fail(ErrYAMLValidate, "the document is no sequence of items"))
	}
}

func (r *reader) report(err error) {
	if _, ok := errors.AsType[silent](err); ok {
		return
	}
	if p, ok := errors.AsType[*problem](err); ok {
		r.res.Errors = append(r.res.Errors, p.Issue)
	}
}

func (r *reader) warn(at place, code Code, msg string) {
	r.res.Warnings = append(r.res.Warnings, at.issue(code, msg))
}

// keys are the keys that an item of a kind may have.
var keys = map[string][]string{
	itemList:  {"list", "items", "append", "override"},
	itemMacro: {"macro", "condition", "append", "override"},
	itemRule: {
		"rule", "desc", "condition", "output", "priority", "source", "enabled", "tags", "exceptions",
		"warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration", "append", "override",
		"scope", "reference", "remedy",
	},
	"scope": {"scope"},
}

// item reads one item by the key that tells its kind.
func (r *reader) item(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return r.file.in(itemElement, "", n).fail(ErrYAMLValidate, "an item must be a mapping")
	}
	m := mapping{r.src, n}
	switch {
	case m.get("required_engine_version") != nil:
		return r.engineVersion(m)
	case m.get("required_plugin_versions") != nil:
		return r.pluginVersions(m)
	case m.get("list") != nil:
		return r.named(m, itemList, r.list)
	case m.get("macro") != nil:
		return r.named(m, itemMacro, r.macro)
	case m.get("rule") != nil:
		return r.named(m, itemRule, r.rule)
	case m.get("scope") != nil:
		at := r.file.in(itemScope, "", n)
		r.unknownKeys(m, "scope", at)
		s, err := m.condition("scope", at)
		r.scope = s.of(at)
		return err
	}
	r.warn(r.file.in(itemElement, "", n), WarnUnknownItem, "the item is of no known kind and has no effect"+r.kindMeant(m))
	return nil
}

// kindMeant is the kind that one of an item's keys nearly names.
func (r *reader) kindMeant(m mapping) string {
	kinds := slices.Sorted(maps.Keys(keys))
	for i := 0; i+1 < len(m.node.Content); i += 2 {
		if meant := didYouMean(m.node.Content[i].Value, kinds); meant != "" {
			return meant
		}
	}
	return ""
}

// named reads an item that has a name under the key that is its kind.
func (r *reader) named(m mapping, kind string, read func(mapping, string, place) error) error {
	name, err := m.text(kind, r.file.in(kind, "", m.node))
	if err != nil {
		return err
	}
	at := r.file.in(kind, name, m.node)
	r.unknownKeys(m, kind, at)
	if err = read(m, name, at); err != nil {
		r.col.broken[kind+" "+name] = true
	}
	return err
}

func (r *reader) unknownKeys(m mapping, kind string, at place) {
	for i := 0; i+1 < len(m.node.Content); i += 2 {
		known := false
		for _, k := range keys[kind] {
			known = known || k == m.node.Content[i].Value
		}
		if !known {
			key := m.node.Content[i]
			r.warn(at.in(itemValue, key.Value, key), WarnUnknownKey, "the key '"+key.Value+"' is not known and has no effect"+didYouMean(key.Value, keys[kind]))
		}
	}
}

var bareName = regexp.MustCompile(`^[^()"'\s=,]+$`)

func (r *reader) list(m mapping, name string, at place) error {
	if !bareName.MatchString(name) {
		r.warn(at, WarnInvalidListName, "a list's name cannot contain blanks, brackets, quotes, commas or =")
	}
	items, err := m.texts("items", at, true)
	if err != nil {
		return err
	}
	ov, err := r.overrides(m, at, []string{"items"}, []string{"items"})
	if err != nil {
		return err
	}
	l := &list{Name: name, Items: items, at: at}
	if ov.flag || ov.append["items"] {
		return r.col.appendList(l)
	}
	if old := r.col.lists.get(name); old != nil && !ov.any() && !l.same(old) {
		r.redefine(itemList, name, at, old.at)
	}
	r.col.defineList(l)
	return nil
}

var macroName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)

func (r *reader) macro(m mapping, name string, at place) error {
	if !macroName.MatchString(name) {
		r.warn(at, WarnInvalidMacroName, "a macro's name is made of letters, digits and _, and begins with a letter")
	}
	cond, err := m.condition("condition", at)
	if err != nil {
		return err
	}
	ov, err := r.overrides(m, at, []string{"condition"}, []string{"condition"})
	if err != nil {
		return err
	}
	mac := &macro{Name: name, cond: cond, at: at, condAt: at.in(itemMacroCond, "", m.get("condition"))}
	if ov.flag || ov.append["condition"] {
		return r.col.appendMacro(mac)
	}
	if old := r.col.macros.get(name); old != nil && !ov.any() && !mac.same(old) {
		r.redefine(itemMacro, name, at, old.at)
	}
	r.col.defineMacro(mac)
	return nil
}
