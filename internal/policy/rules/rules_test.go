package rules

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

// scalar is the first value of a YAML mapping with its origin.
func scalar(t *testing.T, doc string) (*source, text) {
	t.Helper()
	src := newSource("f.yaml", []byte(doc))
	var n yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(doc), &n))
	return src, textOf(src, n.Content[0].Content[1])
}

// Every non-blank byte of a condition leads back to the same byte of the file.
func TestLocate(t *testing.T) {
	for _, doc := range []string{
		"c: a and b",
		"c:   a and\n     b or\n   c",
		"c: >\n  a and\n    b\n\n  or c\n",
		"c: >-\n  a\n  and b",
		"c: |\n  a and\n   b\n",
		"c: |2\n    a and b\n",
		"c: 'a and b'",
		"c: \"a and b\"",
	} {
		src, cond := scalar(t, doc)
		s := cond.String()
		for i := range len(s) {
			if isBlank(s[i]) {
				continue
			}
			got, at := cond.locate(i)
			require.Same(t, src, got.src)
			require.Equal(t, string(s[i]), string(src.text[at]), "%q at %d of %q", doc, i, s)
		}
		_, end := cond.locate(len(s))
		require.LessOrEqual(t, end, len(doc))
	}
}

func TestTextsFromSeveralPlaces(t *testing.T) {
	one, a := scalar(t, "c: evt.type = open")
	two, b := scalar(t, "c: and LIST or x")
	whole := a.bracketed().joined(b)
	require.Equal(t, "(evt.type = open) and LIST or x", whole.String())
	l := &list{Name: "LIST", joined: "p, q"}
	whole, err := expand(whole, []*list{l})
	require.NoError(t, err)
	require.True(t, l.used)
	require.Equal(t, "(evt.type = open) and p, q or x", whole.String())

	from, at := whole.locate(strings.Index(whole.String(), "open"))
	require.Same(t, one, from.src)
	require.Equal(t, strings.Index(one.text, "open"), at)
	for _, inList := range []string{"p,", "q or"} {
		from, at = whole.locate(strings.Index(whole.String(), inList))
		require.Same(t, two, from.src)
		require.Equal(t, strings.Index(two.text, "LIST"), at, inList)
	}
	_, at = whole.locate(strings.Index(whole.String(), "x"))
	require.Equal(t, strings.Index(two.text, "x"), at)
}

func TestExpand(t *testing.T) {
	for _, tt := range []struct{ cond, joined, want string }{
		{"proc.name in (L)", "a, b", "proc.name in (a, b)"},
		{"proc.name in(L,c)", "a", "proc.name in(a,c)"},
		{"proc.name=L", "a", "proc.name=a"},
		{"x in (aL, L.b, La)", "z", "x in (aL, L.b, La)"},
		{`x = "L" or y = " L "`, "z", `x = "L" or y = " z "`},
		{"x in (L, a)", "", "x in ( a)"},
		{"x in (a, L)", "", "x in (a)"},
		{"x in (L)", "", "x in ()"},
		{"L in (L)\nand x in (\n L\n)", "q", "q in (q)\nand x in (\n q\n)"},
	} {
		_, cond := scalar(t, "c: x")
		cond.pieces[0].s, cond.pieces[0].origin.text = tt.cond, tt.cond
		got, err := expand(cond, []*list{{Name: "L", joined: tt.joined}})
		require.NoError(t, err)
		require.Equal(t, tt.want, got.String(), tt.cond)
	}
}

// Items that name a list are replaced one level deep and only if that list is
// known by then; a later pass over the text may still replace them.
func TestJoinLists(t *testing.T) {
	var col collection
	for _, l := range []*list{
		{Name: "la", Items: []string{"x1", "x 2"}},
		{Name: "lb", Items: []string{"la", "y1"}},
		{Name: "lc", Items: []string{"lb", "later"}},
		{Name: "later", Items: []string{"z"}},
		{Name: "blank", Items: []string{"", "", "z", ""}},
	} {
		col.defineList(l)
	}
	joinLists(col.lists.order)
	require.Equal(t, `x1, "x 2", y1`, col.lists.get("lb").joined)
	require.Equal(t, "la, y1, later", col.lists.get("lc").joined)
	require.Equal(t, "z, ", col.lists.get("blank").joined)
	require.True(t, col.lists.get("la").used)
	_, cond := scalar(t, "c: f.x in (lc)")
	whole, err := expand(cond, col.lists.order)
	require.NoError(t, err)
	require.Equal(t, "f.x in (la, y1, z)", whole.String())
}

