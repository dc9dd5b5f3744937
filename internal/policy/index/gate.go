package index

import (
	"cmp"
	"slices"

	"github.com/sightglass/sightglass/internal/policy/plan"
)

// gate is the condition that several rules of a bucket evaluate first. When an
// event does not meet it, none of them is looked at. Others that rules share are
// no gates: their turn may not come, and they may be expensive.
type gate struct {
	node plan.Node
	mask []uint64 // bit set of the rules that need it
}

const (
	minGateRules = 3  // that a gate must save
	maxGates     = 16 // of one bucket
)

// makeGates finds the conditions with which most of the rules begin.
func (b *bucket) makeGates() {
	type use struct {
		node  plan.Node
		rules []int
	}
	var uses []*use
	byNode := map[plan.Node]*use{}
	for pos, node := range b.nodes {
		first := plan.First(node)
		u := byNode[first]
		if u == nil {
			u = &use{node: first}
			byNode[first] = u
			uses = append(uses, u)
		}
		u.rules = append(u.rules, pos)
	}
	uses = slices.DeleteFunc(uses, func(u *use) bool { return len(u.rules) < minGateRules })
	slices.SortStableFunc(uses, func(x, y *use) int { return cmp.Compare(len(y.rules), len(x.rules)) })
	for _, u := range uses[:min(len(uses), maxGates)] {
		g := gate{u.node, make([]uint64, len(b.all))}
		for _, pos := range u.rules {
			g.mask[pos/64] |= 1 << (pos % 64)
		}
		b.gates = append(b.gates, g)
	}
}

// close takes the rules out of candidates whose gates the event does not meet.
func (b *bucket) close(c *plan.Context, candidates []uint64) {
	for i := range b.gates {
		g := &b.gates[i]
		if intersects(candidates, g.mask) && !g.node.Eval(c) {
			for w, bits := range g.mask {
				candidates[w] &^= bits
			}
		}
	}
}

func intersects(a, b []uint64) bool {
	for i, bits := range b {
		if a[i]&bits != 0 {
			return true
		}
	}
	return false
}
