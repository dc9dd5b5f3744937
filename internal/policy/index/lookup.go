package index

import (
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/plan"
)

// lookup finds by the text of one slot which rules of a bucket an event can
// match, among those that have a guard.
type lookup struct {
	slot    int
	rules   []uint64           // bit set of those that have a key here
	byValue map[string][]int32 // positions in the bucket
	paths   *prefixes          // nil when no rule asks for any
	prefix  []int32            // positions of those that do
}

// narrow takes the rules out of candidates whose guard the event does not meet.
// found are the rules without guard; it is used up.
func (b *bucket) narrow(c *plan.Context, candidates, found []uint64) {
	for i := range b.lookups {
		if l := &b.lookups[i]; intersects(candidates, l.rules) {
			l.mark(c, found)
		}
	}
	for w := range candidates {
		candidates[w] &= found[w]
	}
}

// makeLookups takes the guard of each rule that leaves out most at the least
// cost. A slot is looked at once for all rules, so that one which many rules
// ask for is cheap; among those the texts win that few rules share. guards are
// by position.
func (b *bucket) makeLookups(guards [][]plan.Guard) {
	users := newUsers(guards)
	bySlot := map[int]int{}
	for pos, list := range guards {
		var best plan.Guard
		lowest := 1.0 // what evaluating the rule costs
		for _, g := range list {
			if cost := users.cost(g, len(guards)); cost < lowest {
				best, lowest = g, cost
			}
		}
		if best == nil {
			b.open[pos/64] |= 1 << (pos % 64)
			continue
		}
		for i := range best {
			n, ok := bySlot[best[i].Slot]
			if !ok {
				n = len(b.lookups)
				bySlot[best[i].Slot] = n
				b.lookups = append(b.lookups, lookup{
					slot: best[i].Slot, rules: make([]uint64, len(b.all)), byValue: map[string][]int32{},
				})
			}
			b.lookups[n].add(&best[i], int32(pos))
		}
	}
}

// users counts the rules that could use a slot, and a text of it.
type users struct {
	slots map[int]int
	texts map[slotText]int
}

type slotText struct {
	slot int
	text string
}

func newUsers(guards [][]plan.Guard) *users {
	u := &users{map[int]int{}, map[slotText]int{}}
	for _, list := range guards {
		slots, texts := map[int]bool{}, map[slotText]bool{}
		for _, g := range list {
			for _, k := range g {
				slots[k.Slot] = true
				for _, text := range slices.Concat(k.Values, k.Prefixes) {
					texts[slotText{k.Slot, text}] = true
				}
			}
		}
		for s := range slots {
			u.slots[s]++
		}
		for t := range texts {
			u.texts[t]++
		}
	}
	return u
}

// cost is a guess at what a guard costs an event, in units of a rule that is
// evaluated: its part of looking at the slots, and how often it leaves nothing
// out.
func (u *users) cost(g plan.Guard, rules int) float64 {
	cost := 0.0
	for _, k := range g {
		cost += 1 / float64(u.slots[k.Slot])
		texts := slices.Concat(k.Values, k.Prefixes)
		sum := 0
		for _, text := range texts {
			sum += u.texts[slotText{k.Slot, text}]
		}
		cost += float64(sum) / float64(max(len(texts), 1)*rules)
	}
	return cost
}

func (l *lookup) add(k *plan.Key, pos int32) {
	l.rules[pos/64] |= 1 << (pos % 64)
	for _, v := range k.Values {
		l.byValue[v] = append(l.byValue[v], pos)
	}
	if len(k.Prefixes) == 0 {
		return
	}
	if l.paths == nil {
		l.paths = &prefixes{}
	}
	for _, p := range k.Prefixes {
		l.paths.add(p, pos)
	}
	l.prefix = append(l.prefix, pos)
}

// mark adds the rules to set that the event can match by this slot.
func (l *lookup) mark(c *plan.Context, set []uint64) {
	text := c.Value(l.slot).Text
	if len(l.byValue) > 0 {
		mark(set, l.byValue[text])
	}
	switch {
	case l.paths == nil || text == "":
	case text[0] != '/' || strings.Contains(text, "//"):
		mark(set, l.prefix) // written otherwise than prefixes are
	default:
		l.paths.mark(text, set)
	}
}

func mark(set []uint64, positions []int32) {
	for _, pos := range positions {
		set[pos/64] |= 1 << (pos % 64)
	}
}

// prefixes is a radix tree of texts with the rules that ask for each.
type prefixes struct {
	label    string
	rules    []int32 // positions
	firsts   string  // the first bytes of the children's labels
	children []*prefixes
}

func (t *prefixes) add(text string, pos int32) {
	for text != "" {
		i := strings.IndexByte(t.firsts, text[0])
		if i < 0 {
			t.firsts += text[:1]
			t.children = append(t.children, &prefixes{label: text})
			i = len(t.children) - 1
		}
		child := t.children[i]
		n := common(child.label, text)
		if n < len(child.label) { // what they share becomes a node of its own
			rest := *child
			rest.label = child.label[n:]
			*child = prefixes{label: child.label[:n], firsts: rest.label[:1], children: []*prefixes{&rest}}
		}
		t, text = child, text[n:]
	}
	t.rules = append(t.rules, pos)
}

func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// mark adds the rules to set that ask for what text begins with.
func (t *prefixes) mark(text string, set []uint64) {
	for {
		mark(set, t.rules)
		if text == "" {
			return
		}
		i := strings.IndexByte(t.firsts, text[0])
		if i < 0 {
			return
		}
		t = t.children[i]
		if !strings.HasPrefix(text, t.label) {
			return
		}
		text = text[len(t.label):]
	}
}
