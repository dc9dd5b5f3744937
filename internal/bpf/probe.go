package bpf

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// Probe tries every hook by itself: it attaches the program and takes it off again. It tells what Load would get, without an Agent.
func Probe() ([]Hook, []Degradation, error) {
	opts, err := Options{}.withDefaults()
	if err != nil {
		return nil, nil, fmt.Errorf("bpf: %w", err)
	}
	raiseMemlock()
	a, err := loadBest(opts, btf.NewCache())
	if err != nil {
		return probeFailed(err), nil, err
	}
	defer a.Close()
	ready := loadParts(a.parts(), a.types)
	defer ready.close()
	for i := range hookSpecs {
		h := &hookSpecs[i]
		a.note(h, a.try(h, ready))
	}
	a.hooks = append(a.hooks, a.probeRequests()...)
	return a.hooks, a.mode.degradations(), nil
}

// try attaches one hook and takes it off again.
func (a *Agent) try(h *hookSpec, ready programs) error {
	prog, err := a.program(h, ready)
	if err != nil {
		return err
	}
	defer prog.Close()
	l, err := h.attach(prog)
	if err != nil {
		return err
	}
	return l.Close()
}

// probeFailed tells of every hook that it is not to be had.
func probeFailed(err error) []Hook {
	hooks := make([]Hook, len(hookSpecs))
	for i := range hookSpecs {
		h := &hookSpecs[i]
		hooks[i] = Hook{Name: h.name, Err: err, Provides: h.provides, Remedy: remedy(err), Essential: h.essential}
	}
	return hooks
}
