package plan

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// pred is a test of a value that is present.
type pred interface {
	test(v *field.Value) bool
}

// anything accepts every value.
type anything struct{}

func (anything) test(*field.Value) bool { return true }

// predOf plans the comparison of a test with its constants.
func predOf(t *check.Test) pred {
	switch {
	case t.Left.List:
		return &listPred{set: setOf(t.Values), any: t.Op == operator.Intersects}
	case t.Mod != operator.Plain:
		m := &modifiedPred{mod: t.Mod}
		for i := range t.Values {
			m.each = append(m.each, scalarPred(t.Op, &t.Values[i]))
		}
		return m
	case t.Op == operator.In || t.Op == operator.Intersects:
		return memberPred(t)
	case t.Op == operator.PMatch:
		return newPathTree(t.Values)
	default:
		return scalarPred(t.Op, &t.Values[0])
	}
}

// modifiedPred wants a number of comparisons to hold.
type modifiedPred struct {
	mod  operator.Modifier
	each []pred
}

func (p *modifiedPred) test(v *field.Value) bool {
	hits := 0
	for _, e := range p.each {
		hit := e.test(v)
		if hit {
			hits++
		}
		switch {
		case hit && p.mod == operator.AnyOf:
			return true
		case !hit && p.mod == operator.AllOf, hits > 1 && p.mod == operator.OneOf:
			return false
		}
	}
	return len(p.each) > 0 && p.mod != operator.AnyOf && hits > 0
}

// scalarPred plans a comparison with one constant.
func scalarPred(op operator.ID, k *check.Constant) pred {
	switch k.Value.Kind {
	case field.Text:
		return textPred(op, k.Text)
	case field.Bytes:
		return bytesPred(op, k.Text)
	case field.Net, field.IP:
		return &netPred{net: k.Value.Net, differs: op == operator.Ne}
	default:
		return &numberPred{op: op, kind: k.Value.Kind, num: k.Value.Num}
	}
}

func textPred(op operator.ID, s string) pred {
	switch op {
	case operator.Eq:
		return textEq(s)
	case operator.Ne:
		return textNe(s)
	case operator.Contains:
		return textContains(s)
	case operator.StartsWith:
		return textPrefix(s)
	case operator.EndsWith:
		return textSuffix(s)
	case operator.IContains:
		return textFold(s)
	case operator.Glob:
		return newGlob(s)
	case operator.IGlob:
		return &globPred{pattern: s, fold: true}
	case operator.Regex:
		re, err := check.CompileRegex(s)
		if err != nil { // the checker has compiled it before
			return nothing{}
		}
		return &regexPred{re}
	default:
		return &textOrder{op: op, s: s}
	}
}

// nothing accepts no value.
type nothing struct{}

func (nothing) test(*field.Value) bool { return false }

type (
	textEq       string
	textNe       string
	textContains string
	textPrefix   string
	textSuffix   string
	textFold     string
	textOrder    struct {
		op operator.ID
		s  string
	}
	globPred struct {
		pattern    string
		fold       bool
		head, tail string // that every match begins and ends with; not when folding
	}
	regexPred struct{ re *regexp.Regexp }
)

func (s textEq) test(v *field.Value) bool       { return v.Text == string(s) }
func (s textNe) test(v *field.Value) bool       { return v.Text != string(s) }
func (s textContains) test(v *field.Value) bool { return strings.Contains(v.Text, string(s)) }
func (s textPrefix) test(v *field.Value) bool   { return strings.HasPrefix(v.Text, string(s)) }
func (s textSuffix) test(v *field.Value) bool   { return strings.HasSuffix(v.Text, string(s)) }
func (s textFold) test(v *field.Value) bool     { return containsFold(v.Text, string(s)) }
func (p *textOrder) test(v *field.Value) bool   { return ordered(p.op, strings.Compare(v.Text, p.s)) }

func (p *globPred) test(v *field.Value) bool {
	return strings.HasPrefix(v.Text, p.head) && strings.HasSuffix(v.Text, p.tail) && field.Glob(p.pattern, v.Text, p.fold)
}
func (p *regexPred) test(v *field.Value) bool { return p.re.MatchString(v.Text) }

// newGlob plans a pattern. Most texts are refused by its ends alone.
func newGlob(pattern string) *globPred {
	const special = `*?[]\`
	p := &globPred{pattern: pattern}
	if i := strings.IndexAny(pattern, special); i >= 0 {
		p.head, p.tail = pattern[:i], pattern[strings.LastIndexAny(pattern, special)+1:]
		if strings.IndexByte(pattern, '\\') >= 0 { // the character behind it is not itself
			p.tail = ""
		}
	}
	return p
}

func bytesPred(op operator.ID, s string) pred {
	switch op {
	case operator.Eq:
		return textEq(s)
	case operator.Ne:
		return textNe(s)
	case operator.StartsWith, operator.BStartsWith:
		return textPrefix(s)
	case operator.EndsWith:
		return textSuffix(s)
	default:
		return textContains(s)
	}
}

// numberPred compares numbers of one kind.
type numberPred struct {
	op   operator.ID
	kind field.Kind
	num  uint64
}

func (p *numberPred) test(v *field.Value) bool {
	switch p.op {
	case operator.Eq:
		return v.Num == p.num
	case operator.Ne:
		return v.Num != p.num
	default:
		return ordered(p.op, compareNumbers(p.kind, v.Num, p.num))
	}
}

// netPred is a network that contains an address, or one address.
type netPred struct {
	net     netip.Prefix
	differs bool
}

func (p *netPred) test(v *field.Value) bool {
	return p.net.Contains(v.Net.Addr()) != p.differs
}

// memberPred plans "in" for a single value.
func memberPred(t *check.Test) pred {
	if len(t.Values) == 0 {
		return nothing{}
	}
	switch t.Left.Type.Class() {
	case field.ClassText, field.ClassBytes:
		if len(t.Values) == 1 {
			return textEq(t.Values[0].Text)
		}
		return setOf(t.Values)
	case field.ClassNet:
		p := &modifiedPred{mod: operator.AnyOf}
		for i := range t.Values {
			p.each = append(p.each, scalarPred(operator.Eq, &t.Values[i]))
		}
		return p
	default:
		p := make(numberSet, 0, len(t.Values))
		for i := range t.Values {
			p = append(p, t.Values[i].Value.Num)
		}
		return p
	}
}

type textSet map[string]struct{}

func setOf(values []check.Constant) textSet {
	s := make(textSet, len(values))
	for i := range values {
		s[values[i].Text] = struct{}{}
	}
	return s
}

func (s textSet) test(v *field.Value) bool {
	_, ok := s[v.Text]
	return ok
}

// numberSet is short in practice, so that a scan is fastest.
type numberSet []uint64

func (s numberSet) test(v *field.Value) bool { return slices.Contains(s, v.Num) }

// listPred is "in" (every element) or "intersects" (any) for a list.
type listPred struct {
	set textSet
	any bool
}

func (p *listPred) test(v *field.Value) bool {
	for _, it := range v.List {
		if _, ok := p.set[it]; ok == p.any {
			return p.any
		}
	}
	return !p.any
}
