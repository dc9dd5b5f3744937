package bpf

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// maxLoading bounds the programs that are loaded at once, since the kernel needs
// memory for each while it verifies it, tens of megabytes for the largest.
const maxLoading = 4

// object is a compiled object whose maps exist.
type object struct {
	spec *ebpf.CollectionSpec
	maps map[string]*ebpf.Map // owned by somebody else
}

// part is one program of an object.
type part struct {
	of   *object
	name string
}

// partsOf are all programs of an object.
func partsOf(of *object) []part {
	list := make([]part, 0, len(of.spec.Programs))
	for name := range of.spec.Programs {
		list = append(list, part{of, name})
	}
	return list
}

// loaded is a program, or why there is none.
type loaded struct {
	program *ebpf.Program
	err     error
}

// programs are loaded programs by their names.
type programs map[string]loaded

// loadParts loads programs, several at once: the kernel takes tenths of a second
// to verify a large one, and seconds on a busy machine. All parts have to have
// different names. The caller owns what take does not hand on.
func loadParts(parts []part, types *btf.Cache) programs {
	instructions := func(p part) int {
		if spec := p.of.spec.Programs[p.name]; spec != nil {
			return len(spec.Instructions)
		}
		return 0
	}
	largestFirst := slices.SortedStableFunc(slices.Values(parts), func(a, b part) int {
		return cmp.Compare(instructions(b), instructions(a))
	})
	results := make([]loaded, len(parts))
	next := make(chan int, len(parts))
	for i := range largestFirst {
		next <- i
	}
	close(next)
	var loading sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxLoading) {
		loading.Go(func() {
			for i := range next {
				p := largestFirst[i]
				results[i].program, results[i].err = p.of.load(p.name, types)
			}
		})
	}
	loading.Wait()
	all := make(programs, len(parts))
	for i, p := range largestFirst {
		all[p.name] = results[i]
	}
	return all
}

// load loads one program.
func (o *object) load(name string, types *btf.Cache) (*ebpf.Program, error) {
	program := o.spec.Programs[name]
	if program == nil {
		return nil, fmt.Errorf("loading: the object has no program %q", name)
	}
	one := &ebpf.CollectionSpec{
		Maps: o.spec.Maps, Programs: map[string]*ebpf.ProgramSpec{name: program},
		Types: o.spec.Types, ByteOrder: o.spec.ByteOrder,
	}
	coll, err := ebpf.NewCollectionWithOptions(one, ebpf.CollectionOptions{MapReplacements: o.maps, Cache: types})
	if err != nil {
		return nil, fmt.Errorf("loading: %w", err)
	}
	defer coll.Close()
	return coll.DetachProgram(name), nil
}

// take hands a program over to the caller, once.
func (all programs) take(name string) (*ebpf.Program, error) {
	l := all[name]
	delete(all, name)
	if l.program == nil && l.err == nil {
		return nil, fmt.Errorf("loading: nobody has asked for program %q", name)
	}
	return l.program, l.err
}

// takeAll hands the named programs over, or none.
func (all programs) takeAll(names []string) (map[string]*ebpf.Program, error) {
	taken := make(map[string]*ebpf.Program, len(names))
	var errs []error
	for _, name := range names {
		p, err := all.take(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("program %s: %w", name, err))
			continue
		}
		taken[name] = p
	}
	if len(errs) > 0 {
		for _, p := range taken {
			errs = append(errs, p.Close())
		}
		return nil, errors.Join(errs...)
	}
	return taken, nil
}

// close frees the programs that nobody has taken.
func (all programs) close() {
	for name, l := range all {
		delete(all, name)
		if l.program != nil {
			_ = l.program.Close()
		}
	}
}