func TestPriorities(t *testing.T) {
	for in, want := range map[string]Priority{"emergency": Emergency, "INFO": Informational, "Informational": Informational, "debug": Debug} {
		got, ok := ParsePriority(in)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok := ParsePriority("urgent")
	require.False(t, ok)
	require.Equal(t, "Informational", Informational.String())
}

func TestVersions(t *testing.T) {
	engine, ok := parseVersion(EngineVersion)
	require.True(t, ok)
	for want, ok := range map[string]bool{"0.57.0": true, "0.57.0-rc1": true, "0.57.0.1": true, "0.57.0 beta": true, "0.63.0": true, "0.63.1": false, "0.64.0": false, "1.0.0": false} {
		v, valid := parseVersion(want)
		require.True(t, valid)
		require.Equal(t, ok, engine.satisfies(v), want)
	}
	for _, bad := range []string{"", "1", "1.2", "a.b.c", "1.2.x", "1.2.99999999999"} {
		_, ok := parseVersion(bad)
		require.False(t, ok, bad)
	}
}

func load(t *testing.T, opts *Options, docs ...string) ([]*Rule, []*Result) {
	t.Helper()
	var files []File
	for _, d := range docs {
		files = append(files, File{Name: "f.yaml", Content: []byte(d)})
	}
	return Load(files, opts)
}

const simple = "- rule: r\n  desc: d\n  condition: evt.type = open\n  output: out %proc.name\n  priority: notice\n  tags: [b, a, b]\n  reference: https://example.org\n  remedy: stop it\n"

func TestRuleParts(t *testing.T) {
	got, _ := load(t, &Options{}, simple)
	r := got[0]
	require.Equal(t, []string{"b", "a"}, r.Tags)
	require.Equal(t, "https://example.org", r.Reference)
	require.Equal(t, "stop it", r.Remedy)
	require.Equal(t, "f.yaml", r.File)
	require.Equal(t, 1, r.Line)
	require.Equal(t, []string{"evt.type", "proc.name"}, r.Fields())
	require.Equal(t, "evt.type = open", lang.Print(r.Condition))
}

func TestAppendOutput(t *testing.T) {
	opts := &Options{AppendOutput: []AppendOutput{
		{Tags: []string{"a"}, Text: "by %user.name", Fields: []string{"proc.env"}, Formatted: []NamedFormat{{"who", "%user.uid!"}}},
		{Rule: "other", Text: "never"},
		{Source: "syscall", Suggested: true},
	}}
	got, res := load(t, opts, simple)
	require.True(t, res[0].OK(), res[0])
	require.Equal(t, "out %proc.name by %user.name container_id=%container.id container_name=%container.name "+
		"container_image_repository=%container.image.repository container_image_tag=%container.image.tag "+
		"k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name", got[0].Output.Text)
	require.Len(t, got[0].Extra, 1)
	require.Equal(t, "who", got[0].Formatted[0].Key)
	require.Contains(t, got[0].Fields(), "proc.env")

	for _, bad := range []AppendOutput{{Text: "%no"}, {Fields: []string{"x"}}, {Formatted: []NamedFormat{{"k", "%"}}}} {
		_, res = load(t, &Options{AppendOutput: []AppendOutput{bad}}, simple)
		require.False(t, res[0].OK())
		require.Equal(t, ErrCompileOutput, res[0].Errors[0].Code)
	}
}

// The suggested fields are those that the table marks.
func TestSuggestedFields(t *testing.T) {
	var marked []string
	for _, f := range field.Standard().Rows() {
		if f.Has(field.Suggested) {
			marked = append(marked, f.Name)
		}
	}
	require.ElementsMatch(t, marked, suggested)
}

// A person who mistypes is told all of it at once, and what was probably meant.
func TestTypos(t *testing.T) {
	const parts = "\n  desc: d\n  priority: ERROR\n"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"macro":  {"- macro: opened\n  condition: evt.type = open\n- rule: x\n  condition: openned\n  output: o" + parts, []string{"the macro 'openned' is not defined: did you mean 'opened'?"}},
		"no one": {"- rule: x\n  condition: something\n  output: o" + parts, []string{"the macro 'something' is not defined, neither in this file nor in another one that is loaded with it"}},
		"later":  {"- macro: read\n  condition: opened\n- macro: opened\n  condition: evt.type = open\n- rule: x\n  condition: opened\n  output: o" + parts, []string{"the macro 'opened' is defined further on: macros that use it have to come behind it"}},
		"fields": {
			"- rule: x\n  condition: evt.type = open and proc.nam = a\n  output: '%proc.cmdlin'" + parts,
			[]string{"unknown field proc.cmdlin: did you mean proc.cmdline?", "unknown field proc.nam: did you mean proc.name?"},
		},
		"rule that is changed": {
			"- rule: Shell opened\n  condition: evt.type = open\n  output: o" + parts + "- rule: Shel opened\n  enabled: false\n  override: {enabled: replace}\n",
			[]string{"there is no rule of this name to replace parts of: did you mean 'Shell opened'?"},
		},
		"list that is changed": {
			"- list: shells\n  items: [sh]\n- list: shell\n  items: [zsh]\n  override: {items: append}\n",
			[]string{"there is no list of this name to append to: did you mean 'shells'?"},
		},
		"key": {
			"- rule: x\n  condtion: evt.type = open\n  output: o" + parts,
			[]string{"the key 'condition' is missing", "the key 'condtion' is not known and has no effect: did you mean 'condition'?"},
		},
		"source": {
			"- rule: x\n  condition: evt.type = open\n  source: sycall\n  output: o" + parts,
			[]string{"there are no events of source sycall: the rule has no effect: did you mean 'syscall'?"},
		},
		"kind":      {"- lst: x\n  items: [a]\n", []string{"the item is of no known kind and has no effect: did you mean 'list'?"}},
		"name only": {"- rule: x\n", []string{"the keys 'condition', 'output', 'desc' and 'priority' are missing"}},
	} {
		_, res := load(t, &Options{}, c.file)
		var got []string
		for _, e := range slices.Concat(res[0].Errors, res[0].Warnings) {
			if e.Code != WarnUnusedList {
				got = append(got, e.Message)
			}
		}
		require.Equal(t, c.want, got, name)
	}
}

