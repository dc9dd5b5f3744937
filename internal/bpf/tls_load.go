package bpf

import (
	"cmp"
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
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// sharedWithTLS are the maps of the request capture that the programs on probes
// use too. Those that are for putting records together are each object's own.
var sharedWithTLS = []string{
	"requests_sockets", "requests_verdicts", "requests_threads", "requests_frames",
	"requests_shed_until", "requests_stats",
	"tls_threads", "tls_sessions", "tls_files", "tls_stats",
}

// tlsMode is what the programs on probes can do on this kernel.
type tlsMode struct {
	mode
	cookies bool // know in which file they are: Linux 5.15
	sleeps  bool // wait for memory that is not there yet: Linux 6.0
}

// sleepsSince is the first kernel that lets programs on probes sleep.
const sleepsSince = 6 << 16

// tlsFirst are the programs that most libraries wait for.
var tlsFirst = []TLSProgram{TLSWrite, TLSCopied}

// probePrograms are the programs on probes. They are loaded side by side, and whoever
// attaches some waits for these alone: on a busy machine all of them take seconds.
//
//	newTLS -> load: next, loadOne ... -> done
//	await: what it wants goes before the rest
type probePrograms struct {
	coll     *ebpf.Collection // owns the maps that are not shared
	unwanted *atomic.Bool     // what has not begun is not loaded any more
	done     chan struct{}    // closed when nothing more is loaded
	sections *ebpf.Collection // owns those of the slower way; nil before it is needed
	slower   func() (*object, error)

	// Until done, and longer if something is to be tried again; nil after that.
	fastest *object
	types   *btf.Cache

	mu        sync.Mutex
	queue     []string
	wanted    map[string]bool
	recovered bool // something was loaded that could not be before, and nobody has asked

	programs map[string]*probeProgram // never changes, what it leads to does
}

// probeProgram is a program that is being loaded.
type probeProgram struct {
	loaded               // of who loads it until ready, then of probePrograms.mu
	ready  chan struct{} // closed when it is, or there is none
}

// passing are failures that tell nothing about a program: the machine, or the group that
// the agent runs in, has no memory or no descriptors left, or was interrupted.
var passing = []error{unix.ENOMEM, unix.EMFILE, unix.ENFILE, unix.EINTR, unix.EAGAIN}

// mayPass tells whether the program could not be loaded for such a reason.
func (one *probeProgram) mayPass() bool {
	return slices.ContainsFunc(passing, func(p error) bool { return errors.Is(one.err, p) })
}

// newTLS makes what the programs for probes in TLS libraries need. Somebody has to
// call load; the caller closes the result.
func (a *Agent) newTLS(c *capture) (*probePrograms, error) {
	version, err := features.LinuxVersionCode()
	if err != nil {
		return nil, fmt.Errorf("asking for the version of the kernel: %w", err)
	}
	m := tlsMode{mode: a.mode, sleeps: version >= sleepsSince}
	m.cookies = HaveProbeCookies()
	shared := maps.Clone(a.maps)
	for _, name := range sharedWithTLS {
		shared[name] = c.coll.Maps[name]
	}
	p := &probePrograms{
		unwanted: &c.ending, done: make(chan struct{}), programs: map[string]*probeProgram{}, wanted: map[string]bool{},
		types: btf.NewCache(), // not the agent's, which would have to keep it until now
	}
	if p.fastest, p.coll, err = a.newTLSObject(m, shared); err != nil {
		return nil, err
	}
	if m.direct {
		maps.Copy(shared, p.coll.Maps)
		m.mode = mode{}
		p.slower = sync.OnceValues(func() (o *object, err error) {
			o, p.sections, err = a.newTLSObject(m, shared)
			return o, err
		})
	}
	spec := p.fastest.spec
	for name := range spec.Programs {
		p.queue = append(p.queue, name)
		p.programs[name] = &probeProgram{ready: make(chan struct{})}
	}
	slices.SortFunc(p.queue, func(a, b string) int {
		return cmp.Or(cmp.Compare(tlsRank(a), tlsRank(b)), cmp.Compare(len(spec.Programs[b].Instructions), len(spec.Programs[a].Instructions)))
	})
	c.files.since = c.coll.Maps["tls_files"]
	if m.cookies {
		c.files.used = make([]bool, p.coll.Maps["tls_files"].MaxEntries())
	}
	return p, nil
}

// tlsRank is the place of a program among those that come first.
func tlsRank(name string) int {
	if at := slices.Index(tlsFirst, TLSProgram(name)); at >= 0 {
		return at
	}
	return len(tlsFirst)
}

// newTLSObject sets the object up for a mode. Maps that exist already are used, but for
// sections, which depend on it.
func (a *Agent) newTLSObject(m tlsMode, existing map[string]*ebpf.Map) (*object, *ebpf.Collection, error) {
	spec, err := loadTls()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	if err := setRequestTables(spec, &a.opts, m.mode); err != nil {
		return nil, nil, err
	}
	if err := errors.Join(spec.Variables["cfg_cookies"].Set(m.cookies), spec.Variables["cfg_sleeps"].Set(m.sleeps)); err != nil {
		return nil, nil, fmt.Errorf("setting the tables: %w", err)
	}
	for _, prog := range spec.Programs {
		prog.AttachType = probeAttachType()
		if !m.sleeps {
			prog.Flags &^= unix.BPF_F_SLEEPABLE
		}
	}
	shared := maps.Clone(existing)
	maps.DeleteFunc(shared, func(name string, _ *ebpf.Map) bool {
		return spec.Maps[name] == nil || strings.HasPrefix(name, ".")
	})
	for name, m := range shared {
		spec.Maps[name].MaxEntries = m.MaxEntries() // as the options have it
	}
	coll, err := newMaps(spec, shared)
	if err != nil {
		return nil, nil, err
	}
	return &object{spec: spec, maps: coll.Maps}, coll, nil
}

// load loads all programs, each in the fastest mode in which this kernel takes it, and
// returns what came in between.
func (p *probePrograms) load() error {
	var loading sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxLoading) {
		loading.Go(func() {
			for name := p.next(); name != ""; name = p.next() {
				one := p.programs[name]
				one.program, one.err = p.loadOne(name)
				close(one.ready)
			}
		})
	}
	loading.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trim()
	close(p.done)
	return p.failed()
}

