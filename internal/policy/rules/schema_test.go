package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The verdict about the schema is another than the one about loading: neither
// follows from the other.
func TestSchema(t *testing.T) {
	const rule = "- rule: r\n  desc: d\n  condition: evt.type = close\n  output: x\n  priority: INFO\n"
	for _, tt := range []struct {
		doc  string
		want []string
		ok   bool // whether the file loads
	}{
		{"", nil, true},
		{rule, nil, true},
		{rule + "  capture: \"yes\"\n", []string{"/0/capture must be true or false"}, true},
		{rule + "  capture_duration: 1s\n", []string{"/0/capture_duration must be a whole number"}, false},
		{rule + "  typo: 1\n", []string{"/0 has the unknown key 'typo'"}, true},
		{"- list: l\n  items: [a, 1]\n  priority: INFO\n", nil, true},
		{"- list: l\n  items: [a]\n  overridden:\n    items: append\n", []string{"/0 has the unknown key 'overridden'"}, true},
		{"- required_engine_version: seven\n", nil, false},
		{"- required_engine_version: 26\n", nil, true},
		{
			"- required_plugin_versions:\n  - name: a\n    alternatives: [{name: b, version: 1.0.0, x: 1}]\n",
			[]string{"/0/required_plugin_versions/0/alternatives/0 has the unknown key 'x'", "/0/required_plugin_versions/0 has no key 'version'"},
			false,
		},
		{rule + "- rule: r\n  priority: DEBUG\n  override: {priority: append}\n", nil, false},
		{
			rule + "- rule: r\n  priority: debug\n  override: {priority: change}\n",
			[]string{
				"/1/priority must be one of INFO, EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL, DEBUG",
				"/1/override/priority must be one of append, replace",
			},
			false,
		},
		{rule + "  exceptions:\n  - name: e\n    fields: proc.name\n    value: [a]\n", []string{"/0/exceptions/0 has the unknown key 'value'"}, true},
		{"a: 1\n", []string{"must be a sequence"}, false},
		{"- [\n", []string{"the file is not YAML"}, false},
		{"- ~\n- a\n", []string{"/1 must be a mapping"}, false},
	} {
		_, results := load(t, &Options{}, tt.doc)
		require.Equal(t, tt.want, results[0].schema, tt.doc)
		require.Equal(t, tt.ok, results[0].OK(), tt.doc)
	}
}
