// Package names keeps the addresses of the domain names that policies compare
// with. Looking a name up never blocks the evaluation of an event: names are
// resolved in the background and kept fresh.
package names

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightglass/sightglass/internal/policy/field"
)

// How often names are resolved: again after Refresh, and sooner while a name
// has no address.
const (
	Refresh = 5 * time.Minute
	retry   = 10 * time.Second
	timeout = 5 * time.Second
)

// Resolver finds the addresses of a name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Table implements field.Names. It is safe for concurrent use.
type Table struct {
	resolver Resolver

	mu    sync.Mutex
	names []string // watched, in order
	wake  chan struct{}

	known atomic.Pointer[snapshot]
}

var _ field.Names = (*Table)(nil)

// snapshot is what was resolved last.
type snapshot struct {
	names []string
	addrs map[string][]netip.Addr
}

// New makes a table. Names have no addresses until Run works.
func New(r Resolver) *Table {
	t := &Table{resolver: r, wake: make(chan struct{}, 1)}
	t.known.Store(&snapshot{})
	return t
}

// Watch implements field.Names.
func (t *Table) Watch(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Contains(t.names, name) {
		return
	}
	t.names = append(t.names, name)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Has implements field.Names.
func (t *Table) Has(name string, addr netip.Addr) bool {
	return slices.Contains(t.known.Load().addrs[name], addr)
}

// NameOf implements field.Names.
func (t *Table) NameOf(addr netip.Addr) (string, bool) {
	s := t.known.Load()
	for _, name := range s.names {
		if slices.Contains(s.addrs[name], addr) {
			return name, true
		}
	}
	return "", false
}

// Run resolves the watched names until ctx ends. A name that cannot be
// resolved keeps the addresses that it had.
func (t *Table) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := Refresh
		if !t.resolve(ctx) {
			wait = retry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// resolve looks all names up once and reports whether every one has an address.
func (t *Table) resolve(ctx context.Context) bool {
	t.mu.Lock()
	names := slices.Clone(t.names)
	t.mu.Unlock()
	old := t.known.Load()
	next := &snapshot{names: names, addrs: make(map[string][]netip.Addr, len(names))}
	complete := true
	for _, name := range names {
		addrs := t.lookup(ctx, name)
		if len(addrs) == 0 {
			addrs = old.addrs[name]
		}
		complete = complete && len(addrs) > 0
		next.addrs[name] = addrs
	}
	t.known.Store(next)
	return complete
}

func (t *Table) lookup(ctx context.Context, name string) []netip.Addr {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a.Unmap()}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	addrs, err := t.resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil
	}
	for i := range addrs {
		addrs[i] = addrs[i].WithZone("").Unmap()
	}
	return addrs
}
