package probesite

import "fmt"

// Inner returns the function that fn calls first while the given registers are
// as its caller left them: what a wrapper wraps. Its code may go on into that of
// others, since nothing tells where it ends. ErrNoFunction says that there is
// none.
func (f *File) Inner(fn Function, live ...Register) (Function, error) {
	g, wanted := fn.explore(), setOf(live...)
	for at, looked := 0, 0; looked < maxPrologue; looked++ {
		n, ok := g.find(at)
		if !ok {
			break
		}
		i := g.list[n]
		if i.flow == flowCall && i.direct {
			address := fn.Address + uint64(i.target)
			_, room, err := f.offset(address)
			if err != nil {
				return Function{}, err
			}
			return f.function("what "+fn.Name+" calls", symbol{address: address, size: min(room, maxCode), goABI: fn.goABI})
		}
		if i.writes&wanted != 0 || i.flow != flowNext && i.flow != flowBranch {
			break
		}
		at += i.size
	}
	return Function{}, fmt.Errorf("%w: %s hands its arguments to none as they are", ErrNoFunction, fn.Name)
}

// Calls says whether the function calls the one at an address.
func (fn Function) Calls(address uint64) bool {
	for _, i := range fn.explore().list {
		if i.flow == flowCall && i.direct && fn.Address+uint64(i.target) == address {
			return true
		}
	}
	return false
}
