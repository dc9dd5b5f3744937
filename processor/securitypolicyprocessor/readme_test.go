package securitypolicyprocessor

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/sightglass/sightglass/internal/policy"
)

// yamlBlocks are the YAML examples of the manual.
func yamlBlocks(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var blocks []string
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, ok := strings.Cut(part, "```")
		require.True(t, ok)
		blocks = append(blocks, block)
	}
	return blocks
}

// What the manual shows works: its rules load together, its configurations are
// valid.
func TestTheManualsExamples(t *testing.T) {
	var files []policy.File
	configurations := 0
	for _, block := range yamlBlocks(t) {
		if strings.HasPrefix(block, "- ") {
			files = append(files, policy.File{Name: "README.md", Content: []byte(block)})
			continue
		}
		if !strings.HasPrefix(block, "processors:") { // keys of one processor
			block = "processors:\n  security_policy:\n" + block
		}
		parsed, err := confmap.NewRetrievedFromYAML([]byte(block))
		require.NoError(t, err, block)
		conf, err := parsed.AsConf()
		require.NoError(t, err, block)
		processors, err := conf.Sub("processors")
		require.NoError(t, err)
		for name := range processors.ToStringMap() {
			sub, err := processors.Sub(name)
			require.NoError(t, err)
			cfg := createDefaultConfig().(*Config)
			require.NoError(t, sub.Unmarshal(cfg), block)
			require.NoError(t, confmap.Validate(cfg), block)
			configurations++
		}
	}
	require.GreaterOrEqual(t, configurations, 4)
	set, res := policy.Load(files, nil)
	require.NoError(t, res.Err())
	require.Empty(t, res.String(), "no warnings either")
	require.Equal(t, 1, set.Len())
	require.Equal(t, "Warning", set.Rules()[0].Priority.String(), "the second example changes the first")
}
