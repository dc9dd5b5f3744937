// Package names remembers by which name a process asked for an address. That is
// the name of the peer where the protocol which is then spoken does not tell it.
package names

import (
	"net/netip"
	"sync"
	"time"

	"github.com/sightglass/sightglass/internal/event"
)

// Asker is who asked for a name: a process, in a network namespace.
type Asker struct {
	Process event.ProcessKey
	NetNS   uint32
}

// Bounds of how long a name is believed. Connections are made a while after the
// lookup, and programs keep addresses for longer than they should.
const (
	minAge = time.Minute
	maxAge = time.Hour
)

// DefaultSize is a size for a node: about 200 bytes are needed for each.
const DefaultSize = 16384

// Table maps addresses to names. It may be used by several goroutines.
//
// A process is told the name that it asked for last. Others in the same network
// namespace, such as those behind a caching resolver of their own, are told it
// only if nobody there has asked for the address by another name: no name rather
// than a wrong one. A Table should be asked when a connection is made, not for
// as long as it lives.
type Table struct {
	mu    sync.RWMutex
	size  int               // entries per generation
	young map[key]entry     // added since the last change of generations
	old   map[key]entry     // added before
	texts map[string]string // of young, so that equal names share memory
}

// key of an entry; that of a whole network namespace has no process.
type key struct {
	asker Asker
	addr  netip.Addr
}

type entry struct {
	name    string // empty: several names are in use
	expires uint64 // ns since boot
}

// New returns a table of at most so many entries.
func New(size int) *Table {
	t := &Table{size: max(1, size/2)}
	t.turn()
	return t
}

// turn begins a new generation; the last but one is forgotten.
func (t *Table) turn() {
	t.old, t.young, t.texts = t.young, make(map[key]entry), make(map[string]string)
}

// Add says that asker was given addr for name at a time in ns since boot, to be
// used for ttl. name may be reused afterwards.
func (t *Table) Add(asker Asker, addr netip.Addr, name []byte, ttl time.Duration, now uint64) {
	addr = addr.Unmap()
	if len(name) == 0 || !addr.IsValid() || addr.IsLoopback() || addr.IsUnspecified() {
		return
	}
	expires := now + uint64(min(max(ttl, minAge), maxAge))
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.young)+2 > t.size {
		t.turn()
	}
	text, ok := t.texts[string(name)]
	if !ok {
		text = string(name)
		t.texts[text] = text
	}
	t.young[key{asker, addr}] = entry{text, expires}
	all := key{Asker{NetNS: asker.NetNS}, addr}
	shared := entry{text, expires}
	if before, ok := t.get(all); ok && now < before.expires && before.name != text {
		shared.name, shared.expires = "", max(expires, before.expires)
	}
	t.young[all] = shared
}

func (t *Table) get(k key) (entry, bool) {
	e, ok := t.young[k]
	if !ok {
		e, ok = t.old[k]
	}
	return e, ok
}

// Lookup returns the name by which asker has most likely reached addr, or an
// empty string. now is in ns since boot.
func (t *Table) Lookup(asker Asker, addr netip.Addr, now uint64) string {
	addr = addr.Unmap()
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, k := range [...]key{{asker, addr}, {Asker{NetNS: asker.NetNS}, addr}} {
		if e, ok := t.get(k); ok && now < e.expires {
			return e.name
		}
	}
	return ""
}

// Len is the number of entries, those that have expired included.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.young) + len(t.old)
}
