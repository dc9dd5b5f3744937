package bpf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
)

// tlsHook is how Hooks tells of the probes in TLS libraries.
var tlsHook = hookSpec{name: "uprobes", provides: "requests over TLS"}

// TLSProgram is what runs at a probe in a program or library that encrypts. Each
// expects a place at which the parameters of the function are still, or its
// result is already, in their registers.
type TLSProgram string

// The programs for C functions.
const (
	TLSRead            TLSProgram = "on_tls_read"         // read(session, buffer, length) begins
	TLSReadCounted     TLSProgram = "on_tls_read_counted" // read(session, buffer, length, *count) begins
	TLSReadReturn      TLSProgram = "on_tls_read_return"  // either returns: bytes or success, <= 0 for nothing
	TLSCopied          TLSProgram = "on_tls_copied"       // what was decrypted is handed over by memcpy(to, from, n)
	TLSWrite           TLSProgram = "on_tls_write"        // write(session, buffer, length, ...) begins
	TLSHandshake       TLSProgram = "on_tls_handshake"    // handshake(session) begins
	TLSHandshakeReturn TLSProgram = "on_tls_handshake_return"
	TLSStatus          TLSProgram = "on_tls_status"        // status(session) begins: of data that went with the first flight
	TLSStatusReturn    TLSProgram = "on_tls_status_return" // 1: the server has refused it
	TLSCork            TLSProgram = "on_tls_cork"          // cork(session) begins: what is written is kept
	TLSUncork          TLSProgram = "on_tls_uncork"        // uncork(session, ...) begins
	TLSFree            TLSProgram = "on_tls_free"          // free(session) begins
	TLSNewReturn       TLSProgram = "on_tls_new_return"    // what makes a session returns it
)

// The programs for Go's crypto/tls.
const (
	TLSGoRead  TLSProgram = "on_tls_go_read"  // (*Conn).Read calls memmove to hand over plain text
	TLSGoWrite TLSProgram = "on_tls_go_write" // (*Conn).Write begins
)

// TLSProbe is a place in a file at which a program runs.
type TLSProbe struct {
	Program TLSProgram
	Offset  uint64 // in the file, in bytes
	// Return: the program runs where the function returns to whose return address
	// is at hand at Offset, as it is at the beginning of a function.
	Return bool
	// Copied says where TLSCopied finds what it needs. It takes cookies.
	Copied TLSCopy
}

// TLSCopy is where values are at a call by which plain text is copied: the
// session, the kind of the record, and whether the caller only looks.
type TLSCopy struct {
	Session, Kind, Peek TLSPlace
	Window              uint16 // how far above the stack pointer the places on the stack begin
}

// TLSPlace is where a program at a probe finds a value: a word of 32 bits of the
// window by its number, or a register.
type TLSPlace uint8

// TLSWindow is how many words a window has, and TLSInRegister the bit of places in
// registers that calls preserve; the others are the register's number in
// instructions.
const (
	TLSWindow              = 16
	TLSInRegister TLSPlace = 0x80
)

// cookie is what a program is told at a probe in the file of a number.
func (p *TLSProbe) cookie(number uint32) uint64 {
	c := &p.Copied
	return uint64(number) | uint64(c.Window)<<16 | uint64(c.Session)<<32 | uint64(c.Kind)<<40 | uint64(c.Peek)<<48
}

// HaveProbeCookies says whether programs are told at which of their probes they
// run.
func HaveProbeCookies() bool {
	return features.HaveProgramHelper(ebpf.Kprobe, asm.FnGetAttachCookie) == nil
}

// tlsCapture is what holds the programs on probes, ErrNoTLS when there are none. It
// begins to load them when they are wanted for the first time: that takes some tenths
// of a second, and many machines have no use for them.
func (a *Agent) tlsCapture() (*capture, error) {
	c, ok := a.requests.(*capture)
	if !ok || !a.opts.TLS {
		return nil, ErrNoTLS
	}
	c.loadTLS.Do(func() {
		c.loading.Store(true)
		if c.ending.Load() {
			c.errTLS = os.ErrClosed
			c.loading.Store(false)
			return
		}
		p, err := a.newTLS(c)
		if err != nil {
			c.errTLS = fmt.Errorf("%w: %w", ErrNoTLS, err)
			a.noteTLS(err)
			c.loading.Store(false)
			return
		}
		c.tls.Store(p)
		go func() {
			a.noteTLS(p.load())
			c.loading.Store(false)
		}()
	})
	return c, c.errTLS
}

// noteTLS has Hooks tell how the programs on probes stand now, unless the agent ends.
func (a *Agent) noteTLS(err error) {
	if errors.Is(err, os.ErrClosed) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hooks = slices.DeleteFunc(a.hooks, func(h Hook) bool { return h.Name == tlsHook.name })
	a.note(&tlsHook, err)
}

