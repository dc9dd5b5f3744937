package policy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
)

// casesDir is a directory with cases of the reference implementation, one JSON
// object per line. Without it the reduced set in testdata is used.
func casesDir() string {
	if dir := os.Getenv("SIGHTGLASS_FALCO_CASES"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "cases")
}

// eachCase reads the lines of one file of cases.
func eachCase[T any](t *testing.T, name string, run func(t *testing.T, c *T)) {
	t.Helper()
	f, err := os.Open(filepath.Join(casesDir(), name))
	if os.IsNotExist(err) {
		t.Skipf("%s has no %s", casesDir(), name)
	}
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var c T
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		run(t, &c)
	}
	require.NoError(t, lines.Err())
}

// mock has the fields that some cases use instead of real ones.
var mock = []field.Field{
	{Name: "c.true", Type: field.CharBuf, Doc: "the text 1"},
	{Name: "c.false", Type: field.CharBuf, Doc: "the text 0"},
	{Name: "c.buffer", Type: field.ByteBuf, Doc: "no bytes"},
	{Name: "c.doublequote", Type: field.CharBuf, Doc: "a text with double quotes"},
	{Name: "c.singlequote", Type: field.CharBuf, Doc: "a text with single quotes"},
}

func mockTable() *field.Table { return field.Standard().With(mock) }

func addMockValues(in *policy.EvalInput) {
	var values map[string]policy.EvalField
	err := json.Unmarshal([]byte(`{
		"c.true": {"type": "CHARBUF", "value": "1"},
		"c.false": {"type": "CHARBUF", "value": "0"},
		"c.doublequote": {"type": "CHARBUF", "value": "hello \"quoted\""},
		"c.singlequote": {"type": "CHARBUF", "value": "hello 'quoted'"}}`), &values)
	if err != nil {
		panic(err)
	}
	in.Fields = values
}

func TestCasesParse(t *testing.T) {
	type parseCase struct {
		Filter string `json:"filter"`
		Accept bool   `json:"accept"`
	}
	eachCase(t, "filter_parse.jsonl", func(t *testing.T, c *parseCase) {
		t.Helper()
		res := policy.ParseFilter(c.Filter)
		require.Equal(t, c.Accept, res.OK, "%s: %s", c.Filter, res.Error)
		if res.OK {
			again := policy.ParseFilter(res.AST)
			require.Equal(t, res.AST, again.AST, c.Filter)
		} else {
			require.Positive(t, res.Column, c.Filter)
		}
	})
}

type evalCase struct {
	policy.EvalInput
	Result string `json:"result"`
}

// deviations are cases whose verdict differs on purpose; the README says why.
var deviations = map[string]bool{
	`evt.buffer = "a\x00b"`:       true,
	`evt.buffer bstartswith 6100`: true,
}

func TestCasesEval(t *testing.T) {
	eachCase(t, "filter_eval.jsonl", func(t *testing.T, c *evalCase) {
		t.Helper()
		got, err := policy.EvalFilter(&c.EvalInput)
		if err != nil {
			t.Error(err, c.Filter)
			return
		}
		if deviations[c.Filter] {
			return
		}
		if (c.Result == "true") != got {
			t.Errorf("%s over %v: got %v", c.Filter, c.Fields, got)
		}
	})
}

func TestCasesBool(t *testing.T) {
	eachCase(t, "filter_bool.jsonl", func(t *testing.T, c *evalCase) {
		t.Helper()
		addMockValues(&c.EvalInput)
		got, err := policy.EvalFilterWith(mockTable(), &c.EvalInput)
		if err != nil {
			t.Error(err, c.Filter)
			return
		}
		require.Equal(t, c.Result == "true", got, c.Filter)
	})
}

func TestCasesCompile(t *testing.T) {
	eachCase(t, "filter_compile.jsonl", func(t *testing.T, c *evalCase) {
		t.Helper()
		_, err := policy.EvalFilterWith(mockTable(), &c.EvalInput)
		if c.Result == "ok" {
			require.NoError(t, err, c.Filter)
		} else {
			require.Error(t, err, c.Filter)
		}
	})
}

// What the operators, transformers and types make of values, beside the cases
// of the reference: one line each, the result true, false or error.
func TestEvalValues(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "eval_values.jsonl"))
	require.NoError(t, err)
	for line := range bytes.Lines(data) {
		var c evalCase
		require.NoError(t, json.Unmarshal(line, &c))
		got, err := policy.EvalFilter(&c.EvalInput)
		result := strconv.FormatBool(got)
		if err != nil {
			result = "error"
		}
		require.Equal(t, c.Result, result, "%s: %v", line, err)
	}
}
