// Package rules reads rule files: lists, macros, rules with exceptions, and
// what later items append to earlier ones or override in them.
//
//	YAML -> items -> collection -> lists expanded as text -> parsed ->
//	macros resolved in the tree -> checked -> Rule
package rules

import (
	"slices"

	"github.com/sightglass/sightglass/internal/policy/field"
)

// File is a rule file. Err says why it could not be read, if it could not.
type File struct {
	Name    string
	Content []byte
	Err     error
}

// Options change how rule files are loaded.
type Options struct {
	// MinPriority leaves out less severe rules, though not their errors. Nil keeps
	// all.
	MinPriority  *Priority
	AppendOutput []AppendOutput
	// Scope is a condition that narrows every rule, beside the scopes of files
	// and rules. Empty: none.
	Scope  string
	Fields *field.Table // nil: the standard table
}

// scopeName is what places call the scope that the options have.
const scopeName = "scope"

// scope is the scope as a text that knows its place.
func (o *Options) scope() text {
	if o.Scope == "" {
		return text{}
	}
	src := newSource(scopeName, []byte(o.Scope))
	return text{[]piece{{s: o.Scope, origin: &origin{src: src, text: o.Scope}}}}.of(filePlace(src))
}

func (o *Options) minPriority() Priority {
	if o.MinPriority == nil {
		return Debug
	}
	return *o.MinPriority
}

// Load reads files in order; they behave as one that grows. After each file
// everything is compiled, so that an issue is told with the file that causes
// it. The rules are those after the last file, nil when a file has an error.
func Load(files []File, opts *Options) ([]*Rule, []*Result) {
	col := newCollection()
	table := opts.Fields
	if table == nil {
		table = field.Standard()
	}
	var compiled []*Rule
	var results []*Result
	ok := true
	for _, f := range files {
		src := newSource(f.Name, f.Content)
		at := filePlace(src)
		res := &Result{Name: f.Name}
		results = append(results, res)
		if f.Err != nil {
			res.Errors = append(res.Errors, at.issue(ErrFileRead, f.Err.Error()))
			res.schema = append(res.schema, "the file cannot be read")
			ok = false
			continue
		}
		r := reader{src: src, col: col, res: res, file: at}
		r.read()
		c := compiler{opts: opts, col: col, res: res, table: table}
		read, warned := res.OK(), len(res.Warnings)
		compiled = c.compile()
		if !read { // what compiling warns of may only be missing
			res.Warnings = res.Warnings[:warned]
		}
		dropKnown(res, results[:len(results)-1])
		ok = ok && res.OK()
	}
	if !ok {
		return nil, results
	}
	return compiled, results
}

// dropKnown leaves out what was told with an earlier file already.
func dropKnown(res *Result, earlier []*Result) {
	known := map[issueKey]bool{}
	for _, old := range earlier {
		for _, group := range [][]Issue{old.Errors, old.Warnings} {
			for i := range group {
				known[group[i].key()] = true
			}
		}
	}
	again := func(i Issue) bool { return known[i.key()] }
	res.Errors = slices.DeleteFunc(res.Errors, again)
	res.Warnings = slices.DeleteFunc(res.Warnings, again)
}
