package rules

import (
	"errors"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/nearest"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/index"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/output"
)

// Rule is a rule that can be used.
type Rule struct {
	Name, Desc, Source string
	Reference, Remedy  string
	Priority           Priority
	Enabled, Capture   bool
	CaptureDuration    uint32 // ms
	Tags               []string
	File               string // where it was last defined as a whole
	Line               int
	Condition          lang.Expr // with macros and lists resolved, exceptions added; nil in a lean set
	Checked            *check.Result
	Output             *output.Format
	Extra              []*output.Field  // fields that alerts carry beside those of the output
	Formatted          []FormattedExtra // texts that alerts carry beside those
	Types              index.Types      // event types for which the condition can be true
}

// FormattedExtra is a text that alerts carry under a name.
type FormattedExtra struct {
	Key    string
	Format *output.Format
}

// maxTypes is how many event types a rule may match before it is warned about.
const maxTypes = 100

// compiler compiles what was collected so far.
type compiler struct {
	opts  *Options
	col   *collection
	res   *Result
	table *field.Table
	told  map[issueKey]bool
}

// first reports whether an issue has not been told before.
func (c *compiler) first(i *Issue) bool {
	if c.told == nil {
		c.told = map[issueKey]bool{}
	}
	again := c.told[i.key()]
	c.told[i.key()] = true
	return !again
}

func (c *compiler) report(i Issue) {
	if c.first(&i) {
		c.res.Errors = append(c.res.Errors, i)
	}
}

func (c *compiler) warn(at place, code Code, msg string) {
	if i := at.issue(code, msg); c.first(&i) {
		c.res.Warnings = append(c.res.Warnings, i)
	}
}

func (c *compiler) fail(err error) {
	if p, ok := errors.AsType[*problem](err); ok {
		c.report(p.Issue)
	}
}

func (c *compiler) compile() []*Rule {
	joinLists(c.col.lists.order)
	macros := c.macros()
	var out []*Rule
	for _, r := range c.col.rules.order {
		if r.unknownSource {
			continue
		}
		if compiled := c.rule(r, macros); compiled != nil && r.Priority <= c.opts.minPriority() {
			out = append(out, compiled)
		}
	}
	if c.res.OK() {
		c.unused()
	}
	return out
}

func (c *compiler) unused() {
	for _, m := range c.col.macros.order {
		if !m.used {
			c.warn(m.at, WarnUnusedMacro, "no rule and no other macro uses the macro '"+m.Name+"'")
		}
	}
	hints := 0
	for _, l := range c.col.lists.order {
		if l.used {
			continue
		}
		message := "no rule, macro or other list uses the list '" + l.Name + "'"
		if hints++; hints <= maxHints {
			message += c.meant(l.Name)
		}
		c.warn(l.at, WarnUnusedList, message)
	}
}

// meant names what in a condition was probably meant to be a list, as an addition
// to a message: the name of no list is a value like any other.
func (c *compiler) meant(list string) string {
	hint := func(kind, name string, cond text) string {
		words := strings.FieldsFunc(cond.String(), func(r rune) bool { return strings.ContainsRune(delimiters, r) })
		words = slices.DeleteFunc(words, func(w string) bool {
			return c.col.lists.get(w) != nil || c.col.macros.get(w) != nil || strings.Contains(w, ".")
		})
		near := nearest.Of(list, words, min(maxTypo, len(list)/3))
		if near == "" {
			return ""
		}
		return ": was it meant by '" + near + "' in the " + kind + ` "` + name + `"?`
	}
	for _, r := range c.col.rules.order {
		if h := hint("rule", r.Name, r.cond); h != "" {
			return h
		}
	}
	for _, m := range c.col.macros.order {
		if h := hint("macro", m.Name, m.cond); h != "" {
			return h
		}
	}
	return ""
}

// parse expands the lists of a condition and parses it.
func (c *compiler) parse(cond text, at place) (text, lang.Expr, error) {
	whole, err := expand(cond, c.col.lists.order)
	if err != nil {
		return cond, nil, at.fail(ErrCompileCondition, err.Error())
	}
	cond = whole
	e, err := lang.Parse(cond.String(), lang.DepthRules)
	if err != nil {
		var perr *lang.Error
		errors.As(err, &perr)
		return cond, nil, inExpression(at, cond, perr.Index).fail(ErrCompileCondition, perr.Msg)
	}
	return cond, e, nil
}

