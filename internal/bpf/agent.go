package bpf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"

	"github.com/sightglass/sightglass/internal/interest"
)

// attachedHook is a hook that runs.
type attachedHook struct {
	name    string
	program *ebpf.Program
	link    link.Link
}

// Agent is the loaded and attached kernel side. Its methods may be called from
// any goroutine; the sources have rules of their own.
type Agent struct {
	opts     Options
	mode     mode
	spec     *ebpf.CollectionSpec // until everything is attached
	types    *btf.Cache           // of the kernel, until then
	coll     *ebpf.Collection     // owns the maps
	maps     map[string]*ebpf.Map
	attached []attachedHook
	iterator link.Link
	proven   *ebpf.Program // loaded to choose the mode; nil once it is attached
	sources  [2]*Source
	requests io.Closer // the request capture, nil when off

	readers gate // of maps and programs; entered without mu

	mu     sync.Mutex // guards what follows and the variables of coll
	hooks  []Hook
	io     map[uint16]uint8 // numbers of calls that the request capture wants, and their flags
	wanted interest.Set
	self   []uint32 // thread groups of the agent, host view
	closed bool

	filters [2]securityCallFilter // as the kernel has them
	filter  uint32                // the one that is in use
}

// Load creates the maps, loads the programs and attaches them hook by hook. A
// hook that cannot be had is told by Hooks; when no essential one can, Load
// fails and leaves nothing behind. The caller closes the Agent.
func Load(opts Options) (*Agent, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("bpf: %w", err)
	}
	raiseMemlock()
	a, err := loadBest(opts, btf.NewCache())
	if err != nil {
		return nil, err
	}
	if err := a.start(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// loadBest creates the maps in the best mode in which the kernel takes the
// program of sys_enter, which needs most of it. In the last mode that program
// may be refused as any other may.
func loadBest(opts Options, types *btf.Cache) (*Agent, error) {
	var err error
	list := modes(opts.Plain, types)
	for i, m := range list {
		a := &Agent{opts: opts, mode: m, types: types}
		if err = a.createMaps(); err != nil {
			continue
		}
		if a.proven, err = a.object().load(m.program(&hookSpecs[sysEnter]), types); err == nil || i == len(list)-1 {
			return a, nil
		}
		a.coll.Close()
	}
	return nil, refused(err)
}

// createMaps makes the maps for the agent's mode.
func (a *Agent) createMaps() error {
	var err error
	if a.spec, err = configure(&a.opts, a.mode); err != nil {
		return err
	}
	if a.coll, err = newMaps(a.spec, nil); err != nil {
		return err
	}
	a.maps = a.coll.Maps
	return nil
}

// object is the one of the security side.
func (a *Agent) object() *object { return &object{spec: a.spec, maps: a.maps} }

// start opens the rings, and loads and attaches the programs: all are loaded
// before the first one runs, since nobody reads the rings meanwhile.
func (a *Agent) start() error {
	for _, class := range Classes {
		s, err := newSource(a.maps["ring_"+class.String()])
		if err != nil {
			return fmt.Errorf("bpf: %w", err)
		}
		a.sources[class] = s
	}
	if _, err := a.setInterest(interest.Names(a.opts.Syscalls...)); err != nil {
		return err
	}
	defer func() { a.spec, a.types = nil, nil }() // megabytes that nobody needs any more
	var c *capture
	var failed error
	if a.opts.Requests {
		c, failed = a.newCapture(a.mode)
	}
	ready := loadParts(append(a.parts(), c.parts()...), a.types)
	defer ready.close()
	a.attachAll(ready)
	if err := a.checkEssential(); err != nil {
		return errors.Join(err, c.Close())
	}
	a.learnSelf()
	if a.opts.Requests {
		return a.attachRequests(c, failed, ready)
	}
	return nil
}

// parts are the programs of the hooks but for the one that proved the mode.
func (a *Agent) parts() []part {
	var list []part
	of := a.object()
	for i := range hookSpecs {
		if i != sysEnter || a.proven == nil {
			list = append(list, part{of, a.mode.program(&hookSpecs[i])})
		}
		if a.mode.hasFront(&hookSpecs[i]) {
			list = append(list, part{of, hookSpecs[i].program})
		}
	}
	return list
}

// attachAll attaches every hook and notes how it went.
func (a *Agent) attachAll(ready programs) {
	for i := range hookSpecs {
		h := &hookSpecs[i]
		err := a.attach(h, ready)
		a.note(h, err)
	}
}

// attach attaches one hook.
func (a *Agent) attach(h *hookSpec, ready programs) error {
	prog, err := a.program(h, ready)
	if err != nil {
		return err
	}
	if err := a.setLongWay(h, ready); err != nil {
		return errors.Join(err, prog.Close())
	}
	l, err := h.attach(prog)
	if err != nil {
		return errors.Join(err, prog.Close())
	}
	a.attached = append(a.attached, attachedHook{name: h.name, program: prog, link: l})
	if h.iterator {
		a.iterator = l
	}
	return nil
}

// setLongWay puts the hook's program where its front finds it, if it has one.
func (a *Agent) setLongWay(h *hookSpec, ready programs) error {
	if !a.mode.hasFront(h) {
		return nil
	}
	prog, err := ready.take(h.program)
	if err != nil {
		return err
	}
	defer prog.Close() // the map holds it
	if err := a.maps["long_way"].Put(h.slot, prog); err != nil {
		return fmt.Errorf("handing over to %s: %w", h.program, err)
	}
	return nil
}

// program is the hook's loaded program, which the caller owns: the one that
// proved the mode, or one of those that are ready.
func (a *Agent) program(h *hookSpec, ready programs) (*ebpf.Program, error) {
	if h == &hookSpecs[sysEnter] && a.proven != nil {
		prog := a.proven
		a.proven = nil
		return prog, nil
	}
	return ready.take(a.mode.program(h))
}

func (a *Agent) note(h *hookSpec, err error) {
	a.hooks = append(a.hooks, Hook{
		Name: h.name, Attached: err == nil, Err: err,
		Provides: h.provides, Remedy: remedy(err), Essential: h.essential,
	})
}

// checkEssential fails when none of the essential hooks runs.
func (a *Agent) checkEssential() error {
	var first *Hook
	for i := range a.hooks {
		h := &a.hooks[i]
		if !h.Essential {
			continue
		}
		if h.Attached {
			return nil
		}
		if first == nil {
			first = h
		}
	}
	return refused(fmt.Errorf("nothing can be observed: %s: %w", first.Name, first.Err))
}

// Hooks tells how each hook stands. That of probes in TLS libraries is among them
// once there are any.
func (a *Agent) Hooks() []Hook {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.hooks)
}

