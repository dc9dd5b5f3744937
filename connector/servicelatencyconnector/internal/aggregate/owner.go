package aggregate

import (
	"iter"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Owner is a resource: the identity of a service. Series belong to it.
type Owner struct {
	id     uint32
	key    string
	users  atomic.Int32 // Acquire without Release
	series atomic.Int32 // without the overflow series
	all    atomic.Int32 // with them
	warned atomic.Bool

	metrics []*family // the flusher's
	listed  bool      // the flusher's
}

// family is an owner's series of one metric.
type family struct {
	metric *Metric
	series []*Series
}

// Attributes iterates over the resource's attributes.
func (o *Owner) Attributes() iter.Seq2[string, Value] { return attributes(o.key, nil) }

// group is the part of a Store that holds the owner's series.
func (o *Owner) group() int { return int(o.id % groups) }

// WarnOnce returns true the first time only.
func (o *Owner) WarnOnce() bool { return !o.warned.Swap(true) }

// Acquire begins a further use of an owner that is in use.
func (o *Owner) Acquire() { o.users.Add(1) }

// Release ends the use that Acquire began.
func (o *Owner) Release() { o.users.Add(-1) }

// Registry gives every resource one Owner for as long as it is in use or has
// series. All methods may be called concurrently.
type Registry struct {
	limit int
	rest  *Owner

	mu     sync.RWMutex
	owners map[string]*Owner
	nextID uint32
}

// NewRegistry returns a registry of at most limit owners. What comes beyond is
// given the owner whose key is rest, so that it is counted nevertheless.
func NewRegistry(limit int, rest []byte) *Registry {
	return &Registry{
		limit:  limit,
		rest:   &Owner{key: string(rest)},
		owners: map[string]*Owner{},
		nextID: 1,
	}
}

// Acquire returns the owner for a key made of AppendNamed. The caller must
// Release it when done; until then the owner stays the only one with this key.
// Beyond the limit it is Rest.
func (r *Registry) Acquire(key []byte) *Owner {
	r.mu.RLock()
	o := r.owners[string(key)]
	if o != nil {
		o.users.Add(1)
	}
	r.mu.RUnlock()
	if o != nil {
		return o
	}
	return r.create(key)
}

// Rest returns the owner of everything beyond the limit.
func (r *Registry) Rest() *Owner { return r.rest }

func (r *Registry) create(key []byte) *Owner {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.owners[string(key)]
	if o == nil {
		if len(r.owners) >= r.limit {
			r.rest.users.Add(1)
			return r.rest
		}
		o = &Owner{id: r.nextID, key: string(key)}
		r.nextID++
		r.owners[o.key] = o
	}
	o.users.Add(1)
	return o
}

// Sweep forgets the owners that nobody uses and that have no series.
func (r *Registry) Sweep() {
	for _, o := range r.unused() {
		r.mu.Lock()
		if o.idle() {
			delete(r.owners, o.key)
		}
		r.mu.Unlock()
	}
}

func (r *Registry) unused() (idle []*Owner) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, o := range r.owners {
		if o.idle() {
			idle = append(idle, o)
		}
	}
	return idle
}

func (o *Owner) idle() bool { return o.all.Load() == 0 && o.users.Load() == 0 }

// Len returns the number of owners.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.owners)
}

const ownerBytes = int(unsafe.Sizeof(Owner{})) + mapEntryBytes