// refuseTLS keeps the programs on probes from being loaded, has a loading that goes
// on be given up, and reports whether there is one: who began it still uses the maps
// then, until awaitTLS returns.
func (c *capture) refuseTLS() (loading bool) {
	c.ending.Store(true) // before looking: a loading that is not seen sees this
	if c.loading.Load() {
		return true
	}
	c.awaitTLS()
	return false
}

// awaitTLS returns when no programs on probes are being loaded. None will be.
func (c *capture) awaitTLS() {
	c.loadTLS.Do(func() { c.errTLS = os.ErrClosed })
	if p := c.tls.Load(); p != nil {
		<-p.done
	}
}

// ErrNoTLS tells that probes in TLS libraries were not asked for or cannot be
// had.
var ErrNoTLS = errors.New("bpf: there are no programs for TLS libraries")

// PrepareTLS begins to load the programs for TLS libraries, for which AttachTLS would
// wait. What keeps them from being had AttachTLS tells.
func (a *Agent) PrepareTLS() { _, _ = a.tlsCapture() }

// AttachTLS has programs run at places in the file at path, in all processes that
// use it now or later. The path may lead through /proc/PID/root. Either all are
// attached or none. Closing the result detaches them. A program that could not be loaded
// for a reason that passes is tried again.
func (a *Agent) AttachTLS(path string, probes []TLSProbe) (io.Closer, error) {
	return a.AttachTLSTo(path, 0, probes)
}

// AttachTLSTo is AttachTLS for one process, if pid is not 0: one that others fork
// off is another.
func (a *Agent) AttachTLSTo(path string, pid uint32, probes []TLSProbe) (io.Closer, error) {
	c, err := a.tlsCapture()
	if err != nil {
		return nil, err
	}
	programs := c.tls.Load()
	loaded, err := programs.await(probes)
	if recovered, failed := programs.recovery(); recovered {
		a.noteTLS(failed)
	}
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, os.ErrClosed
	}
	file, err := link.OpenExecutable(path)
	if err != nil {
		return nil, fmt.Errorf("bpf: %w", err)
	}
	number, err := c.files.begin()
	if err != nil {
		return nil, err
	}
	all := &attachedProbes{end: func() { c.files.end(number) }}
	for _, p := range probes {
		if c.ending.Load() {
			return nil, errors.Join(os.ErrClosed, all.Close())
		}
		l, err := p.attach(file, loaded[p.Program], number, pid)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("bpf: probing %s at %#x: %w", path, p.Offset, err), all.Close())
		}
		all.links = append(all.links, l)
	}
	return all, c.files.probed(number)
}

// attach has a program run at the place, which knows its file by a number.
func (p *TLSProbe) attach(file *link.Executable, prog *ebpf.Program, number, pid uint32) (link.Link, error) {
	at := probePlace{offset: p.Offset, back: p.Return, cookie: p.cookie(number), pid: pid}
	return at.attach(file, prog)
}

// tryTLS loads the programs, attaches one of them to a function of this program, and
// takes it off again.
func tryTLS(programs *probePrograms) error {
	if err := programs.load(); err != nil {
		return err
	}
	_, address, _, _ := measuredAddresses()
	offset, err := fileOffset(address)
	if err != nil {
		return err
	}
	file, err := link.OpenExecutable("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("bpf: %w", err)
	}
	l, err := probePlace{offset: offset}.attach(file, programs.programs[string(TLSFree)].program)
	if err != nil {
		return fmt.Errorf("bpf: %w", err)
	}
	return l.Close()
}

// attachedProbes are the links of one file.
type attachedProbes struct {
	links []link.Link
	end   func() // when they are gone; may be nil
}

// Close implements io.Closer. The kernel waits at each probe until nobody is in
// it any more, which takes many times as long one after the other.
func (all *attachedProbes) Close() error {
	errs := make([]error, len(all.links))
	var closing sync.WaitGroup
	for i, l := range all.links {
		closing.Go(func() { errs[i] = l.Close() })
	}
	closing.Wait()
	if all.end != nil {
		all.end()
	}
	return errors.Join(errs...)
}

// TLSStats counts what happened to the sessions of TLS libraries.
type TLSStats struct {
	Bound     uint64 // connections whose plain text is followed
	Unbound   uint64 // reads and writes of plain text whose connection is not known
	Foreign   uint64 // sends of cipher text that does not fit what was written
	Displaced uint64 // calls whose thread gave way to another one
}

// TLSStats sums the counters of all CPUs; zero when there are no probes.
func (a *Agent) TLSStats() (TLSStats, error) {
	var s TLSStats
	c, ok := a.requests.(*capture)
	if !ok {
		return s, nil
	}
	if !a.readers.enter() {
		return s, os.ErrClosed
	}
	defer a.readers.leave()
	var cpus []tlsTlsStats
	if err := c.coll.Maps["tls_stats"].Lookup(uint32(0), &cpus); err != nil {
		return s, fmt.Errorf("reading the counters of TLS sessions: %w", err)
	}
	for _, v := range cpus {
		s.Bound += v.Bound
		s.Unbound += v.Unbound
		s.Foreign += v.Foreign
		s.Displaced += v.Displaced
	}
	return s, nil
}
