package plan

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/field"
)

// unknownOption is what getopt gives for an option that is not in the list.
const unknownOption = "?"

// applyGetopt reads options as getopt(3) does with a leading plus: reading ends
// at the first argument that is no option. Long options are passed over. The result is the list of letters
// and values in order, or with a key the last value of that letter (the letter
// itself for an option without value).
func applyGetopt(c *Context, s *callSource, v *field.Value) {
	var args, opts field.Value
	s.args[0].value(c, &args)
	s.args[1].value(c, &opts)
	if args.Kind == field.None || opts.Kind == field.None {
		return
	}
	start := len(c.items)
	g := getopt{args: args.List, spec: opts.Text, key: s.key}
	for g.next() {
		c.items = append(c.items, g.letter)
		if g.hasValue {
			c.items = append(c.items, g.value)
		}
		if g.missing { // the letter without its value stands for nothing
			c.items[len(c.items)-1] = ""
		}
	}
	if s.key == "" {
		v.SetList(c.items[start:len(c.items):len(c.items)])
		return
	}
	if g.found {
		v.SetText(g.last)
	}
}

// getopt walks through options.
type getopt struct {
	args []string
	spec string
	key  string // empty: no letter is

	arg int // index in args
	pos int // within a group of letters; 0 between arguments

	letter, value     string
	hasValue, missing bool

	found bool // key was seen
	last  string
}

// next moves to the next option.
func (g *getopt) next() bool {
	if g.pos == 0 && !g.enter() {
		return false
	}
	arg := g.args[g.arg]
	g.letter, g.value, g.hasValue, g.missing = arg[g.pos:g.pos+1], "", false, false
	g.pos++
	switch {
	case g.letter == ":" || !strings.Contains(g.spec, g.letter):
		g.letter = unknownOption
		g.leave(arg)
	case takesValue(g.spec, g.letter[0]):
		g.takeValue(arg)
		g.remember(g.value)
	default:
		g.remember(g.letter)
		g.leave(arg)
	}
	return true
}

// takesValue reports whether a colon stands behind the letter anywhere.
func takesValue(spec string, letter byte) bool {
	for i := 1; i < len(spec); i++ {
		if spec[i] == ':' && spec[i-1] == letter {
			return true
		}
	}
	return false
}

// enter looks at the next argument; it ends the walk when that is no option.
func (g *getopt) enter() bool {
	for g.arg < len(g.args) && len(g.args[g.arg]) > 2 && strings.HasPrefix(g.args[g.arg], "--") {
		g.arg++
	}
	if g.arg >= len(g.args) {
		return false
	}
	arg := g.args[g.arg]
	if len(arg) < 2 || arg[0] != '-' || arg == "--" {
		return false
	}
	g.pos = 1
	return true
}

// leave goes on behind a group of letters.
func (g *getopt) leave(arg string) {
	if g.pos == len(arg) {
		g.arg++
		g.pos = 0
	}
}

// takeValue takes the rest of the argument, or else the next argument.
func (g *getopt) takeValue(arg string) {
	switch {
	case g.pos < len(arg):
		g.value, g.hasValue = arg[g.pos:], true
	case g.arg+1 < len(g.args):
		g.arg++
		g.value, g.hasValue = g.args[g.arg], true
	default:
		g.missing = true
	}
	g.arg++
	g.pos = 0
}

func (g *getopt) remember(value string) {
	if g.letter == g.key {
		g.found, g.last = true, value
	}
}
