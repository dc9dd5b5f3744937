package policytest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

// Run runs every script in a directory, each as a test of its own.
//
//	# comment
//	load [NAME]            an indented rule file; further ones add to it
//	issues                 indented: what loading tells, one a line, in order:
//	                       CODE LINE:COLUMN [text that the message contains]
//	clear                  forgets what was loaded
//	all / first            how many rules may match
//	event TYPE             indented: the event's attributes, NAME = JSON
//	expect                 indented: RULE, or RULE: OUTPUT, for each match
//	expect none
//	filter CONDITION       evaluated over the event; then one of
//	=> true | => false | => error [text]
func Run(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.test"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "no scripts in %s", dir)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".test"), func(t *testing.T) {
			data, err := os.ReadFile(f)
			require.NoError(t, err)
			RunScript(t, f, string(data))
		})
	}
}

// RunScript runs one script.
func RunScript(t *testing.T, name, text string) {
	t.Helper()
	s := script{t: t, name: name, opts: &policy.Options{}, event: NewEvent("openat")}
	for _, c := range split(text) {
		s.at = fmt.Sprintf("%s:%d", filepath.Base(name), c.line)
		s.run(c)
	}
}

// command is one directive with its indented block.
type command struct {
	line  int
	words string
	block []string
}

func split(text string) []command {
	var out []command
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case line != "" && line[0] != ' ' && line[0] != '\t':
			out = append(out, command{line: i + 1, words: strings.TrimSpace(line)})
		case len(out) > 0:
			c := &out[len(out)-1]
			c.block = append(c.block, line)
		}
	}
	return out
}

// lines are the lines of a block that are not empty, without indentation.
func (c *command) lines() []string {
	var out []string
	for _, l := range c.block {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}

type script struct {
	t      *testing.T
	name   string
	at     string
	opts   *policy.Options
	files  []policy.File
	set    *policy.RuleSet
	result *policy.Result
	event  *Event
	filter string
}

func (s *script) run(c command) {
	verb, rest, _ := strings.Cut(c.words, " ")
	switch verb {
	case "load":
		s.load(rest, c)
	case "issues":
		s.issues(c)
	case "clear":
		s.files, s.set = nil, nil
	case "all", "first":
		s.opts.All = verb == "all"
	case "event":
		s.event = NewEvent(rest)
		for _, l := range c.lines() {
			require.NoError(s.t, s.event.setLine(l), s.at)
		}
	case "expect":
		s.expect(c)
	case "filter":
		s.filter = rest
	case "=>":
		s.verdict(rest)
	default:
		s.t.Fatalf("%s: unknown directive %q", s.at, verb)
	}
}

func (s *script) load(name string, c command) {
	if name == "" {
		name = "rules" + strconv.Itoa(len(s.files)+1) + ".yaml"
	}
	indent := 0
	for _, l := range c.block {
		if n := len(l) - len(strings.TrimLeft(l, " ")); l != "" {
			indent = n
			break
		}
	}
	var b strings.Builder
	for _, l := range c.block {
		b.WriteString(l[min(indent, len(l)):] + "\n")
	}
	s.files = append(s.files, policy.File{Name: name, Content: []byte(b.String())})
	s.set, s.result = policy.Load(s.files, s.opts)
}

// issues holds the issues of the last file against the expected ones: errors
// first, then warnings.
func (s *script) issues(c command) {
	require.NotNil(s.t, s.result, s.at)
	last := s.result.Files[len(s.result.Files)-1]
	got := append(append([]rules.Issue{}, last.Errors...), last.Warnings...)
	want := c.lines()
	var have []string
	for i := range got {
		have = append(have, got[i].String())
	}
	require.Len(s.t, got, len(want), "%s:\n%s", s.at, strings.Join(have, ""))
	for i, w := range want {
		parts := strings.SplitN(w, " ", 3)
		pos := got[i].Position()
		require.Equal(s.t, parts[0], string(got[i].Code), "%s: %s", s.at, have[i])
		if len(parts) > 1 {
			require.Equal(s.t, parts[1], fmt.Sprintf("%d:%d", pos.Line, pos.Column), "%s: %s", s.at, have[i])
		}
		if len(parts) > 2 {
			require.Contains(s.t, have[i], parts[2], s.at)
		}
	}
}

// expect matches the event and holds the matches against the expected ones.
func (s *script) expect(c command) {
	require.NotNil(s.t, s.set, "%s: no rules: %s", s.at, s.result)
	var names, outputs []string
	s.set.Match(s.event, func(m *policy.Match) {
		names, outputs = append(names, m.Rule.Name), append(outputs, m.Output())
	})
	if c.words == "expect none" {
		require.Empty(s.t, names, s.at)
		return
	}
	want := c.lines()
	require.Len(s.t, names, len(want), "%s: matched %q", s.at, names)
	for i, w := range want {
		name, out, hasOut := strings.Cut(w, ": ")
		require.Equal(s.t, name, names[i], s.at)
		if hasOut {
			require.Equal(s.t, out, outputs[i], s.at)
		}
	}
}

// verdict evaluates the filter by loading it as the condition of a rule.
func (s *script) verdict(want string) {
	text := "- rule: filter\n  desc: x\n  priority: debug\n  output: x\n  warn_evttypes: false\n  condition: >-\n    " + s.filter + "\n"
	files := append(slices.Clip(s.files), policy.File{Name: "filter.yaml", Content: []byte(text)})
	opts := *s.opts
	opts.All = true
	set, res := policy.Load(files, &opts)
	if msg, isError := strings.CutPrefix(want, "error"); isError {
		require.Nil(s.t, set, "%s: %s is accepted", s.at, s.filter)
		require.Contains(s.t, res.String(), strings.TrimSpace(msg), s.at)
		return
	}
	require.NotNil(s.t, set, "%s: %s", s.at, res)
	matched := false
	set.Match(s.event, func(m *policy.Match) { matched = matched || m.Rule.Name == "filter" })
	require.Equal(s.t, want, strconv.FormatBool(matched), "%s: %s", s.at, s.filter)
}
