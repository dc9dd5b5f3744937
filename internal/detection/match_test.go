package detection

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
)

const oneRule = `
- rule: Cat ran
  desc: >
    Somebody ran cat.
  remedy: >
    Ask them.
  reference: https://example.org/cat
  condition: evt.type = execve
  output: cat ran (type=%evt.type upper=%toupper(evt.type) pid=%proc.pid)
  priority: WARNING
  tags: [process, T1059]
`

func TestOfMatch(t *testing.T) {
	set, res := policy.Load([]policy.File{{Name: "/etc/rules.d/own.rules.yaml", Content: []byte(oneRule)}}, nil)
	require.NoError(t, res.Err())
	var got []Alert
	set.Match(&field.Values{Event: "execve"}, func(m *policy.Match) { got = append(got, OfMatch(m)) })
	want := Alert{
		Rule: "Cat ran", RuleSet: "own.rules", Description: "Somebody ran cat.", Reference: "https://example.org/cat",
		Remedy: "Ask them.", Priority: "Warning", Source: "syscall", Tags: []string{"process", "T1059"},
		Output: "cat ran (type=execve upper=EXECVE pid=<NA>)",
		Fields: []Field{{"evt.type", "execve"}, {"proc.pid", "<NA>"}},
	}
	require.Equal(t, []Alert{want}, got)

	want.Output, want.Fields = "", nil
	require.Equal(t, want, OfRule(set.Rules()[0]))
}

func TestRuleSet(t *testing.T) {
	for file, want := range map[string]string{
		"/etc/sightglass/rules.d/web.yaml": "web", "web.yaml": "web", "web": "web", "a.b.yml": "a.b",
	} {
		require.Equal(t, want, RuleSet(file))
	}
}
