package index

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// named is a source in which only the process' name and directory are known.
type named struct {
	field.Values
	name, cwd string
}

func (s *named) String(a field.Attr) (string, bool) {
	switch a {
	case field.AttrProcName:
		return s.name, s.name != ""
	case field.AttrProcCwd:
		return s.cwd, true
	default:
		return "", false
	}
}

// randomCondition is a tree of depth at most n over the type, the name and the
// directory.
func randomCondition(r *rand.Rand, n int) string {
	leaves := []string{
		"evt.type = open", "evt.type in (open, openat)", "evt.type != close", "evt.type = close", "evt.num > 0", "evt.num = 0",
		"proc.name = a", "proc.name in (a, b)", "proc.name != b", "proc.name exists", "proc.cwd startswith /x", "proc.cwd contains y",
		"proc.cwd pmatch (/x/y, /y)", "proc.cwd pmatch (y/)", "proc.cwd glob /x/*", "proc.cwd in (/x, /y)", "proc.cwd = x/y",
		"proc.cwd startswith anyof (/y/a, /y/b)", "proc.cwd startswith /x/y/",
	}
	if n == 0 || r.IntN(4) == 0 {
		return leaves[r.IntN(len(leaves))]
	}
	if r.IntN(4) == 0 {
		return "not (" + randomCondition(r, n-1) + ")"
	}
	var parts []string
	for range 2 + r.IntN(2) {
		parts = append(parts, randomCondition(r, n-1))
	}
	return "(" + strings.Join(parts, []string{" and ", " or "}[r.IntN(2)]) + ")"
}

// What the index leaves out never matches, whatever the conditions: its answer
// is that of every condition evaluated on its own.
func TestTheIndexChangesNoVerdict(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := plan.NewBuilder(nil)
		var rules []Rule
		var conditions []string
		for range 40 {
			text := randomCondition(r, 3)
			if r.IntN(2) == 0 {
				text = "evt.type in (open, openat) and proc.cwd startswith /x and " + text // a gate and a lookup
			}
			e, err := lang.Parse(text, lang.DepthDefault)
			require.NoError(t, err)
			res, err := check.Check(e, field.Standard())
			require.NoError(t, err)
			rules = append(rules, Rule{Types: Of(res.Expr), Cond: b.Add(res.Expr)})
			conditions = append(conditions, text)
		}
		c := b.Build().NewContext()
		x := New(b, rules)
		scratch := x.NewScratch()
		for _, event := range []string{"open", "openat", "close", "ptrace", ""} {
			for _, name := range []string{"", "a", "b", "c"} {
				for _, cwd := range []string{"/x/y", "/x", "/y", "/", "", "x/y", "//x//y", "/x/yy", "/y/ab/c", "/x/y/"} {
					e, _ := events.ByName(event)
					c.Begin(&named{Values: field.Values{Event: event}, name: name, cwd: cwd}, e)
					got := map[int]bool{}
					x.Match(c, scratch, func(n int) bool { got[n] = true; return true })
					for n := range rules {
						if e == nil && rules[n].Types.Len() < events.Count() {
							continue // of an unknown type nothing is known
						}
						require.Equal(t, rules[n].Cond.Node().Eval(c), got[n], "%s %q %q: %s", event, name, cwd, conditions[n])
					}
				}
			}
		}
	}
}
