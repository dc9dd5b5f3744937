package probesite

import "slices"

// flow is where the processor goes after an instruction.
type flow uint8

const (
	flowNext     flow = iota
	flowBranch        // to the target or on
	flowJump          // to the target
	flowCall          // to the target and back
	flowReturn        // to the caller
	flowIndirect      // to where a register says: another function, or a table of cases
	flowStop          // nowhere: a trap, or bytes that are no instruction
)

// instruction is what the search has to know about one.
type instruction struct {
	at, size int // in the function, bytes
	flow     flow
	target   int  // of a branch, jump or call, relative to the function's start
	direct   bool // whether target is known
	cost     Cost
	writes   registerSet
	// A move to a register from another one, of at least 32 bits.
	move     bool
	to, from Register
}

// decode returns the instruction at the start of code, which lies at offset at
// in its function. Bytes that are none are a flowStop of one unit.
func (fn Function) decode(at int) instruction {
	if fn.arch == ARM64 {
		return decodeARM64(fn.Code, at, fn.goABI)
	}
	return decodeX86(fn.Code, at, fn.goABI)
}

// graph is the reachable code of a function.
type graph struct {
	list  []instruction // in the order of their addresses
	index []int32       // into list, by offset in the function; -1 where no instruction begins
}

// explore follows the code from its first byte. Cases of a switch that are
// reached by a table of addresses stay unseen.
func (fn Function) explore() graph {
	g := graph{index: make([]int32, len(fn.Code))}
	for at := range g.index {
		g.index[at] = -1
	}
	for work := []int{0}; len(work) > 0; {
		at := work[len(work)-1]
		work = work[:len(work)-1]
		if at < 0 || at >= len(fn.Code) || g.index[at] >= 0 {
			continue
		}
		i := fn.decode(at)
		g.index[at] = 0
		g.list = append(g.list, i)
		work = append(work, i.successors()...)
	}
	slices.SortFunc(g.list, func(a, b instruction) int { return a.at - b.at })
	for n, i := range g.list {
		g.index[i.at] = int32(n)
	}
	return g
}

// find returns the place in the list of the instruction at an offset.
func (g graph) find(at int) (int, bool) {
	if at < 0 || at >= len(g.index) || g.index[at] < 0 {
		return 0, false
	}
	return int(g.index[at]), true
}

// successors returns the offsets where the function may go on.
func (i instruction) successors() []int {
	next := i.at + i.size
	switch i.flow {
	case flowNext, flowCall:
		return []int{next}
	case flowBranch:
		if i.direct {
			return []int{next, i.target}
		}
		return []int{next}
	case flowJump:
		return []int{i.target}
	case flowReturn, flowIndirect, flowStop:
	}
	return nil
}

// leaves says whether the instruction ends the function in favour of its
// caller or of another function.
func (g graph) leaves(i instruction) bool {
	switch i.flow {
	case flowReturn, flowIndirect:
		return true
	case flowJump:
		return i.target < 0 || i.target >= len(g.index)
	default:
		return false
	}
}

// reach calls visit for every instruction that is reachable from those at the
// given offsets without passing a barrier; a barrier itself is not visited.
func (g graph) reach(from []int, barrier func(instruction) bool, visit func(instruction)) {
	seen := make([]bool, len(g.list))
	for work := from; len(work) > 0; {
		at := work[len(work)-1]
		work = work[:len(work)-1]
		n, ok := g.find(at)
		if !ok || seen[n] {
			continue
		}
		seen[n] = true
		i := g.list[n]
		if barrier != nil && barrier(i) {
			continue
		}
		visit(i)
		work = append(work, i.successors()...)
	}
}
