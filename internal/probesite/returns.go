package probesite

import (
	"fmt"
	"slices"
)

// Bounds of the search: code that was made to be slow to analyse is refused.
const (
	maxCandidates = 512
	maxRounds     = 64
)

// Returns returns instructions of which every return of the function passes at
// least one, and at which its result is in a register already. A return may
// pass two of them; whoever handles hits takes the first. Where no emulated
// instruction serves, the return itself is the site.
func (fn Function) Returns(kernel Kernel) ([]Site, error) {
	g := fn.explore()
	place := g.results(resultRegister)
	var candidates []int // indices into g.list, those to do without first
	for n, i := range g.list {
		if place[n].register != nowhere && place[n].known && (i.price(kernel) < SingleStepped || i.flow == flowReturn) {
			candidates = append(candidates, n)
		}
	}
	slices.SortStableFunc(candidates, func(a, b int) int {
		return int(g.list[b].price(kernel)) - int(g.list[a].price(kernel))
	})
	if len(candidates) > maxCandidates {
		return nil, fmt.Errorf("%w for the returns of %s: more than %d instructions would do, too many to choose from", ErrNoSite, fn.Name, maxCandidates)
	}
	chosen := make([]bool, len(g.list))
	for _, n := range candidates {
		chosen[n] = true
	}
	if left := g.uncovered(chosen); left != nil {
		return nil, fmt.Errorf("%w for the returns of %s: at +%#x it goes on in another function", ErrNoSite, fn.Name, left.at)
	}
	for _, n := range candidates {
		chosen[n] = false
		chosen[n] = g.uncovered(chosen) != nil
	}
	var sites []Site
	for n, i := range g.list {
		if chosen[n] {
			sites = append(sites, Site{
				Offset: fn.Offset + uint64(i.at), Delta: i.at, Cost: i.price(kernel), Result: place[n].register,
			})
		}
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("%w for the returns of %s: it does not return", ErrNoSite, fn.Name)
	}
	return sites, nil
}

// uncovered returns an instruction by which a way through the function ends
// without having passed a chosen one, nil if there is none.
func (g graph) uncovered(chosen []bool) *instruction {
	var end *instruction
	g.reach([]int{0}, func(i instruction) bool { return chosen[int(g.index[i.at])] }, func(i instruction) {
		if end == nil && g.leaves(i) {
			end = &i
		}
	})
	return end
}

// nowhere marks a point at which no register has the result yet.
const nowhere = Register(0xff)

// location is where the result is just before an instruction. It is not known
// as long as no way from there to a return was seen.
type location struct {
	known    bool
	register Register
}

// results says for each instruction where the result of the function is just
// before it, by following it backwards from the returns.
func (g graph) results(result Register) []location {
	places := make([]location, len(g.list))
	for changed, round := true, 0; changed; round++ {
		if round == maxRounds {
			return make([]location, len(g.list))
		}
		changed = false
		for n := len(g.list) - 1; n >= 0; n-- {
			if p := g.before(places, g.list[n], result); p != places[n] {
				places[n], changed = p, true
			}
		}
	}
	return places
}

// before computes the location before an instruction from those after it.
func (g graph) before(places []location, i instruction, result Register) location {
	if i.flow == flowReturn {
		return location{known: true, register: result}
	}
	if g.leaves(i) {
		return location{known: true, register: nowhere}
	}
	after := location{}
	for _, at := range i.successors() {
		n, ok := g.find(at)
		switch {
		case !ok || !places[n].known: // nothing comes back from there
		case !after.known:
			after = places[n]
		case after.register != places[n].register:
			after.register = nowhere
		}
	}
	switch {
	case !after.known || after.register == nowhere:
	case i.move && i.to == after.register:
		after.register = i.from
	case i.writes.has(after.register):
		after.register = nowhere
	}
	return after
}

// resultRegister is where functions leave their result: RAX or X0, which have the
// same number.
const resultRegister = RAX
