package output

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

// operand is a field or a transformer at the beginning of a text.
type operand struct {
	operand lang.Operand
	typed   *check.Operand
	res     *check.Result
	length  int // in bytes
}

// Bounds of how far a text is shortened until it can be used.
const (
	maxName     = 128  // bytes of a field's name
	maxOperand  = 4096 // bytes of a field with its argument, or of a transformer
	maxBrackets = 16   // that may begin an argument
)

// longest reads the longest beginning of s that is a field or a transformer
// that can be used: %user.name_x is the field user.name with a text behind it,
// and %proc.aname[x] is proc.aname, since x is no argument of it. The error is
// about all of s; it is field.ErrUnsupported for a field that Falco knows.
func longest(s string, table *field.Table) (operand, error) {
	if found, err := readKnown(s, table); err == nil || errors.Is(err, field.ErrUnsupported) {
		return found, err
	}
	for _, end := range ends(s) {
		if found, err := readKnown(s[:end], table); err == nil || errors.Is(err, field.ErrUnsupported) {
			return found, err
		}
	}
	return read(s, table)
}

// readKnown reads as read does, but refuses a field that does not exist without
// looking for one that may be meant, which takes long.
func readKnown(s string, table *field.Table) (operand, error) {
	o, _, err := lang.ParseOperand(s)
	if f, ok := o.(*lang.Field); err != nil || ok && !table.Known(f.Name) {
		return operand{}, field.ErrUnknown
	}
	return read(s, table)
}

// ends are the lengths at which a text may be cut: before an argument, and
// within the name of a field; the longest first.
func ends(s string) []int {
	name := min(len(s)-len(strings.TrimLeft(s, nameBytes)), maxName)
	var brackets, out []int
	for i := 0; i < min(len(s), maxOperand) && len(brackets) < maxBrackets; i++ {
		if s[i] == '[' && i > name {
			brackets = append(brackets, i)
		}
	}
	for _, end := range slices.Backward(brackets) {
		out = append(out, end)
	}
	for end := name; end > 0; end-- {
		out = append(out, end)
	}
	return out
}

// nameBytes are what names of fields are made of.
const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."

func read(s string, table *field.Table) (operand, error) {
	o, n, err := lang.ParseOperand(s)
	if err != nil {
		return operand{}, fmt.Errorf("no field follows the percent sign: %w", err)
	}
	typed, res, err := check.TypeOperand(o, table)
	return operand{o, typed, res, n}, err
}
