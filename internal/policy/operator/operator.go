// Package operator is the table of the operators of policy conditions: one
// row each. The lexer takes their spelling from it, the checker the types they
// accept, the planner their meaning by ID.
package operator

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/field"
)

// ID names an operator.
type ID uint8

// The operators.
const (
	None ID = iota
	Exists
	Le
	Lt
	Ge
	Gt
	Eq
	Ne
	Glob
	IGlob
	Contains
	IContains
	BContains
	StartsWith
	BStartsWith
	EndsWith
	Regex
	Intersects
	In
	PMatch
)

// Syntax says what may follow an operator.
type Syntax uint8

// The syntactic groups. The lexer tries them in this order.
const (
	Unary  Syntax = iota // nothing follows
	Number               // a number, or another field
	Scalar               // one text, another field, or a modifier and a list
	List                 // a list, or another field
)

// Classes is a set of field classes.
type Classes uint8

func of(cs ...field.Class) Classes {
	var set Classes
	for _, c := range cs {
		set |= 1 << c
	}
	return set
}

// Has reports whether the set contains c.
func (s Classes) Has(c field.Class) bool { return s&(1<<c) != 0 }

// Row describes one operator.
type Row struct {
	ID     ID
	Name   string // as the printer writes it
	Alias  string // another spelling, or empty
	Syntax Syntax
	Word   bool // a blank must follow: "contains " but not "in("
	// Fields are the classes of a single-valued left side that the operator
	// takes; Lists reports whether it takes a field that is a list.
	Fields Classes
	Lists  bool
	Doc    string
}

var (
	anyClass = of(field.ClassText, field.ClassNumber, field.ClassBool, field.ClassBytes, field.ClassNet)
	ordered  = of(field.ClassText, field.ClassNumber)
	text     = of(field.ClassText)
	binary   = of(field.ClassBytes)
	textual  = of(field.ClassText, field.ClassBytes)
)

// Table holds every operator in the order in which the lexer tries them:
// within one syntactic group a spelling comes before its own prefixes.
var Table = [...]Row{
	{Exists, "exists", "", Unary, false, anyClass, true, "the field has a value"},
	{Le, "<=", "", Number, false, ordered, false, "not greater; text by byte order"},
	{Lt, "<", "", Number, false, ordered, false, "less"},
	{Ge, ">=", "", Number, false, ordered, false, "not less"},
	{Gt, ">", "", Number, false, ordered, false, "greater"},
	{Eq, "=", "==", Scalar, false, anyClass, false, "equal; a network contains the address"},
	{Ne, "!=", "", Scalar, false, anyClass, false, "has a value, and that is not equal"},
	{Glob, "glob", "", Scalar, true, text, false, "matches a shell pattern; * and ? also match /"},
	{IGlob, "iglob", "", Scalar, true, text, false, "as glob, ASCII case folded"},
	{Contains, "contains", "", Scalar, true, textual, false, "contains the text"},
	{IContains, "icontains", "", Scalar, true, text, false, "as contains, ASCII case folded"},
	{BContains, "bcontains", "", Scalar, true, binary, false, "contains the bytes given as hex digits"},
	{StartsWith, "startswith", "", Scalar, true, textual, false, "begins with the text"},
	{BStartsWith, "bstartswith", "", Scalar, true, binary, false, "begins with the bytes given as hex digits"},
	{EndsWith, "endswith", "", Scalar, true, textual, false, "ends with the text"},
	{Regex, "regex", "", Scalar, true, text, false, "the whole text matches the RE2 expression"},
	{Intersects, "intersects", "", List, false, anyClass, true, "any element is in the list"},
	{In, "in", "", List, false, anyClass, true, "every element is in the list"},
	{PMatch, "pmatch", "", List, false, text, false, "a path of the list is a prefix, component by component"},
}

// ByID is the row of an operator.
func ByID(id ID) *Row { return &Table[id-1] }

// ByName finds an operator by either spelling.
func ByName(name string) (*Row, bool) {
	for i := range Table {
		if r := &Table[i]; r.Name == name || (r.Alias != "" && r.Alias == name) {
			return r, true
		}
	}
	return nil, false
}

// String is the operator's name.
func (id ID) String() string { return ByID(id).Name }

// Modifier says how many elements of a list must satisfy a scalar operator.
type Modifier uint8

// The modifiers.
const (
	Plain Modifier = iota // no modifier: one value
	OneOf                 // exactly one
	AnyOf                 // at least one
	AllOf                 // every one; false for an empty list
)

// Modifiers are the modifiers by name.
var Modifiers = [...]struct {
	Modifier Modifier
	Name     string
}{{OneOf, "oneof"}, {AnyOf, "anyof"}, {AllOf, "allof"}}

// String is the modifier's name, empty for Plain.
func (m Modifier) String() string {
	for _, row := range Modifiers {
		if row.Modifier == m {
			return row.Name
		}
	}
	return ""
}

// ParseComparison reads an operator, or a scalar operator with a modifier
// after it, as exceptions spell them ("startswith oneof"). Surrounding and
// repeated blanks do not matter.
func ParseComparison(s string) (ID, Modifier, bool) {
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > 2 {
		return None, Plain, false
	}
	row, ok := ByName(words[0])
	if !ok {
		return None, Plain, false
	}
	if len(words) == 1 {
		return row.ID, Plain, true
	}
	for _, m := range Modifiers {
		if m.Name == words[1] && row.Syntax == Scalar {
			return row.ID, m.Modifier, true
		}
	}
	return None, Plain, false
}
