package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMinimumPriority(t *testing.T) {
	least := Warning
	got, res := load(t, &Options{MinPriority: &least}, simple)
	require.True(t, res[0].OK())
	require.Empty(t, got)
	_, res = load(t, &Options{MinPriority: &least}, strings.ReplaceAll(simple, "open", "nosuch"))
	require.False(t, res[0].OK(), "what is left out must be right")
	_, res = load(t, &Options{MinPriority: &least}, "- macro: m\n  condition: evt.type = open\n"+strings.ReplaceAll(simple, "evt.type = open", "m"))
	require.True(t, res[0].OK(), res[0])
	require.Empty(t, res[0].Warnings, "what is left out still uses macros")
}

func TestFoldedOutput(t *testing.T) {
	got, res := load(t, &Options{}, strings.ReplaceAll(simple, "output: out", "output: >\n   out")+
		"- rule: r\n  output: >\n    and\n  override: {output: append}\n- rule: r\n  output: more\n  override: {output: append}\n")
	require.True(t, res[0].OK(), res[0])
	require.Equal(t, "out %proc.name and more", got[0].Output.Text)
}