// TestListThatWasMeant: the misspelled name of a list is a value, of which only the
// list that nothing uses tells.
func TestListThatWasMeant(t *testing.T) {
	const rest = "\n  desc: d\n  output: o\n  priority: INFO\n- list: shells\n  items: [sh]\n- list: others\n  items: [x]\n"
	for cond, want := range map[string]string{
		"evt.type = open and proc.name in (shels, bash)": `: was it meant by 'shels' in the rule "r"?`,
		"evt.type = open and proc.name in (bash)":        "",
	} {
		_, res := load(t, &Options{}, "- rule: r\n  condition: "+cond+rest)
		require.True(t, res[0].OK())
		require.Equal(t, "no rule, macro or other list uses the list 'shells'"+want, res[0].Warnings[0].Message)
		require.Equal(t, "no rule, macro or other list uses the list 'others'", res[0].Warnings[1].Message)
	}
	_, res := load(t, &Options{}, "- macro: m\n  condition: proc.name in (shels)\n- rule: r\n  condition: evt.type = open and m"+rest)
	require.Contains(t, res[0].Warnings[0].Message, `: was it meant by 'shels' in the macro "m"?`)
}

func TestFileThatCannotBeRead(t *testing.T) {
	got, res := Load([]File{{Name: "gone.yaml", Err: errGone}, {Name: "f.yaml", Content: []byte(simple)}}, &Options{})
	require.Nil(t, got)
	require.Equal(t, ErrFileRead, res[0].Errors[0].Code)
	require.True(t, res[1].OK())
	require.Equal(t, "gone.yaml: it is gone (LOAD_ERR_FILE_READ)\n", res[0].String())
}

type gone struct{}

func (gone) Error() string { return "it is gone" }

var errGone = gone{}

