package probesite

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// Exit is a place by which a call comes to its end.
type Exit struct {
	Site
	// Tail: the function goes on in another one here. The return address is on
	// top of the stack, or in its register: a return probe belongs here.
	Tail bool
}

// Exits returns instructions of which every return of the function passes at
// least one, as Returns, for functions that may go on in another one, too.
func (fn Function) Exits(kernel Kernel) ([]Exit, error) {
	returns, err := fn.Returns(kernel)
	if err == nil {
		exits := make([]Exit, 0, len(returns))
		for _, site := range returns {
			exits = append(exits, Exit{Site: site})
		}
		return exits, nil
	}
	g := fn.explore()
	place, tails := g.results(resultRegister), fn.tails(g)
	chosen := make([]bool, len(g.list))
	for n, i := range g.list {
		chosen[n] = tails[n] || i.flow == flowReturn && place[n].register == resultRegister
	}
	if g.uncovered(chosen) != nil {
		return nil, err
	}
	var exits []Exit
	for n, i := range g.list {
		if !chosen[n] {
			continue
		}
		site := Site{Offset: fn.Offset + uint64(i.at), Delta: i.at, Cost: i.price(kernel), AtCall: tails[n], Result: resultRegister}
		if i.flow == flowReturn {
			site = g.cheaper(fn, kernel, place, site)
		}
		exits = append(exits, Exit{Site: site, Tail: tails[n]})
	}
	if len(exits) == 0 {
		return nil, fmt.Errorf("%w for the exits of %s: it does not end", ErrNoSite, fn.Name)
	}
	return exits, nil
}

// cheaper returns an emulated instruction from which there is no way but to the
// return that a site stands for, and which lies before it without a branch; the
// site itself when there is none.
func (g graph) cheaper(fn Function, kernel Kernel, place []location, site Site) Site {
	for n := int(g.index[site.Delta]) - 1; n >= 0; n-- {
		i := g.list[n]
		if i.at+i.size != g.list[n+1].at || i.flow != flowNext || !place[n].known || place[n].register == nowhere || g.isTarget(g.list[n+1].at) {
			break
		}
		if i.price(kernel) < site.Cost {
			return Site{Offset: fn.Offset + uint64(i.at), Delta: i.at, Cost: i.price(kernel), Result: place[n].register}
		}
	}
	return site
}

// isTarget tells whether a jump leads to an offset.
func (g graph) isTarget(at int) bool {
	for _, i := range g.list {
		if i.direct && i.target == at && (i.flow == flowBranch || i.flow == flowJump) {
			return true
		}
	}
	return false
}

// tails marks the jumps to other functions before which everything that the
// function had put on the stack is gone. A jump to a part of the function that
// lies elsewhere is none: it leaves the stack as it is.
func (fn Function) tails(g graph) []bool {
	marks := make([]bool, len(g.list))
	if fn.arch != X86 {
		return marks
	}
	depths := fn.depths(g)
	for n, i := range g.list {
		marks[n] = i.flow != flowReturn && g.leaves(i) && depths[n] == 0
	}
	return marks
}

// unknownDepth is that of a stack that cannot be followed.
const unknownDepth = -1

// depths says for each instruction how many bytes lie on the stack above the
// return address.
func (fn Function) depths(g graph) []int {
	depths := make([]int, len(g.list))
	seen := make([]bool, len(g.list))
	if len(g.list) == 0 {
		return depths
	}
	seen[0] = true
	for work := []int{0}; len(work) > 0; {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		after := fn.depthAfter(g.list[n], depths[n])
		for _, at := range g.list[n].successors() {
			next, ok := g.find(at)
			switch {
			case !ok:
			case !seen[next]:
				seen[next], depths[next] = true, after
				work = append(work, next)
			case depths[next] != after && depths[next] != unknownDepth: // two ways disagree
				depths[next] = unknownDepth
				work = append(work, next)
			}
		}
	}
	return depths
}

// depthAfter is the depth behind an instruction.
func (fn Function) depthAfter(i instruction, depth int) int {
	if depth == unknownDepth || !i.writes.has(RSP) {
		return depth
	}
	inst, err := x86asm.Decode(fn.Code[i.at:], 64)
	if err != nil {
		return unknownDepth
	}
	switch inst.Op {
	case x86asm.PUSH:
		return depth + 8
	case x86asm.POP:
		return max(depth-8, unknownDepth)
	case x86asm.ADD, x86asm.SUB:
		if inst.Args[0] != x86asm.RSP {
			return depth
		}
		by, ok := inst.Args[1].(x86asm.Imm)
		if !ok {
			return unknownDepth
		}
		if inst.Op == x86asm.ADD {
			by = -by
		}
		return max(depth+int(by), unknownDepth)
	default:
		return unknownDepth
	}
}
