package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A scope stands in the conditions of all rules; what is wrong with it is told
// once, and not as a mistake of the first of them.
func TestMistakesInScopes(t *testing.T) {
	for _, tt := range []struct {
		name, scope, own, options string
		want                      string // the only error
	}{
		{"field of a file's", "k8s.ns.nam = shop", "", "", `x.yaml:1:10: scope of the file: unknown field k8s.ns.nam: did you mean k8s.ns.name?`},
		{"syntax of a file's", "k8s.ns.name =", "", "", `x.yaml:1:`},
		{"macro of a file's", "production", "", "", `x.yaml:1:10: scope of the file: `},
		{"field of a rule's", "", "k8s.ns.nam = shop", "", `x.yaml:3:10: rule "a": unknown field k8s.ns.nam`},
		{"field of the options'", "", "", "k8s.ns.nam = shop", `scope:1:1: unknown field k8s.ns.nam`},
	} {
		doc := ""
		if tt.scope != "" {
			doc = "- scope: " + tt.scope + "\n"
		}
		for _, name := range []string{"a", "b"} {
			doc += "- rule: " + name + "\n  desc: x\n"
			if tt.own != "" && name == "a" {
				doc += "  scope: " + tt.own + "\n"
			}
			doc += "  condition: evt.type = open\n  output: x\n  priority: debug\n"
		}
		_, results := Load([]File{{Name: "x.yaml", Content: []byte(doc)}}, &Options{Scope: tt.options})
		require.Len(t, results[0].Errors, 1, tt.name)
		got := results[0].Errors[0]
		require.Truef(t, strings.HasPrefix(got.Line(), tt.want), "%s: %s", tt.name, got.Line())
		_, item := got.Item()
		require.Equal(t, tt.own != "", item != "", "%s: blames %q", tt.name, item)
	}
}
