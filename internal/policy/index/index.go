package index

import (
	"math/bits"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// Rule is a rule as the index needs it.
type Rule struct {
	Types Types
	Cond  plan.Cond
}

// Index has a bucket of rules for every event type, in the order of the rules.
type Index struct {
	buckets []bucket
	unknown bucket // for types that are not in the table
	words   int    // of the largest bucket
}

// bucket holds the rules that events of one type can match.
type bucket struct {
	rules   []int32 // numbers of the rules
	nodes   []plan.Node
	all     []uint64 // bit set of all of them
	open    []uint64 // bit set of the rules without guard
	gates   []gate
	lookups []lookup
}

// maxSpecial is how many types a rule may match to get a condition of its own
// for each of them.
const maxSpecial = 64

// New indexes rules by their numbers. Their conditions are those of b, which has
// been built.
func New(b *plan.Builder, rules []Rule) *Index {
	x := &Index{buckets: make([]bucket, events.Count())}
	every := anyGuards{builder: b, made: make([][]plan.Guard, len(rules))}
	for n := range x.buckets {
		id := events.ID(n)
		x.buckets[id].fill(&every, rules, id, func(r *Rule) plan.Node {
			switch {
			case !r.Types.Has(id):
				return nil
			case r.Types.Len() > maxSpecial:
				return r.Cond.Node()
			}
			return b.For(r.Cond, id)
		})
		x.words = max(x.words, len(x.buckets[id].all))
	}
	everything := events.Count()
	x.unknown.fill(&every, rules, plan.AnyType, func(r *Rule) plan.Node {
		if r.Types.Len() != everything {
			return nil
		}
		return r.Cond.Node()
	})
	x.words = max(x.words, len(x.unknown.all))
	return x
}

// anyGuards makes the guards of rules that are not for certain types once, not
// for every bucket.
type anyGuards struct {
	builder *plan.Builder
	made    [][]plan.Guard // by rule; nil until wanted, empty when there are none
}

func (a *anyGuards) of(rule int, cond plan.Cond) []plan.Guard {
	if a.made[rule] == nil {
		a.made[rule] = append([]plan.Guard{}, a.builder.Guards(cond, plan.AnyType)...)
	}
	return a.made[rule]
}

// fill takes the rules for which condition is not nil.
func (b *bucket) fill(every *anyGuards, rules []Rule, id events.ID, condition func(*Rule) plan.Node) {
	var guards [][]plan.Guard
	for n := range rules {
		r := &rules[n]
		node := condition(r)
		if node == nil {
			continue
		}
		b.rules, b.nodes = append(b.rules, int32(n)), append(b.nodes, node)
		if r.Types.Len() > maxSpecial {
			guards = append(guards, every.of(n, r.Cond))
		} else {
			guards = append(guards, every.builder.Guards(r.Cond, id))
		}
	}
	words := (len(b.rules) + 63) / 64
	b.all, b.open = make([]uint64, words), make([]uint64, words)
	for pos := range b.rules {
		b.all[pos/64] |= 1 << (pos % 64)
	}
	b.makeGates()
	b.makeLookups(guards)
}

// Scratch is the memory that Match needs, one per goroutine.
type Scratch struct{ candidates, found []uint64 }

// NewScratch makes the memory for Match.
func (x *Index) NewScratch() *Scratch {
	return &Scratch{make([]uint64, x.words), make([]uint64, x.words)}
}

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
	set := s.candidates[:copy(s.candidates, b.all)]
	b.close(c, set)
	b.narrow(c, set, s.found[:copy(s.found, b.open)])
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
