package bpf

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"

	"github.com/sightglass/sightglass/internal/event"
)

// The program that the dispatcher of the security side calls at a call's entry,
// and the maps through which it reaches this one and those of the exit.
const (
	ioEnterProgram = "on_io_enter"
	ioEnterMap     = "io_enter"
	ioExitMap      = "io_exit"
)

// ioExitPrograms are the programs of the slots of io_exit, as in bpf/lib/maps.h
// and bpf/requests.bpf.c: those first that others call.
var ioExitPrograms = []struct {
	slot uint32
	name string
}{{1, "on_io_messages"}, {2, "on_io_tls"}, {0, "on_io_exit"}, {7, "on_io_compat"}}

// requestHooks are the hooks of the request capture besides the calls that move
// data. The end of a socket comes first, so that no state is made that nobody
// removes.
var requestHooks = []hookSpec{
	{name: "tcp_destroy_sock", program: "on_tcp_destroy_sock", provides: "the end of connections: requests that were never answered"},
	{name: "inet_sock_set_state", program: "on_sock_set_state", provides: "which end of a new connection is the server"},
}

// ioHook is the hook of the calls that move data, as Hooks tells it.
var ioHook = hookSpec{name: "io_calls", provides: "requests: spans and latencies"}

// capture is what the request capture holds.
type capture struct {
	mode        mode
	spec        *ebpf.CollectionSpec // until the programs are loaded
	coll        *ebpf.Collection     // its maps and programs
	enter, exit *ebpf.Map            // io_enter, io_exit

	loadTLS sync.Once
	loading atomic.Bool                   // the programs for probes in TLS libraries are being loaded
	ending  atomic.Bool                   // the agent ends: what has only begun is given up
	errTLS  error                         // why there is none
	tls     atomic.Pointer[probePrograms] // programs for probes in TLS libraries; nil before somebody wants them
	files   tlsFiles                      // that have probes of it
	pauses  *ebpf.Map                     // see PauseTLS; nil before the first
}

// Close takes the programs out of the dispatcher's way and frees them. Of nil it
// does nothing.
func (c *capture) Close() error {
	if c == nil {
		return nil
	}
	var errs []error
	remove := func(m *ebpf.Map, slot uint32) {
		if err := m.Delete(slot); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			errs = append(errs, err)
		}
	}
	// The entries last: an exit without its entry would take the time of the
	// thread's send before for its own.
	for _, p := range ioExitPrograms {
		remove(c.exit, p.slot)
	}
	remove(c.enter, 0)
	c.coll.Close()
	if tls := c.tls.Load(); tls != nil {
		tls.close()
	}
	if c.pauses != nil {
		errs = append(errs, c.pauses.Close())
	}
	return errors.Join(errs...)
}

// attachRequests attaches the request capture, of which refused tells why it is
// nil: it puts its programs into the maps io_enter and io_exit, tells setIO which
// calls it wants, and leaves what it holds in a.requests.
func (a *Agent) attachRequests(c *capture, refused error, ready programs) error {
	c, err := a.install(c, refused, ready)
	a.note(&ioHook, err)
	if err != nil {
		return nil //nolint:nilerr // told by Hooks; the agent does what else it can
	}
	a.requests = c
	for i := range requestHooks {
		h := &requestHooks[i]
		l, prog, err := h.attachFrom(c.coll)
		a.note(h, err)
		if err == nil {
			a.attached = append(a.attached, attachedHook{name: h.name, program: prog, link: l})
		}
	}
	return a.setIO(ioFlagsOf(runtime.GOARCH))
}

