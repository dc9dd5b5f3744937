package rules

import (
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/lang"
)

// Priority is how severe a rule is; smaller is more severe.
type Priority uint8

// The priorities.
const (
	Emergency Priority = iota
	Alert
	Critical
	Error
	Warning
	Notice
	Informational
	Debug
)

var priorityNames = [...]string{
	"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug",
}

// String is the priority in Falco's spelling.
func (p Priority) String() string { return priorityNames[p] }

// PriorityNames are the priorities in Falco's spelling, the most severe first.
func PriorityNames() []string { return slices.Clone(priorityNames[:]) }

// ParsePriority reads a priority in any case; info is short for informational.
func ParsePriority(s string) (Priority, bool) {
	if strings.EqualFold(s, "info") {
		return Informational, true
	}
	for i, name := range priorityNames {
		if strings.EqualFold(s, name) {
			return Priority(i), true
		}
	}
	return 0, false
}

// list is a named list, put together from its definition and what was appended.
type list struct {
	Name       string
	Items      []string
	index      int // of the first definition among all items
	visibility int // of the last definition or append
	at         place
	joined     string // the text that stands for the list
	used       bool
}

// macro is a named condition.
type macro struct {
	Name       string
	cond       text
	index      int
	visibility int
	at, condAt place
	tree       lang.Expr // nil when the condition has an error
	used       bool
}

// rule is a rule as collected, before it is compiled.
type rule struct {
	Name, Desc, Source   string
	Reference, Remedy    string
	Priority             Priority
	Enabled, WarnTypes   bool
	SkipUnknown, Capture bool
	CaptureDuration      uint32 // ms
	Tags                 []string
	cond, output         text
	scope                text // empty: none
	exceptions           []exception
	unknownSource        bool
	at, condAt, outputAt place
}

// exception is a condition under which a rule does not apply, as tuples.
type exception struct {
	Name   string
	Fields entry
	Comps  entry
	Values []entry
	at     place
}

// entry is a scalar or a list of entries.
type entry struct {
	set    bool
	isList bool
	item   string
	items  []entry
	at     place
}

// update is what an append or an override changes in a rule; nil stays.
type update struct {
	name                 string
	cond, scope, output  *text
	desc                 *string
	reference, remedy    *string
	tags                 *[]string
	exceptions           *[]exception
	priority             *Priority
	enabled, warnTypes   *bool
	skipUnknown, capture *bool
	captureDuration      *uint32
	at                   place
}

func (u *update) changes() bool {
	return u.cond != nil || u.scope != nil || u.output != nil || u.desc != nil || u.reference != nil ||
		u.remedy != nil || u.tags != nil || u.exceptions != nil || u.priority != nil || u.enabled != nil ||
		u.warnTypes != nil || u.skipUnknown != nil || u.capture != nil || u.captureDuration != nil
}

// addTags is the union of both in the order of their first appearance.
func addTags(tags, more []string) []string {
	for _, t := range more {
		found := false
		for _, old := range tags {
			found = found || old == t
		}
		if !found {
			tags = append(slices.Clip(tags), t)
		}
	}
	return tags
}