// trim lets go of megabytes that nobody needs any more, when nothing has to be tried again.
// mu is held.
func (p *probePrograms) trim() {
	for _, one := range p.programs {
		if one.mayPass() {
			return
		}
	}
	p.fastest, p.slower, p.types = nil, nil, nil
}

// failed is what could not be loaded. mu is held.
func (p *probePrograms) failed() error {
	var errs []error
	for name, one := range p.programs {
		if one.err != nil {
			errs = append(errs, fmt.Errorf("program %s: %w", name, one.err))
		}
	}
	return errors.Join(errs...)
}

// recovery tells once that something was loaded that could not be before, and what still
// could not.
func (p *probePrograms) recovery() (recovered bool, failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.recovered { // programs may still be loaded, and nobody knows how they stand
		return false, nil
	}
	p.recovered = false
	return true, p.failed()
}

// result is what became of a program that is ready. When all are, one that could not be
// loaded for a reason that passes is tried again: who asks decides how often.
func (p *probePrograms) result(name string) loaded {
	one := p.programs[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
	default:
		return one.loaded
	}
	if p.fastest != nil && one.mayPass() {
		one.program, one.err = p.loadOne(name)
		p.recovered = p.recovered || one.err == nil
		p.trim()
	}
	return one.loaded
}

// next takes the name of the program that is loaded next, one that somebody waits for
// if there is any; empty for none.
func (p *probePrograms) next() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return ""
	}
	at := max(slices.IndexFunc(p.queue, func(name string) bool { return p.wanted[name] }), 0)
	name := p.queue[at]
	p.queue = slices.Delete(p.queue, at, at+1)
	return name
}

func (p *probePrograms) loadOne(name string) (*ebpf.Program, error) {
	if p.unwanted.Load() {
		return nil, os.ErrClosed
	}
	program, err := p.fastest.load(name, p.types)
	if p.slower == nil || !isVerifierError(err) {
		return program, err
	}
	slower, err := p.slower()
	if err != nil {
		return nil, err
	}
	return slower.load(name, p.types)
}

// await returns the programs of probes, which the receiver still owns, when they are
// loaded. It fails if one of them cannot be had.
func (p *probePrograms) await(probes []TLSProbe) (map[TLSProgram]*ebpf.Program, error) {
	p.mu.Lock()
	for i := range probes {
		p.wanted[string(probes[i].Program)] = true
	}
	p.mu.Unlock()
	all := map[TLSProgram]*ebpf.Program{}
	for i := range probes {
		name := probes[i].Program
		one := p.programs[string(name)]
		if one == nil {
			return nil, fmt.Errorf("bpf: no program %q", name)
		}
		<-one.ready
		of := p.result(string(name))
		if errors.Is(of.err, os.ErrClosed) {
			return nil, os.ErrClosed
		}
		if of.err != nil {
			return nil, fmt.Errorf("%w: program %s: %w", ErrNoTLS, name, of.err)
		}
		all[name] = of.program
	}
	return all, nil
}

// close frees all, when nothing is loaded any more. Who still wants something has to be
// kept from it by unwanted.
func (p *probePrograms) close() {
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.programs {
		if one.program != nil {
			_ = one.program.Close()
		}
	}
	p.coll.Close()
	if p.sections != nil {
		p.sections.Close()
	}
}
