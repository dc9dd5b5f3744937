package need

import (
	"strings"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// pathCalls are the calls whose one path is what the fields below are about.
var pathCalls = map[string]bool{"open": true, "openat": true, "openat2": true, "creat": true}

// pathFields are the fields that tell the path of an open call. A comparison of
// one of them that is true needs a path that begins as the constant does.
var pathFields = map[string]func(*look, *check.Test) interest.Wish{
	"fd.name":          (*look).named,
	"fs.path.name":     (*look).named,
	"fd.directory":     (*look).directory,
	"fd.nameraw":       (*look).raw,
	"fs.path.nameraw":  (*look).raw,
	"fs.path.resolved": (*look).resolved,
}

func (l *look) named(t *check.Test) interest.Wish {
	list, ok := beginnings(t)
	return wish(list, ok, '/', func(p interest.Beginnings) interest.Wish { return interest.Wish{Named: p} })
}

// directory is the path up to its last slash, or all of it for a directory.
func (l *look) directory(t *check.Test) interest.Wish {
	list, ok := beginnings(t)
	for i, p := range list {
		if whole, exact := strings.CutSuffix(p, interest.Whole); exact {
			list[i] = strings.TrimSuffix(whole, "/") + "/"
			list = append(list, p)
		}
	}
	return wish(list, ok, '/', func(p interest.Beginnings) interest.Wish { return interest.Wish{Named: p} })
}

// raw is the path as the program gave it, with the slash at its end, if any.
func (l *look) raw(t *check.Test) interest.Wish {
	if neverPlain(t) {
		return interest.Wish{Named: interest.BeginningsOf(unplain)}
	}
	list, ok := beginnings(t)
	for i, p := range list {
		p, whole := strings.CutSuffix(p, interest.Whole)
		if p, slash := strings.CutSuffix(p, "/"); slash || whole {
			list[i] = p + interest.Whole
			list = append(list, p+"/")
		}
	}
	return wish(list, ok, '/', func(p interest.Beginnings) interest.Wish { return interest.Wish{Named: p} })
}

// unplain is the beginning of no plain path. A wish for it is a wish for paths
// that are not plain, which pass every filter of names.
const unplain = "//"

// neverPlain reports whether only a path that is not plain can contain a text.
func neverPlain(t *check.Test) bool {
	if t.Op != operator.Contains || len(t.Values) == 0 {
		return false
	}
	for i := range t.Values {
		if s := t.Values[i].Text; !strings.Contains(s, "./") && !strings.Contains(s, "//") {
			return false
		}
	}
	return true
}

// resolved is the kernel's path, which only calls that succeed have.
func (l *look) resolved(t *check.Test) interest.Wish {
	if l.class.Failed() {
		return interest.Wish{}
	}
	list, ok := beginnings(t)
	return wish(list, ok, '/', func(p interest.Beginnings) interest.Wish { return interest.Wish{Resolved: p} })
}

// wish makes a wish of beginnings, for everything when one of them says too
// little: they must be longer than a byte, and start with first unless that is
// 0.
func wish(list []string, ok bool, first byte, of func(interest.Beginnings) interest.Wish) interest.Wish {
	for _, p := range list {
		ok = ok && len(p) > 1 && (first == 0 || p[0] == first)
	}
	if !ok {
		return everything
	}
	return of(interest.BeginningsOf(list...))
}

// beginnings are texts with one of which a value must begin for a comparison to
// be true; ok is false when that cannot be told.
func beginnings(t *check.Test) (list []string, ok bool) {
	begin, ok := beginningOf[t.Op]
	if !ok {
		return nil, false
	}
	for i := range t.Values {
		list = append(list, ascii(begin(t.Values[i].Text)))
	}
	return list, true
}

// beginningOf has the operators that say how a text begins.
var beginningOf = map[operator.ID]func(string) string{
	operator.Eq:         whole,
	operator.In:         whole,
	operator.Intersects: whole,
	operator.StartsWith: func(s string) string { return s },
	operator.Glob:       literal,
	operator.PMatch:     component,
}

func whole(s string) string { return s + interest.Whole }

// literal is the part of a shell pattern before its first special character.
func literal(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		return pattern[:i]
	}
	return whole(pattern)
}

// component is what a path must begin with that lies at or below the path of a
// pattern, whose slashes at its ends, and repeated ones, do not matter.
func component(pattern string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(pattern, "/") {
		if part == "" {
			continue
		}
		out.WriteByte('/')
		if i := strings.IndexAny(part, `*?[\`); i >= 0 {
			out.WriteString(part[:i])
			break
		}
		out.WriteString(part)
	}
	return out.String()
}

// ascii is a text up to its first byte that is not ASCII: records have bytes
// that are not UTF-8 replaced.
func ascii(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return s[:i]
		}
	}
	return s
}
