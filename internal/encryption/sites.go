package encryption

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// Prices say what a hit of a probe costs on this machine.
type Prices struct {
	// Of is the price of a place by its class.
	Of func(probesite.Cost) time.Duration
	// Return is what coming back from a function costs in addition when its
	// return address was replaced.
	Return time.Duration
	// Most is the highest price that is paid for what each request hits, and a
	// tenth of it for what each connection does.
	Most time.Duration
}

// rareFactor is how much dearer a probe may be that is hit a few times for each
// connection, not for each request.
const rareFactor = 10

// errTooDear tells that a library has no place at which a probe would be cheap
// enough.
var errTooDear = errors.New("every place for a probe is too dear")

// pay refuses a place that costs more than the most.
func (p *Prices) pay(site probesite.Site, most time.Duration) error {
	if price := p.Of(site.Cost); price > most {
		return fmt.Errorf("%w: %v at +%#x (%s), at most %v are paid", errTooDear, price, site.Delta, site.Cost, most)
	}
	return nil
}

// errNoFunctions tells that a file has nothing that could be probed.
var errNoFunctions = errors.New("its functions are not there or have no names")

// probes chooses the places at which a library in a file is probed. Functions
// that are there and can only be done without are in missing.
func (l *library) probes(file io.ReaderAt, kernel probesite.Kernel, prices *Prices) (all []bpf.TLSProbe, missing error, err error) {
	elf, err := probesite.Open(file)
	if err != nil {
		return nil, nil, err
	}
	if l.find != nil {
		all, err = l.find(elf, kernel, prices)
		return all, nil, err
	}
	found, err := l.locateIn(elf)
	if err != nil {
		return nil, nil, err
	}
	places := l.placesIn(elf, kernel, prices)
	all, done := l.inner(elf, found, len(places) > 0, kernel, prices)
	all = append(all, places...)
	for i := range l.functions {
		f := &l.functions[i]
		if done[f.symbol] || done[f.through] || f.shared && len(places) > 0 {
			continue
		}
		probes, err := f.probes(found, kernel, prices)
		switch {
		case err == nil:
			all = append(all, probes...)
			done[f.symbol] = true
		case !f.optional:
			return nil, nil, fmt.Errorf("%s: %w", f.symbol, err)
		case errors.Is(err, errNoFunctions):
		default:
			delete(found, f.symbol)
			missing = errors.Join(missing, fmt.Errorf("%s: %w", f.symbol, err))
		}
	}
	return all, missing, nil
}

// placesIn returns the places by which all pass who call the inner functions; none
// where they are not found or too dear.
func (l *library) placesIn(elf *probesite.File, kernel probesite.Kernel, prices *Prices) []bpf.TLSProbe {
	if l.places == nil {
		return nil
	}
	all, err := l.places(elf, kernel, prices)
	if err != nil {
		return nil // the functions themselves are probed
	}
	return all
}

// locateIn finds the functions of the library.
func (l *library) locateIn(elf *probesite.File) (map[string]probesite.Function, error) {
	if l.locate != nil {
		return l.locate(elf)
	}
	return elf.Functions(l.symbols()...)
}

// inner chooses the places in the functions by which twins do their work, and
// says which functions that settles: all twins, or none. without leaves out those
// that are inner.
func (l *library) inner(elf *probesite.File, found map[string]probesite.Function, without bool, kernel probesite.Kernel, prices *Prices) (all []bpf.TLSProbe, done map[string]bool) {
	done = map[string]bool{}
	for i := range l.functions {
		f := &l.functions[i]
		if f.twin == "" || f.shared && without {
			continue
		}
		probes, err := f.inner(elf, found, kernel, prices)
		if err != nil {
			return nil, map[string]bool{}
		}
		all = append(all, probes...)
		done[f.symbol], done[f.twin] = true, true
	}
	return all, done
}

// inner chooses a place in the function that a twin wraps, from which the return
// is noticed as well: one exception serves both.
func (f *function) inner(elf *probesite.File, found map[string]probesite.Function, kernel probesite.Kernel, prices *Prices) ([]bpf.TLSProbe, error) {
	wrapper, twin := found[f.symbol], found[f.twin]
	live := wrapper.Arguments(f.parameters)
	code, err := elf.Inner(wrapper, live...)
	if err != nil {
		return nil, err
	}
	if !twin.Calls(code.Address) {
		return nil, errNoFunctions
	}
	entry, err := code.Entry(kernel, live...)
	if err != nil {
		return nil, err
	}
	price := prices.Of(entry.Cost)
	all := []bpf.TLSProbe{{Program: f.enter, Offset: entry.Offset}}
	if f.leave != "" {
		if !entry.AtCall {
			return nil, probesite.ErrNoSite
		}
		price += prices.Return
		all = append(all, bpf.TLSProbe{Program: f.leave, Offset: entry.Offset, Return: true})
	}
	if price > prices.Most {
		return nil, errTooDear
	}
	return all, nil
}

// probes chooses the places of one function.
func (f *function) probes(found map[string]probesite.Function, kernel probesite.Kernel, prices *Prices) ([]bpf.TLSProbe, error) {
	code, ok := found[f.symbol]
	if _, useful := found[f.with]; !ok || f.with != "" && !useful {
		return nil, errNoFunctions
	}
	most := prices.Most
	if f.rare {
		most *= rareFactor
	}
	var all []bpf.TLSProbe
	if f.enter != "" {
		entry, err := code.Entry(kernel, code.Arguments(f.parameters)...)
		if err != nil {
			return nil, err
		}
		if err := prices.pay(entry, most); err != nil {
			return nil, err
		}
		all = append(all, bpf.TLSProbe{Program: f.enter, Offset: entry.Offset})
	}
	if f.leave == "" {
		return all, nil
	}
	leaves, err := f.leaves(code, kernel, prices, most)
	return append(all, leaves...), err
}

// leaves chooses where a function is noticed to return: at instructions before
// that, by replacing its return address where it goes on in another function, or
// where it begins.
func (f *function) leaves(code probesite.Function, kernel probesite.Kernel, prices *Prices, most time.Duration) ([]bpf.TLSProbe, error) {
	exits, err := code.Exits(kernel)
	if err == nil && affordable(exits, prices, most) {
		all := make([]bpf.TLSProbe, 0, len(exits))
		for i := range exits {
			all = append(all, bpf.TLSProbe{Program: f.leave, Offset: exits[i].Offset, Return: exits[i].Tail})
		}
		return all, nil
	}
	entry, otherErr := code.Entry(kernel)
	if otherErr == nil && entry.AtCall && prices.Of(entry.Cost)+prices.Return <= most {
		return []bpf.TLSProbe{{Program: f.leave, Offset: entry.Offset, Return: true}}, nil
	}
	if err == nil {
		err = fmt.Errorf("%w for its return", errTooDear)
	}
	return nil, err
}

// affordable tells whether the usual exits are cheap, and all have the result
// where the program looks for it: in the first register. Which ones are usual is
// not written in the code: where there is a cheap one, others may be as dear as
// what is rare.
func affordable(exits []probesite.Exit, prices *Prices, most time.Duration) bool {
	cheap := false
	for i := range exits {
		price := prices.Of(exits[i].Cost)
		if exits[i].Tail {
			price += prices.Return
		}
		if price > most*rareFactor || exits[i].Result != 0 {
			return false
		}
		cheap = cheap || price <= most
	}
	return cheap
}
