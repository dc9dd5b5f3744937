package bpf

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// mode says which faster ways of newer kernels the programs use.
type mode struct {
	direct bool // read kernel memory by instructions (bpf_rdonly_cast, 6.2)
	atomic bool // keep a call's arguments in slots that are claimed atomically (5.12)
}

// modes lists what to try, best first. A way whose map or function the kernel
// has may still be refused by its verifier; then the next is tried.
func modes(plain bool, types *btf.Cache) []mode {
	if plain {
		return []mode{{}}
	}
	var list []mode
	if hasKernelFunction(types, "bpf_rdonly_cast") {
		list = append(list, mode{direct: true, atomic: true})
	}
	return append(list, mode{atomic: true}, mode{})
}

// program is the name of the variant of a program that fits the mode and is
// attached.
func (m mode) program(h *hookSpec) string {
	switch {
	case m.hasFront(h):
		return h.front
	case h.plain != "" && !m.atomic:
		return h.plain
	default:
		return h.program
	}
}

// hasFront tells whether a front is attached instead of a hook's program.
func (m mode) hasFront(h *hookSpec) bool { return m.direct && h.front != "" }

// hasKernelFunction tells whether the running kernel's types name a function.
func hasKernelFunction(types *btf.Cache, name string) bool {
	spec, err := types.Kernel()
	if err != nil {
		return false
	}
	var fn *btf.Func
	return spec.TypeByName(name, &fn) == nil
}

// Degradation is something that this kernel makes worse without taking it away.
type Degradation struct {
	Name        string // what is missing, with the version that has it
	Consequence string
}

// degradations tells what a mode lacks.
func (m mode) degradations() []Degradation {
	var d []Degradation
	if !m.direct {
		d = append(d, Degradation{
			Name:        "bpf_rdonly_cast (Linux 6.2)",
			Consequence: "kernel memory is read by helper calls: a captured system call costs about 1 us more; the data is the same",
		})
	}
	if !m.atomic {
		d = append(d, Degradation{
			Name: "atomic instructions with a result (Linux 5.12)",
			Consequence: "arguments of at most 8192 concurrent calls are kept from entry to exit; " +
				"beyond that they are read at exit and marked as late",
		})
	}
	return d
}

// configure returns a copy of the object's spec that is set up by opts, mode
// and the system call tables.
func configure(opts *Options, m mode) (*ebpf.CollectionSpec, error) {
	spec, err := loadSecurity()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	spec.Maps["ring_security"].MaxEntries = uint32(opts.SecurityRing)
	spec.Maps["ring_requests"].MaxEntries = uint32(opts.RequestsRing)
	t := newTables(runtime.GOARCH)
	for name, value := range map[string]any{
		"cfg_direct":          m.direct,
		"cfg_latency":         opts.Latency,
		"cfg_specs":           t.specs[:],
		"cfg_rows":            t.rows[:],
		"cfg_rows_compat":     t.compat[:],
		"cfg_rows_socketcall": t.socketcall[:],
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("setting %s: %w", name, err)
		}
	}
	shrink(spec, opts, m)
	return spec, nil
}

// shrink makes the maps that will not be used as small as they can be.
func shrink(spec *ebpf.CollectionSpec, opts *Options, m mode) {
	if !m.atomic {
		spec.Maps["stash_slots"].MaxEntries = 1
	} else {
		spec.Maps["stash_thread"].MaxEntries = 1024 // only for slots that are taken
	}
	if !opts.Latency {
		spec.Maps["latency"].MaxEntries = 1
		spec.Maps["latency_slots"].MaxEntries = 1
	}
}

// newMaps creates the maps of a spec but for those that exist already. The returned
// collection owns them, and clones of these.
func newMaps(spec *ebpf.CollectionSpec, existing map[string]*ebpf.Map) (*ebpf.Collection, error) {
	only := &ebpf.CollectionSpec{Maps: spec.Maps, Variables: spec.Variables, Types: spec.Types, ByteOrder: spec.ByteOrder}
	coll, err := ebpf.NewCollectionWithOptions(only, ebpf.CollectionOptions{MapReplacements: existing})
	if err != nil {
		return nil, fmt.Errorf("creating maps: %w", err)
	}
	return coll, nil
}

// raiseMemlock lifts the limit of locked memory, which kernels before 5.11
// charge maps to. Machines that do not allow it mostly do not need it, so a
// refusal is no error.
func raiseMemlock() {
	limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &limit, nil); err == nil {
		return
	}
	var old unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_MEMLOCK, nil, &old); err == nil {
		_ = unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: old.Max, Max: old.Max}, nil)
	}
}

// isVerifierError tells a program that the kernel refuses from a lack of
// privileges or memory.
func isVerifierError(err error) bool {
	var v *ebpf.VerifierError
	return errors.As(err, &v)
}
