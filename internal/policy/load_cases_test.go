package policy_test

import (
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

type loadCase struct {
	ID       string            `json:"id"`
	Files    []string          `json:"files"`
	Expect   string            `json:"expect"`
	Compiled map[string]string `json:"compiled_condition"`
	Oracle   struct {
		Loads  bool `json:"loads"`
		Errors []struct {
			Code string      `json:"code"`
			Item [][2]string `json:"item"`
		} `json:"errors"`
		Warnings []struct {
			Code string `json:"code"`
		} `json:"warnings"`
	} `json:"oracle"`
	Enabled *int `json:"num_enabled_rules"`
}

func TestCasesLoad(t *testing.T) {
	eachCase(t, "rule_load.jsonl", func(t *testing.T, c *loadCase) {
		t.Helper()
		var files []rules.File
		for i, f := range c.Files {
			files = append(files, rules.File{Name: string(rune('a'+i)) + ".yaml", Content: []byte(f)})
		}
		got, results := rules.Load(files, &rules.Options{})
		var errs, warns, text []string
		for _, r := range results {
			for i := range r.Errors {
				e := &r.Errors[i]
				var items []string
				for _, l := range e.Locations {
					items = append(items, l.ItemType+"="+l.ItemName)
				}
				errs = append(errs, string(e.Code)+" "+strings.Join(items, " "))
			}
			for i := range r.Warnings {
				warns = append(warns, string(r.Warnings[i].Code))
			}
			text = append(text, r.String())
		}
		var wantErrs, wantWarns []string
		for _, e := range c.Oracle.Errors {
			var items []string
			for _, l := range e.Item {
				items = append(items, l[0]+"="+l[1])
			}
			wantErrs = append(wantErrs, e.Code+" "+strings.Join(items, " "))
		}
		for _, w := range c.Oracle.Warnings {
			wantWarns = append(wantWarns, w.Code)
		}
		sort.Strings(warns)
		sort.Strings(wantWarns)
		if c.Expect == "load" && !c.Oracle.Loads {
			t.Log("oracle fails", c.ID)
		} else {
			if strings.Join(errs, "\n") != strings.Join(wantErrs, "\n") {
				t.Errorf("%s:\n got %v\nwant %v", c.ID, errs, wantErrs)
			}
			if strings.Join(warns, " ") != strings.Join(wantWarns, " ") {
				t.Errorf("%s:\n got %v\nwant %v", c.ID, warns, wantWarns)
			}
		}
		require.Equal(t, c.Expect == "load", len(errs) == 0, "%s: %s", c.ID, text)
		byName := map[string]*rules.Rule{}
		enabled := 0
		for _, r := range got {
			byName[r.Name] = r
			if r.Enabled {
				enabled++
			}
		}
		for name, want := range c.Compiled {
			if g := lang.Print(byName[name].Condition); g != want {
				t.Errorf("%s: %s\nwant %s", c.ID, g, want)
			}
		}
		if c.Enabled != nil && c.Expect == "load" {
			require.Equal(t, *c.Enabled, enabled, c.ID)
		}
		if len(errs)+len(warns) > 0 {
			t.Log(strings.Join(text, ""))
		}
	})
}
