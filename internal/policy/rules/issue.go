package rules

import (
	"strconv"
	"strings"
)

// Code classifies an issue. Names and meanings are Falco's.
type Code string

// Errors. A file with one of them is rejected.
const (
	ErrFileRead         Code = "LOAD_ERR_FILE_READ"
	ErrYAMLParse        Code = "LOAD_ERR_YAML_PARSE"
	ErrYAMLValidate     Code = "LOAD_ERR_YAML_VALIDATE"
	ErrValidate         Code = "LOAD_ERR_VALIDATE"
	ErrCompileCondition Code = "LOAD_ERR_COMPILE_CONDITION"
	ErrCompileOutput    Code = "LOAD_ERR_COMPILE_OUTPUT"
)

// Warnings.
const (
	WarnUnknownSource      Code = "LOAD_UNKNOWN_SOURCE"
	WarnNoEventType        Code = "LOAD_NO_EVTTYPE"
	WarnUnknownFilter      Code = "LOAD_UNKNOWN_FILTER"
	WarnUnusedMacro        Code = "LOAD_UNUSED_MACRO"
	WarnUnusedList         Code = "LOAD_UNUSED_LIST"
	WarnUnknownItem        Code = "LOAD_UNKNOWN_ITEM"
	WarnDeprecated         Code = "LOAD_DEPRECATED_ITEM"
	WarnAppendNoValues     Code = "LOAD_APPEND_NO_VALUES"
	WarnExceptionNotUnique Code = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
	WarnInvalidMacroName   Code = "LOAD_INVALID_MACRO_NAME"
	WarnInvalidListName    Code = "LOAD_INVALID_LIST_NAME"
	WarnCompileCondition   Code = "LOAD_COMPILE_CONDITION"
	WarnUnknownKey         Code = "LOAD_UNKNOWN_KEY"
)

var descriptions = map[Code]string{
	ErrFileRead:            "the file cannot be read",
	ErrYAMLParse:           "the file is not YAML",
	ErrYAMLValidate:        "an item does not have the form it must have",
	ErrValidate:            "an item does not fit the others",
	ErrCompileCondition:    "a condition cannot be used",
	ErrCompileOutput:       "an output cannot be used",
	WarnUnknownSource:      "the rule is for a source of events that does not exist",
	WarnNoEventType:        "the condition has to be evaluated for almost every event",
	WarnUnknownFilter:      "the rule names a field or event type that does not exist",
	WarnUnusedMacro:        "nothing uses the macro",
	WarnUnusedList:         "nothing uses the list",
	WarnUnknownItem:        "an item is of no known kind",
	WarnDeprecated:         "something should no longer be used",
	WarnAppendNoValues:     "an exception is extended by nothing",
	WarnExceptionNotUnique: "an exception is defined twice",
	WarnInvalidMacroName:   "no condition can refer to a macro of that name",
	WarnInvalidListName:    "no condition can refer to a list of that name",
	WarnCompileCondition:   "a condition probably does not mean what it says",
	WarnUnknownKey:         "a key is not known and has no effect",
}

// Description says what issues of the code are about.
func (c Code) Description() string { return descriptions[c] }

// Location is a place in a rule file and what stands there.
type Location struct {
	ItemType string // such as "rule" or "rule condition"
	ItemName string // empty for what has no name
	File     string
	Line     int // from 1; 0 for the file as a whole
	Column   int // from 1, in bytes
	Offset   int // in bytes from the beginning of the file
}

// Issue is an error or a warning about a rule file.
type Issue struct {
	Code    Code
	Message string
	// Locations lead from the file to the exact place.
	Locations []Location
	Snippet   string // the source line, and below it a caret at the place
}

// Position is the exact place: the last location.
func (i *Issue) Position() Location { return i.Locations[len(i.Locations)-1] }

// Item is the outermost named item: a rule, macro or list.
func (i *Issue) Item() (kind, name string) {
	for _, l := range i.Locations {
		if l.ItemName != "" {
			return l.ItemType, l.ItemName
		}
	}
	return "", ""
}

// String is the issue in full: place, item, message, and the source line with
// a caret.
func (i *Issue) String() string { return i.Line() + "\n" + i.Snippet }

// Line is the issue in one line: place, item, message.
func (i *Issue) Line() string {
	var b strings.Builder
	at := i.Position()
	b.WriteString(at.File)
	if at.Line > 0 {
		b.WriteString(":" + strconv.Itoa(at.Line) + ":" + strconv.Itoa(at.Column))
	}
	b.WriteString(": ")
	for _, l := range i.Locations {
		switch {
		case l.ItemType == itemScope:
			b.WriteString("scope of the file: ")
		case l.ItemName != "" && l.ItemType != itemValue:
			b.WriteString(l.ItemType + " " + strconv.Quote(l.ItemName) + ": ")
		}
	}
	b.WriteString(i.Message)
	b.WriteString(" (" + string(i.Code) + ")")
	return b.String()
}

// issueKey is the same for issues that say the same about the same place.
type issueKey struct {
	code Code
	msg  string
	at   Location
}

func (i *Issue) key() issueKey { return issueKey{i.Code, i.Message, i.Position()} }

// Result is what became of one rule file.
type Result struct {
	Name     string
	Errors   []Issue
	Warnings []Issue
	// Redefined is what the file defines again, in its order. It is meant, or an
	// accident: no warning.
	Redefined []Redefinition
	schema    []string // in which ways the file does not have the form of rule files
}

// OK reports whether the file was accepted.
func (r *Result) OK() bool { return len(r.Errors) == 0 }

// String is all issues in full.
func (r *Result) String() string {
	var b strings.Builder
	for _, group := range [][]Issue{r.Errors, r.Warnings} {
		for i := range group {
			b.WriteString(group[i].String())
		}
	}
	return b.String()
}