// inExpression is the place of a byte of a condition.
func inExpression(at place, cond text, offset int) place {
	from, pos := cond.locate(offset)
	if from == nil {
		return at
	}
	if from.item != nil {
		at = *from.item
	}
	return place{from.src, at.locs}.at(itemExpression, "", pos)
}

func (c *compiler) macros() *resolver {
	res := newResolver()
	for key := range c.col.broken {
		if kind := itemMacro + " "; len(key) > len(kind) && key[:len(kind)] == kind {
			res.broken[key[len(kind):]] = true
		}
	}
	texts := map[*macro]text{}
	for _, m := range c.col.macros.order {
		m.used, m.tree = false, nil
		cond, tree, err := c.parse(m.cond, m.condAt)
		if err != nil {
			c.fail(err)
		}
		m.tree, texts[m] = tree, cond
		res.macros[m.Name] = m
	}
	for _, m := range c.col.macros.order {
		if m.tree == nil {
			continue
		}
		if err := res.fits(m.tree, m.visibility); err != nil {
			c.macroError(err, m.at, texts[m])
			m.tree = nil
		}
	}
	return res
}

func (c *compiler) macroError(err error, at place, cond text) {
	var merr *macroError
	if errors.As(err, &merr) && !merr.silent {
		c.report(inExpression(at, cond, merr.Index).issue(ErrValidate, merr.msg))
	}
}

func (c *compiler) rule(r *rule, macros *resolver) *Rule {
	cond, err := withExceptions(r.cond, r.exceptions)
	if err != nil {
		c.fail(err)
		return nil
	}
	cond = within(c.opts.scope(), within(r.scope, cond))
	cond, tree, err := c.parse(cond, r.condAt)
	if err != nil {
		c.fail(err)
		return nil
	}
	if tree, err = macros.whole(tree, 1<<30); err != nil {
		c.macroError(err, r.at, cond)
		return nil
	}
	out := &Rule{
		Name: r.Name, Desc: r.Desc, Source: r.Source, Reference: r.Reference, Remedy: r.Remedy, Priority: r.Priority,
		Enabled: r.Enabled, Capture: r.Capture, CaptureDuration: r.CaptureDuration, Tags: r.Tags,
		File: r.at.src.name, Line: r.at.locs[len(r.at.locs)-1].Line, Condition: tree,
	}
	if printable := c.output(r, out); !c.check(r, out, cond) || !printable {
		return nil
	}
	return out
}

// within is a condition that only holds in a scope.
func within(scope, cond text) text {
	if scope.empty() {
		return cond
	}
	and := text{[]piece{{s: "and", fixed: true, origin: scope.pieces[0].origin}}}
	return scope.bracketed().joined(and).joined(cond.bracketed())
}

func (c *compiler) check(r *rule, out *Rule, cond text) bool {
	res, err := check.Check(out.Condition, c.table)
	if err != nil {
		var cerr *check.Error
		errors.As(err, &cerr)
		if cerr.Unknown && r.SkipUnknown {
			c.warn(inExpression(r.condAt, cond, cerr.Index), WarnUnknownFilter, inMacro(cerr.Msg, cerr.Macro)+": the rule is skipped")
			return false
		}
		c.report(inExpression(r.condAt, cond, cerr.Index).issue(ErrCompileCondition, inMacro(cerr.Msg, cerr.Macro)))
		return false
	}
	out.Checked = res
	for _, w := range res.Warnings {
		code := WarnCompileCondition
		if w.Deprecated {
			code = WarnDeprecated
		}
		c.warn(inExpression(r.condAt, cond, w.Index), code, inMacro(w.Msg, w.Macro))
	}
	out.Types = index.Of(res.Expr)
	if n := out.Types.Len(); r.WarnTypes && n > maxTypes {
		c.warn(r.at, WarnNoEventType, "the condition can be true for too many event types: compare evt.type")
	} else if r.WarnTypes && n == 0 { // on purpose, perhaps, by evt.num = 0: warn_evttypes: false then
		c.warn(r.at, WarnNoEventType, "the condition is true for no event type: the rule can never match")
	}
	return true
}

// inMacro adds where a message comes from.
func inMacro(msg, macro string) string {
	if macro == "" {
		return msg
	}
	return msg + " (in the macro " + macro + ")"
}
