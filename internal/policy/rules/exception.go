package rules

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// validate completes the comparisons and holds them against the fields. The
// fields of rules for an unknown source are not known.
func (ex *exception) validate(known bool) error {
	if !ex.Fields.set {
		return ex.at.fail(ErrValidate, "an exception needs fields: one, or a list")
	}
	if ex.Fields.isList {
		return ex.validateList(known)
	}
	if !ex.Comps.set {
		ex.Comps = entry{set: true, item: "in"}
	}
	if ex.Comps.isList {
		return ex.at.fail(ErrValidate, "fields and comps must both be single, or both be lists")
	}
	op, mod, ok := operator.ParseComparison(ex.Comps.item)
	if !ok || operator.ByID(op).Syntax != operator.List && mod == operator.Plain {
		return ex.at.fail(ErrValidate, "for a single field, comps is one of in, pmatch, intersects, or an operator with oneof, anyof or allof")
	}
	ex.Comps.item = comparison(ex.Comps.item)
	return ex.validateField(&ex.Fields, known)
}

func (ex *exception) validateList(known bool) error {
	if !ex.Comps.set {
		ex.Comps = entry{set: true, isList: true}
		for range ex.Fields.items {
			ex.Comps.items = append(ex.Comps.items, entry{set: true, item: "="})
		}
	}
	if !ex.Comps.isList || len(ex.Comps.items) != len(ex.Fields.items) {
		return ex.at.fail(ErrValidate, "fields and comps must have equal length")
	}
	for i := range ex.Comps.items {
		c := &ex.Comps.items[i]
		if _, _, ok := operator.ParseComparison(c.item); !ok {
			return ex.at.fail(ErrValidate, "'"+c.item+"' is no operator")
		}
		c.item = comparison(c.item)
	}
	for i := range ex.Fields.items {
		if err := ex.validateField(&ex.Fields.items[i], known); err != nil {
			return err
		}
	}
	return nil
}

// comparison is an operator and perhaps a modifier with one blank between them.
func comparison(s string) string { return strings.Join(strings.Fields(s), " ") }

// validateField wants a field of known name, or a transformer that can be
// compared. A field's argument is looked at when the condition is compiled.
func (ex *exception) validateField(f *entry, known bool) error {
	if !known {
		return nil
	}
	o, n, err := lang.ParseOperand(f.item)
	if err == nil && n == len(f.item) {
		if single, ok := o.(*lang.Field); ok && field.Standard().Known(single.Name) {
			return nil
		}
		if _, ok := o.(*lang.Transform); ok {
			if _, _, err = check.TypeOperand(o, field.Standard()); err == nil {
				return nil
			}
			return ex.at.fail(ErrValidate, "'"+f.item+"' cannot be compared: "+err.Error())
		}
	}
	return ex.at.fail(ErrValidate, "'"+f.item+"' is no known field")
}

// withExceptions is the condition of a rule with "and not" its exceptions.
func withExceptions(cond text, exceptions []exception) (text, error) {
	if len(exceptions) == 0 {
		return cond, nil
	}
	out := cond.bracketed()
	for i := range exceptions {
		s, err := exceptions[i].condition()
		if err != nil {
			return text{}, err
		}
		if s != "" {
			at := exceptions[i].at
			spot := &origin{src: at.src, start: at.locs[len(at.locs)-1].Offset}
			out = out.plus(piece{s: " and not " + s, origin: spot, fixed: true})
		}
	}
	return out, nil
}

// condition is the exception as text; empty when it has no values.
func (ex *exception) condition() (string, error) {
	if len(ex.Values) == 0 {
		return "", nil
	}
	if !ex.Fields.isList {
		return ex.singleCondition()
	}
	var tuples []string
	for i := range ex.Values {
		v := &ex.Values[i]
		if len(v.items) != len(ex.Fields.items) {
			return "", ex.at.fail(ErrValidate, "fields and values must have equal length")
		}
		var parts []string
		for k := range ex.Fields.items {
			comp := ex.Comps.items[k].item
			parts = append(parts, ex.Fields.items[k].item+" "+comp+" "+v.items[k].operand(comp))
		}
		tuples = append(tuples, "("+strings.Join(parts, " and ")+")")
	}
	return "(" + strings.Join(tuples, " or ") + ")", nil
}

func (ex *exception) singleCondition() (string, error) {
	items := make([]string, 0, len(ex.Values))
	for i := range ex.Values {
		v := &ex.Values[i]
		if v.isList {
			return "", ex.at.fail(ErrValidate, "for a single field, values must be a list of texts")
		}
		items = append(items, quoteItem(v.item))
	}
	return "(" + ex.Fields.item + " " + ex.Comps.item + " (" + strings.Join(items, ", ") + "))", nil
}

// operand is an element of a tuple as the right side of a comparison.
func (e *entry) operand(comp string) string {
	if e.isList {
		items := make([]string, 0, len(e.items))
		for i := range e.items {
			items = append(items, quoteItem(e.items[i].item))
		}
		return "(" + strings.Join(items, ", ") + ")"
	}
	op, mod, _ := operator.ParseComparison(comp)
	if op != operator.None && (mod != operator.Plain || operator.ByID(op).Syntax == operator.List) {
		if strings.HasPrefix(e.item, "(") {
			return e.item
		}
		return "(" + e.item + ")"
	}
	return quoteItem(e.item)
}