func TestJSON(t *testing.T) {
	_, results := load(t, &Options{}, "- rule: r\n  desc: d\n  condition: nosuch.field = 1\n  output: x\n  priority: debug\n  odd: 1\n")
	data, err := JSON(results)
	require.NoError(t, err)
	var got struct {
		Results []struct {
			Name        string
			Successful  bool
			SchemaValid bool `json:"schema_valid"`
			Errors      []struct {
				Code, Codedesc, Message string
				Context                 struct {
					Snippet   string
					Locations []struct {
						ItemType string `json:"item_type"`
						ItemName string `json:"item_name"`
						Position struct {
							Name                 string
							Line, Column, Offset int
						}
					}
				}
			}
			Warnings []struct{ Code string }
		} `json:"falco_load_results"`
	}
	require.NoError(t, json.Unmarshal(data, &got))
	r := got.Results[0]
	require.Equal(t, "f.yaml", r.Name)
	require.False(t, r.Successful)
	require.False(t, r.SchemaValid)
	require.Equal(t, "LOAD_ERR_COMPILE_CONDITION", r.Errors[0].Code)
	require.NotEmpty(t, r.Errors[0].Codedesc)
	require.Equal(t, "  condition: nosuch.field = 1\n             ^\n", r.Errors[0].Context.Snippet)
	var chain []string
	for _, l := range r.Errors[0].Context.Locations {
		chain = append(chain, l.ItemType)
	}
	require.Equal(t, []string{"rules content", "rule", "rule condition", "condition expression"}, chain)
	last := r.Errors[0].Context.Locations[3].Position
	require.Equal(t, []int{3, 14, 33}, []int{last.Line, last.Column, last.Offset})
	require.Equal(t, "LOAD_UNKNOWN_KEY", r.Warnings[0].Code)
}

// A long source line is cut around the place.
func TestSnippet(t *testing.T) {
	src := newSource("f", []byte("short\n"+strings.Repeat("x", 200)+"\n\tend"))
	s := src.snippet(6 + 100)
	lines := strings.Split(s, "\n")
	require.LessOrEqual(t, len(lines[0]), 2*maxSnippet+6)
	require.True(t, strings.HasPrefix(lines[0], "...x"))
	require.Equal(t, 3+maxSnippet, strings.IndexByte(lines[1], '^'))
	require.Equal(t, "\tend\n\t^\n", src.snippet(208))
	require.Equal(t, "short\n    ^\n", src.snippet(5))
}

// Of a mapping with the same key twice, the first counts; aliases are followed.
func TestYAMLDetails(t *testing.T) {
	got, res := load(t, &Options{}, "- list: l\n  items: &it [1, true, 0x1F]\n- list: m\n  items: *it\n"+
		"- rule: r\n  desc: d\n  desc: e\n  condition: evt.type = open and proc.name in (l, m)\n  output: x\n  priority: debug\n  enabled: No\n---\n---\n- \n")
	require.True(t, res[0].OK(), res[0])
	require.Equal(t, "d", got[0].Desc)
	require.False(t, got[0].Enabled)
	require.Equal(t, "(evt.type = open and proc.name in (1, true, 0x1F, 1, true, 0x1F))", lang.Print(got[0].Condition))
}

// Characters that YAML does not take are told with their place, and shown
// without what they would do to a terminal.
func TestRefusedCharacters(t *testing.T) {
	for _, tt := range []struct{ line, snippet, msg string }{
		{"  output: caf\xe9 x\n", "  output: caf\uFFFD x\n             ^\n", `"\xe9"`},
		{"  output: \x1b[31m\n", "  output: \uFFFD[31m\n          ^\n", `"\x1b"`},
		{"  # \x7f\n", "  # \uFFFD\n    ^\n", `"\x7f"`},
	} {
		_, results := load(t, &Options{}, "- rule: r\n"+tt.line)
		require.Len(t, results[0].Errors, 1, tt.line)
		issue := &results[0].Errors[0]
		require.Equal(t, ErrYAMLParse, issue.Code)
		require.Equal(t, 2, issue.Position().Line, tt.line)
		require.Contains(t, issue.Message, tt.msg)
		require.Equal(t, tt.snippet, issue.Snippet)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(simple)
	f.Add("- macro: m\n  condition: m\n- list: l\n  items: [a]\n")
	f.Add("- rule: r\n  exceptions: [{name: e, fields: [proc.name], comps: [in], values: [[[a]]]}]\n  append: true\n")
	f.Add("- rule: r\n  override: {condition: append}\n  condition: >\n    and proc.name = x\n")
	f.Fuzz(func(t *testing.T, doc string) {
		if len(doc) > 1<<12 {
			return
		}
		got, res := Load([]File{{Name: "f", Content: []byte(simple)}, {Name: "g", Content: []byte(doc)}}, &Options{})
		if res[1].OK() {
			require.NotNil(t, got)
		}
		for _, group := range [][]Issue{res[1].Errors, res[1].Warnings} {
			for i := range group {
				require.NotEmpty(t, group[i].String())
				require.LessOrEqual(t, group[i].Position().Offset, max(len(doc), len(simple)))
			}
		}
		_, err := JSON(res)
		require.NoError(t, err)
	})
}