// Degradations tells what this kernel makes worse without taking it away.
func (a *Agent) Degradations() []Degradation { return a.mode.degradations() }

// Security is the source of what processes do.
func (a *Agent) Security() *Source { return a.sources[Security] }

// Requests is the source of what moves over sockets; empty unless
// Options.Requests.
func (a *Agent) Requests() *Source { return a.sources[Requests] }

// SetInterest replaces the set of captured system calls. Of those that it has by
// a filter, the ones that nobody can want stay in the kernel, as far as it can
// tell. Names that cannot be captured come back.
func (a *Agent) SetInterest(set interest.Set) (unknown []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, os.ErrClosed
	}
	return a.setInterest(set)
}

func (a *Agent) setInterest(set interest.Set) ([]string, error) {
	w, unknown := wantsOf(set.Sorted(), a.io, runtime.GOARCH)
	a.wanted = set
	if err := a.setFilters(set); err != nil {
		return unknown, err
	}
	// rows first: a number whose flag is set finds its row as it shall be
	if err := a.coll.Variables["row_wanted"].Set(w.rows[:]); err != nil {
		return unknown, fmt.Errorf("bpf: setting the wanted calls: %w", err)
	}
	if err := a.coll.Variables["call_flags"].Set(w.flags[:]); err != nil {
		return unknown, fmt.Errorf("bpf: setting the wanted numbers: %w", err)
	}
	return unknown, nil
}

// SetExecEnvironment switches the environment in exec records on or off.
func (a *Agent) SetExecEnvironment(on bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return os.ErrClosed
	}
	var value uint8
	if on {
		value = 1
	}
	if err := a.coll.Variables["exec_env"].Set(value); err != nil {
		return fmt.Errorf("bpf: setting the wish for environments: %w", err)
	}
	return nil
}

// SetKnownFiles replaces the inodes of the files that filters of resolved paths
// let pass, whatever path they are opened by, and of the directories in which
// files that are opened to be written do. Others may pass as well.
func (a *Agent) SetKnownFiles(files, directories []uint64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return os.ErrClosed
	}
	err := errors.Join(
		a.coll.Variables["known_inodes"].Set(knownInodes(files, ^uint64(0))),
		a.coll.Variables["known_directories"].Set(knownInodes(directories, 1<<32-1)))
	if err != nil {
		return fmt.Errorf("bpf: setting the known files: %w", err)
	}
	return nil
}

// setFilters fills the table of filters that is not in use and exchanges the
// two, so that each call is judged by the old or by the new ones.
func (a *Agent) setFilters(set interest.Set) error {
	next := 1 - a.filter
	a.filters[next] = *newCallFilter(set)
	if err := a.coll.Variables["call_filters"].Set(&a.filters); err != nil {
		return fmt.Errorf("bpf: setting the filters: %w", err)
	}
	if err := a.coll.Variables["call_filter_now"].Set(next); err != nil {
		return fmt.Errorf("bpf: exchanging the filters: %w", err)
	}
	a.filter = next
	return nil
}

// setIO replaces the numbers of the calls that are handed to the request
// capture.
func (a *Agent) setIO(flags map[uint16]uint8) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.io = flags
	_, err := a.setInterest(a.wanted)
	return err
}

// Close detaches everything and frees it. It may be called twice; Run of the
// sources ends. While the programs for probes in TLS libraries are being loaded,
// which can take many seconds on a busy machine, it does not wait for them: what
// they need is freed when the kernel is done with the one that it looks at.
func (a *Agent) Close() error {
	c, _ := a.requests.(*capture)
	loading := c != nil && c.refuseTLS()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	a.readers.close()
	var errs []error
	for _, h := range slices.Backward(a.attached) {
		errs = append(errs, h.link.Close(), h.program.Close())
	}
	if a.proven != nil {
		errs = append(errs, a.proven.Close())
	}
	for _, s := range a.sources {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if loading {
		go func() {
			c.awaitTLS()
			_ = a.free() // nobody is left to tell
		}()
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, a.free())...)
}

// free frees what programs that are being loaded use: the request capture and the
// maps. No hook leads there any more.
func (a *Agent) free() error {
	var err error
	if a.requests != nil {
		err = a.requests.Close()
	}
	if a.coll != nil {
		a.coll.Close()
	}
	return err
}
