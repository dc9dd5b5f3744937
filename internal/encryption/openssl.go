package encryption

import (
	"fmt"
	"math"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// openSSLPlaces are those at which OpenSSL hands over what it has decrypted, and
// shakes hands: one hit for what is read, and none for a read that finds nothing.
func openSSLPlaces(elf *probesite.File, kernel probesite.Kernel, prices *Prices) ([]bpf.TLSProbe, error) {
	if !kernel.Cookies {
		return nil, probesite.ErrNoSite
	}
	found, err := elf.OpenSSL(kernel)
	if err != nil {
		return nil, err
	}
	var all []bpf.TLSProbe
	for i := range found.Copies {
		c := &found.Copies[i]
		if err := prices.pay(c.Site, prices.Most); err != nil {
			return nil, err
		}
		places, err := copyOf(c.Arguments)
		if err != nil {
			return nil, err
		}
		all = append(all, bpf.TLSProbe{Program: bpf.TLSCopied, Offset: c.Offset, Copied: places})
	}
	for _, code := range found.Handshakes {
		f := function{symbol: code.Name, parameters: 1, enter: bpf.TLSHandshake, leave: bpf.TLSHandshakeReturn, rare: true}
		probes, err := f.probes(map[string]probesite.Function{f.symbol: code}, kernel, prices)
		if err != nil {
			return nil, fmt.Errorf("a handshake: %w", err)
		}
		all = append(all, probes...)
	}
	return all, nil
}

// copyOf says where the arguments of a copy are, if those on the stack are near
// each other.
func copyOf(arguments []probesite.Place) (c bpf.TLSCopy, err error) {
	const word = 4 // bytes
	first := uint16(math.MaxUint16)
	for _, p := range arguments {
		if p.OnStack {
			first = min(first, p.Above)
		}
	}
	if first != math.MaxUint16 {
		c.Window = first
	}
	for n, to := range []*bpf.TLSPlace{&c.Session, &c.Kind, &c.Peek} {
		p := arguments[n]
		if !p.OnStack {
			*to = bpf.TLSInRegister | bpf.TLSPlace(p.Register)
			continue
		}
		in := p.Above - first
		if in%word != 0 || in >= bpf.TLSWindow*word {
			return c, fmt.Errorf("%w: arguments of what reads records are far from each other", probesite.ErrNoSite)
		}
		*to = bpf.TLSPlace(in / word)
	}
	return c, nil
}