// install gives a capture its programs, in the fastest mode in which this kernel
// takes them, and puts those that the dispatcher calls into its maps. Of a failure
// nothing is left.
func (a *Agent) install(c *capture, refused error, ready programs) (*capture, error) {
	if refused != nil {
		return nil, refused
	}
	err := c.adopt(ready)
	if c.mode.direct && isVerifierError(err) {
		c.coll.Close()
		if c, err = a.newCapture(mode{}); err != nil {
			return nil, err
		}
		ready = loadParts(c.parts(), a.types)
		defer ready.close()
		err = c.adopt(ready)
	}
	if err == nil {
		err = c.fillSlots()
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// parts are the capture's programs, to be loaded.
func (c *capture) parts() []part {
	if c == nil {
		return nil
	}
	return partsOf(&object{spec: c.spec, maps: c.coll.Maps})
}

// adopt takes the capture's programs from those that are ready.
func (c *capture) adopt(ready programs) (err error) {
	c.coll.Programs, err = ready.takeAll(slices.Collect(maps.Keys(c.spec.Programs)))
	c.spec = nil
	return err
}

// fillSlots puts the programs into their slots, that of the entry last: no
// beginning is noted that nobody asks for.
func (c *capture) fillSlots() error {
	for _, p := range ioExitPrograms {
		if err := c.exit.Put(p.slot, c.coll.Programs[p.name]); err != nil {
			return fmt.Errorf("attaching: %w", err)
		}
	}
	if err := c.enter.Put(uint32(0), c.coll.Programs[ioEnterProgram]); err != nil {
		return fmt.Errorf("attaching: %w", err)
	}
	return nil
}

// newCapture creates the capture's own maps. Those that the security side has too
// are the same ones.
func (a *Agent) newCapture(m mode) (*capture, error) {
	spec, err := configureRequests(&a.opts, m)
	if err != nil {
		return nil, err
	}
	shared := maps.Clone(a.maps)
	maps.DeleteFunc(shared, func(name string, _ *ebpf.Map) bool {
		return spec.Maps[name] == nil || strings.HasPrefix(name, ".") // sections are each object's own
	})
	for name, m := range shared {
		spec.Maps[name].MaxEntries = m.MaxEntries() // as the options have it
	}
	coll, err := newMaps(spec, shared)
	if err != nil {
		return nil, err
	}
	return &capture{mode: m, spec: spec, coll: coll, enter: a.maps[ioEnterMap], exit: a.maps[ioExitMap]}, nil
}

// probeRequests tries the hooks of the request capture.
func (a *Agent) probeRequests() []Hook {
	probe := &Agent{opts: a.opts, mode: a.mode, maps: a.maps, types: a.types}
	c, err := probe.newCapture(a.mode)
	ready := loadParts(c.parts(), a.types)
	defer ready.close()
	c, err = probe.install(c, err, ready)
	probe.note(&ioHook, err)
	if err != nil {
		return probe.hooks
	}
	defer c.Close()
	tls, err := probe.newTLS(c)
	if err == nil {
		err = tryTLS(tls)
		tls.close()
	}
	probe.note(&tlsHook, err)
	for i := range requestHooks {
		h := &requestHooks[i]
		l, _, err := h.attachFrom(c.coll)
		probe.note(h, err)
		if err == nil {
			_ = l.Close()
		}
	}
	return probe.hooks
}

// RequestStats counts what happened to the sockets that the request capture
// watched.
type RequestStats struct {
	Opened     uint64 // sockets that got a state
	Midway     uint64 // of these, older than the agent, or pushed out of the table before
	Classified uint64 // sockets that speak a known protocol
	Boring     uint64 // sockets that were given up: no known protocol, or none any more
	Closed     uint64 // sockets whose end was seen
	Full       uint64 // sockets that got no state
	NoEnter    uint64 // sends whose beginning was not seen; their records have no Enter
	Unreadable uint64 // calls whose bytes could not be read
	Corrected  uint64 // sockets whose class Judge has changed
	Excess     uint64 // calls with more messages than are followed
	Unseen     uint64 // sockets that have sent, but by no call that is followed
}

// RequestStats sums the counters of all CPUs; zero when requests are off.
func (a *Agent) RequestStats() (RequestStats, error) {
	var s RequestStats
	c, ok := a.requests.(*capture)
	if !ok {
		return s, nil
	}
	if !a.readers.enter() {
		return s, os.ErrClosed
	}
	defer a.readers.leave()
	var cpus []requestsRequestsStats
	if err := c.coll.Maps["requests_stats"].Lookup(uint32(0), &cpus); err != nil {
		return s, fmt.Errorf("reading the counters of the request capture: %w", err)
	}
	for _, v := range cpus {
		s.Opened += v.Opened
		s.Midway += v.Midway
		s.Classified += v.Classified
		s.Boring += v.Boring
		s.Closed += v.Closed
		s.Full += v.Full
		s.NoEnter += v.NoEnter
		s.Unreadable += v.Unreadable
		s.Corrected += v.Corrected
		s.Excess += v.Excess
		s.Unseen += v.Unseen
	}
	return s, nil
}

// Judge corrects what the kernel side takes a socket (event.Request.Socket) for:
// it is none of the classes whose bits are set in refused, but class, or, when
// that is 0, another one that it will find. With all bits set the socket is
// left alone. bursts says that its messages come in bursts: the next 255 long
// segments are copied whole, up to 64 KiB each (bpf/requests_deep.h). The kernel
// side heeds it at one of the next records.
func (a *Agent) Judge(socket uint64, refused uint32, class uint8, bursts bool) error {
	c, ok := a.requests.(*capture)
	if !ok {
		return nil
	}
	if !a.readers.enter() {
		return os.ErrClosed
	}
	defer a.readers.leave()
	v := requestsRequestsVerdict{Refused: refused, Class: class}
	if bursts {
		v.Bursts = 1
	}
	if err := c.coll.Maps["requests_verdicts"].Put(socket, v); err != nil {
		return fmt.Errorf("bpf: correcting a socket: %w", err)
	}
	return nil
}

// Stray is a process that may move bytes in ways that are not followed.
type Stray struct {
	Process event.ProcessKey
	URing   bool // io_uring
	Compat  bool // calls of the 32-bit convention
}

// Strays lists the processes that did so lately, at most 1024.
func (a *Agent) Strays() ([]Stray, error) {
	c, ok := a.requests.(*capture)
	if !ok {
		return nil, nil
	}
	if !a.readers.enter() {
		return nil, os.ErrClosed
	}
	defer a.readers.leave()
	var all []Stray
	var tgid uint32
	var v requestsRequestsStray
	it := c.coll.Maps["requests_strays"].Iterate()
	for it.Next(&tgid, &v) {
		all = append(all, Stray{
			Process: event.ProcessKey{Start: v.Start, TGID: tgid},
			URing:   v.Ways&uint32(requestsRequestsWayWAY_URING) != 0,
			Compat:  v.Ways&uint32(requestsRequestsWayWAY_COMPAT) != 0,
		})
	}
	if err := it.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return all, fmt.Errorf("bpf: listing what is not followed: %w", err)
	}
	return all, nil
}
