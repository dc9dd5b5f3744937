package explain

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/otelcol"
)

func TestParseWhatIsNotKnown(t *testing.T) {
	require.Equal(t, []problem{{what: "something new"}}, parse("failed to get config: something new"))
	require.Equal(t, []problem{{path: []string{"exporters"}, what: "does odd things"}},
		parse("failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'exporters' does odd things"))
	require.Equal(t, []problem{{what: "odd"}},
		parse("cannot unmarshal the configuration: decoding failed due to the following error(s):\n\nodd"))
}

func TestParseSiblings(t *testing.T) {
	got := parse("cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'exporters' error reading configuration for \"x/1\": decoding failed due to the following error(s):\n\n'a' expected type 'bool', got unconvertible type 'map[string]interface {}'\n'b' expected type '[]string', got unconvertible type 'float64'")
	require.Equal(t, []problem{
		{path: []string{"exporters", "x/1", "a"}, what: "wants true or false, got a block of keys"},
		{path: []string{"exporters", "x/1", "b"}, what: "wants a list, got a number"},
	}, got)
}

func TestAnchorsAndAliasesAreFollowed(t *testing.T) {
	d := NewDocument("x", []byte("a: &block\n  b: 1\nc: *block\n"))
	line, err := d.find([]string{"c", "b"})
	require.NoError(t, err)
	require.Equal(t, 2, line)
	line, err = d.find([]string{"c", "z"})
	require.ErrorIs(t, err, errNoNode)
	require.Equal(t, 3, line)
}

func FuzzExplain(f *testing.F) {
	f.Add("failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'exporters' error reading configuration for \"terminal\": decoding failed due to the following error(s):\n\n'terminalexporter.Config' has invalid keys: colr", "exporters: {terminal: {colr: 1}}")
	f.Add("service::pipelines::logs: references exporter \"foo\" which is not configured", "service: [1, 2]")
	f.Add("invalid configuration: exporters::a: b: c\nd", "\t")
	f.Fuzz(func(t *testing.T, message, document string) {
		require.NotPanics(t, func() {
			_ = Explain(errText(message), []Document{NewDocument("x", []byte(document))}, otelcol.Factories{})
		})
		if message != "" {
			for _, p := range parse(message) {
				require.NotEmpty(t, p.what)
			}
		}
	})
}

type errText string

func (e errText) Error() string { return string(e) }
