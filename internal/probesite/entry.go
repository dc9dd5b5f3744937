package probesite

import "fmt"

// Site is an instruction to probe.
type Site struct {
	// Offset is where the probe goes, in the file.
	Offset uint64
	// Delta is how far that is from the start of its function, bytes.
	Delta int
	// Cost is the class of a hit.
	Cost Cost
	// AtCall: the stack pointer is as the caller left it, so that the return
	// address lies on its top (x86-64) and a return probe may be put here.
	AtCall bool
	// Result is the register with the function's result, at sites before a
	// return. Of an int, the low 32 bits count.
	Result Register
}

// maxPrologue bounds the instructions among which an entry is looked for.
const maxPrologue = 64

// Entry returns the cheapest instruction that each call of the function passes
// exactly once before the given registers change. What leads nowhere but to an
// end of the process or to a larger stack does not count as a call.
func (fn Function) Entry(kernel Kernel, live ...Register) (Site, error) {
	g := fn.explore()
	wanted := setOf(live...)
	best, found := Site{}, false
	atCall := true
	for at, looked := 0, 0; looked < maxPrologue; looked++ {
		n, ok := g.find(at)
		if !ok {
			break
		}
		i := g.list[n]
		if i.flow == flowStop {
			break
		}
		site := Site{Offset: fn.Offset + uint64(at), Delta: at, Cost: i.price(kernel), AtCall: atCall}
		if (!found || site.Cost < best.Cost) && g.once(i) {
			best, found = site, true
		}
		if i.writes&wanted != 0 || i.flow == flowReturn || i.flow == flowJump || i.flow == flowIndirect {
			break
		}
		atCall = atCall && !i.writes.has(fn.stackPointer()) && i.flow == flowNext
		at += i.size
	}
	if !found {
		return Site{}, fmt.Errorf("%w for the entry of %s: each instruction before its arguments change runs more than once, or not in each call", ErrNoSite, fn.Name)
	}
	return best, nil
}

// once says whether every way through the function passes the instruction,
// and none twice.
func (g graph) once(i instruction) bool {
	again, around := false, false
	g.reach(i.successors(), nil, func(other instruction) { again = again || other.at == i.at })
	if again {
		return false
	}
	g.reach([]int{0}, func(other instruction) bool { return other.at == i.at }, func(other instruction) {
		around = around || g.leaves(other)
	})
	return !around
}

// price is the class of a hit on a kernel.
func (i instruction) price(kernel Kernel) Cost {
	if i.cost == Trampoline && !kernel.Trampolines {
		return SingleStepped
	}
	return i.cost
}

// stackPointer is the register with the stack pointer. On arm64 the return
// address is in a register, X30, which a return probe replaces.
func (fn Function) stackPointer() Register {
	if fn.arch == ARM64 {
		return X30
	}
	return RSP
}
