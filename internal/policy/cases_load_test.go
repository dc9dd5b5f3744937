package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

type loadCase struct {
	ID       string            `json:"id"`
	Files    []string          `json:"files"`
	Expect   string            `json:"expect"`
	Compiled map[string]string `json:"compiled_condition"`
	Enabled  *int              `json:"num_enabled_rules"`
	Oracle   struct {
		Loads    bool        `json:"loads"`
		Errors   []loadIssue `json:"errors"`
		Warnings []loadIssue `json:"warnings"`
	} `json:"oracle"`
}

// loadIssue is an issue by its kind and the items that lead to it.
type loadIssue struct {
	Code string      `json:"code"`
	Item [][2]string `json:"item"`
}

func issuesOf(found []rules.Issue, items bool) (out []loadIssue) {
	for i := range found {
		issue := loadIssue{Code: string(found[i].Code)}
		for _, l := range found[i].Locations {
			if items {
				issue.Item = append(issue.Item, [2]string{l.ItemType, l.ItemName})
			}
		}
		out = append(out, issue)
	}
	return out
}

func codes(issues []loadIssue) (out []string) {
	for _, i := range issues {
		out = append(out, i.Code)
	}
	slices.Sort(out)
	return out
}

func TestCasesLoad(t *testing.T) {
	eachCase(t, "rule_load.jsonl", func(t *testing.T, c *loadCase) {
		t.Helper()
		var files []policy.File
		for i, f := range c.Files {
			files = append(files, policy.File{Name: strconv.Itoa(i) + ".yaml", Content: []byte(f)})
		}
		set, res := policy.Load(files, nil)
		require.Equal(t, c.Expect == "load", res.OK(), "%s: %s", c.ID, res)
		if c.Oracle.Loads == (c.Expect == "load") {
			var errs, warnings []loadIssue
			for _, f := range res.Files {
				errs = append(errs, issuesOf(f.Errors, true)...)
				warnings = append(warnings, issuesOf(f.Warnings, false)...)
			}
			require.ElementsMatch(t, c.Oracle.Errors, errs, "%s: %s", c.ID, res)
			require.Equal(t, codes(c.Oracle.Warnings), codes(warnings), "%s: %s", c.ID, res)
		}
		if set != nil {
			checkRules(t, c, set)
		}
	})
}

func checkRules(t *testing.T, c *loadCase, set *policy.RuleSet) {
	t.Helper()
	enabled := 0
	for _, r := range set.Rules() {
		if r.Enabled {
			enabled++
		}
		if want, ok := c.Compiled[r.Name]; ok {
			require.Equal(t, want, lang.Print(r.Condition), c.ID)
		}
	}
	if c.Enabled != nil {
		require.Equal(t, *c.Enabled, enabled, c.ID)
	}
}

// stockFiles are the rule files of the directory named by the environment.
func stockFiles(tb testing.TB) []policy.File {
	tb.Helper()
	dir := os.Getenv("SIGHTGLASS_FALCO_RULES")
	if dir == "" {
		tb.Skip("SIGHTGLASS_FALCO_RULES names no directory with Falco's stock rule files")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	slices.SortFunc(paths, func(a, b string) int { return len(a) - len(b) })
	var files []policy.File
	for _, p := range paths {
		data, err := os.ReadFile(p)
		require.NoError(tb, err)
		files = append(files, policy.File{Name: filepath.Base(p), Content: data})
	}
	return files
}

func TestStockRulesLoadUnmodified(t *testing.T) {
	files := stockFiles(t)
	set, res := policy.Load(files, nil)
	require.True(t, res.OK(), res)
	for _, f := range res.Files {
		for i := range f.Warnings {
			require.Equal(t, rules.WarnUnusedList, f.Warnings[i].Code, "%s: a list that nothing uses is all there is to warn of", res)
		}
	}
	require.Greater(t, len(set.Rules()), 50)
	for _, r := range set.Rules() {
		require.LessOrEqual(t, r.Types.Len(), 20, r.Name)
	}
	require.True(t, set.Wants("execve"))
	require.False(t, set.Wants("read"))
}
