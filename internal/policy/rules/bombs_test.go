package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A few lines that would grow beyond any memory are refused by name.
func TestBombs(t *testing.T) {
	const doublings = 40
	var lists, macros strings.Builder
	for i := doublings; i > 0; i-- { // each is replaced by a later pass
		fmt.Fprintf(&lists, "- list: l%d\n  items: [l%d, l%d]\n", i, i-1, i-1)
	}
	lists.WriteString("- list: l0\n  items: [x, y]\n")
	macros.WriteString("- macro: m0\n  condition: evt.type = open\n")
	for i := 1; i <= doublings; i++ {
		fmt.Fprintf(&macros, "- macro: m%d\n  condition: (m%d or m%d)\n", i, i-1, i-1)
	}
	rule := "- rule: Bomb\n  desc: d\n  condition: %s\n  output: o\n  priority: ERROR\n"
	for name, tt := range map[string]struct{ file, want string }{
		"lists": {
			lists.String() + fmt.Sprintf(rule, fmt.Sprintf("evt.type = open and proc.name in (l%d)", doublings)),
			`rule "Bomb": the condition is too long with its lists: `,
		},
		"macros": {
			macros.String() + fmt.Sprintf(rule, fmt.Sprintf("m%d", doublings)),
			`macro "m17": the condition has more than 100000 comparisons with those of its macros`,
		},
		"comparisons": {
			fmt.Sprintf(rule, "evt.type = open"+strings.Repeat(" or evt.type = close", maxTests)),
			`rule "Bomb": the condition has more than 100000 comparisons`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, results := Load([]File{{Name: "bomb.yaml", Content: []byte(tt.file)}}, &Options{})
			require.Len(t, results[0].Errors, 1)
			require.Contains(t, results[0].Errors[0].Line(), tt.want)
		})
	}
}

// What grows with the square of a file's length, or worse, is felt here.
func TestLongFiles(t *testing.T) {
	const n = 5000
	rule := "- rule: r\n  desc: d\n  condition: evt.type = open and %s\n  output: o\n  priority: ERROR\n"
	var appends, chain, errs strings.Builder
	fmt.Fprintf(&chain, "- macro: m0\n  condition: proc.name = a\n")
	for i := range n {
		fmt.Fprintf(&appends, "- rule: r\n  condition: or proc.name = b%d\n  output: x%d\n  override: {condition: append, output: append}\n", i, i)
		fmt.Fprintf(&chain, "- macro: m%d\n  condition: m%d or proc.name = b%d\n", i+1, i, i)
		fmt.Fprintf(&errs, strings.Replace(rule, "rule: r", "rule: r%d", 1), i, "m")
	}
	for name, tt := range map[string]struct {
		file string
		errs int
	}{
		"appends":     {fmt.Sprintf(rule, "proc.name = a") + appends.String(), 0},
		"macro chain": {chain.String() + fmt.Sprintf(rule, fmt.Sprintf("m%d", n)), 0},
		"condition":   {fmt.Sprintf(rule, strings.Repeat("proc.name = a or ", 4*n)+"proc.name = b"), 0},
		"errors":      {chain.String() + errs.String(), n},
	} {
		t.Run(name, func(t *testing.T) {
			got, results := Load([]File{{Name: "long.yaml", Content: []byte(tt.file)}}, &Options{})
			require.Len(t, results[0].Errors, tt.errs)
			if tt.errs == 0 {
				require.Len(t, got, 1)
			}
		})
	}
}

// What was made of a text does not change when the text goes on.
func TestExtend(t *testing.T) {
	piece := func(s string) text { return text{[]piece{{s: s}}} }
	var one text
	one.extend(piece("a"))
	for range 3 {
		one.extend(piece("b"))
	}
	two, three := one.joined(piece("x")), one.bracketed()
	one.extend(piece("c"))
	require.Equal(t, "a b b b c", one.String())
	require.Equal(t, "a b b b x", two.String())
	require.Equal(t, "(a b b b)", three.String())
}
