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
