package index

import (
	"math/bits"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// Rule is a rule as the index needs it.
type Rule struct {
	Types  Types
	Cond   plan.Cond
	Guards []plan.Guard // each necessary; the index takes the most selective

	guard *plan.Guard
}

// Index has a bucket of rules for every event type, in the order of the rules.
type Index struct {
	buckets []bucket
	unknown bucket // for types that are not in the table
	words   int    // of the largest bucket
}

// bucket holds the rules that events of one type can match.
type bucket struct {
	rules  []int32 // numbers of the rules
	nodes  []plan.Node
	open   []uint64 // bit set of the rules without guard
	groups []group
	gates  []gate
}

// group holds the guards that look at one slot.
type group struct {
	slot    int
	byValue map[string][]int32 // positions in the bucket
}

// maxSpecial is how many types a rule may match to get a condition of its own
// for each of them.
const maxSpecial = 64

// New indexes rules by their numbers. Their conditions are those of b, which has
// been built.
func New(b *plan.Builder, rules []Rule) *Index {
	chooseGuards(rules)
	x := &Index{buckets: make([]bucket, events.Count())}
	for id := range x.buckets {
		x.buckets[id].fill(rules, func(r *Rule) plan.Node {
			switch {
			case !r.Types.Has(events.ID(id)):
				return nil
			case r.Types.Len() > maxSpecial:
				return r.Cond.Node()
			}
			return b.For(r.Cond, events.ID(id))
		})
		x.words = max(x.words, len(x.buckets[id].open))
	}
	everything := events.Count()
	x.unknown.fill(rules, func(r *Rule) plan.Node {
		if r.Types.Len() != everything {
			return nil
		}
		return r.Cond.Node()
	})
	x.words = max(x.words, len(x.unknown.open))
	return x
}

// maxShare is the part of all rules that the values of a guard may lead to
// before looking them up costs more than it saves.
const maxShare = 8

// chooseGuards takes for each rule the guard whose values the fewest rules
// share.
func chooseGuards(rules []Rule) {
	type value struct {
		slot int
		text string
	}
	uses := map[value]int{}
	for i := range rules {
		for _, g := range rules[i].Guards {
			for _, v := range g.Values {
				uses[value{g.Slot, v}]++
			}
		}
	}
	for i := range rules {
		r := &rules[i]
		best := max(len(rules)/maxShare, 2)
		for k := range r.Guards {
			sum := 0
			for _, v := range r.Guards[k].Values {
				sum += uses[value{r.Guards[k].Slot, v}]
			}
			if sum <= best {
				r.guard, best = &r.Guards[k], sum
			}
		}
	}
}

// fill takes the rules for which condition is not nil.
func (b *bucket) fill(rules []Rule, condition func(*Rule) plan.Node) {
	slots := map[int]int{}
	for n := range rules {
		r := &rules[n]
		node := condition(r)
		if node == nil {
			continue
		}
		pos := len(b.rules)
		b.rules, b.nodes = append(b.rules, int32(n)), append(b.nodes, node)
		if pos%64 == 0 {
			b.open = append(b.open, 0)
		}
		if r.guard == nil {
			b.open[pos/64] |= 1 << (pos % 64)
			continue
		}
		i, ok := slots[r.guard.Slot]
		if !ok {
			i = len(b.groups)
			slots[r.guard.Slot] = i
			b.groups = append(b.groups, group{r.guard.Slot, map[string][]int32{}})
		}
		for _, v := range r.guard.Values {
			b.groups[i].byValue[v] = append(b.groups[i].byValue[v], int32(pos))
		}
	}
	b.makeGates()
}

// Scratch is the memory that Match needs, one per goroutine.
type Scratch struct{ candidates []uint64 }

// NewScratch makes the memory for Match.
func (x *Index) NewScratch() *Scratch { return &Scratch{candidates: make([]uint64, x.words)} }

// Match evaluates the event that c.Begin set and calls found with the number
// of each rule that matches, in order, until found returns false. It does not
// allocate.
func (x *Index) Match(c *plan.Context, s *Scratch, found func(rule int) bool) {
	b := &x.unknown
	if e := c.Event(); e != nil {
		b = &x.buckets[e.ID]
	}
	if len(b.rules) == 0 {
		return
	}
	set := s.candidates[:copy(s.candidates, b.open)]
	for i := range b.groups {
		g := &b.groups[i]
		for _, pos := range g.byValue[c.Value(g.slot).Text] {
			set[pos/64] |= 1 << (pos % 64)
		}
	}
	b.close(c, set)
	for w, word := range set {
		for ; word != 0; word &= word - 1 {
			pos := w*64 + bits.TrailingZeros64(word)
			if b.nodes[pos].Eval(c) && !found(int(b.rules[pos])) {
				return
			}
		}
	}
}

// Rules are the numbers of the rules that events of a type can match.
func (x *Index) Rules(id events.ID) []int32 { return x.buckets[id].rules }
