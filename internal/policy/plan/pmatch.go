package plan

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
)

// pathTree finds whether a path begins with one of many paths, component by
// component. Components with wildcards match within one component.
type pathTree struct {
	ends  bool // a search path ends here: everything below matches
	names map[string]*pathTree
	globs []globChild
}

type globChild struct {
	pattern string
	tree    *pathTree
}

func newPathTree(values []check.Constant) pred {
	root := &pathTree{}
	for i := range values {
		root.add(values[i].Text)
	}
	return root
}

func (t *pathTree) add(path string) {
	for path != "" && !t.ends {
		var part string
		if part, path = nextPart(path); part != "" {
			t = t.child(part)
		}
	}
	t.ends, t.names, t.globs = true, nil, nil
}

func (t *pathTree) child(part string) *pathTree {
	if strings.ContainsAny(part, "?*[") {
		for _, g := range t.globs {
			if g.pattern == part {
				return g.tree
			}
		}
		next := &pathTree{}
		t.globs = append(t.globs, globChild{part, next})
		return next
	}
	next := t.names[part]
	if next == nil {
		next = &pathTree{}
		if t.names == nil {
			t.names = map[string]*pathTree{}
		}
		t.names[part] = next
	}
	return next
}

// nextPart cuts the first component off a path; it is empty where slashes
// follow each other.
func nextPart(path string) (part, rest string) {
	part, rest, _ = strings.Cut(path, "/")
	return part, rest
}

func (t *pathTree) test(v *field.Value) bool { return t.match(v.Text) }

func (t *pathTree) match(path string) bool {
	for !t.ends {
		var part string
		for part == "" {
			if path == "" {
				return false
			}
			part, path = nextPart(path)
		}
		for _, g := range t.globs {
			if field.Glob(g.pattern, part, false) && g.tree.match(path) {
				return true
			}
		}
		if t = t.names[part]; t == nil {
			return false
		}
	}
	return true
}
