// Package sighting remembers which processes report their own requests, so that
// what eBPF sees of the same processes is not counted a second time.
package sighting

import (
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/schema"
)

// Memory is how long a sighting counts at least, ns; at most twice as long.
const Memory = uint64(150e9)

// maxPlaces bounds the table. Beyond it sightings are not noted.
const maxPlaces = 10_000

// Place is where a resource's spans come from, from the most to the least
// specific description. It is reused from resource to resource.
type Place struct {
	containerID, podUID, container, namespace, service string
	buf                                                []byte
}

// Read describes a resource. The strings are the resource's.
func (p *Place) Read(resource pcommon.Map) {
	*p = Place{buf: p.buf[:0]}
	for name, v := range resource.All() {
		switch name {
		case schema.ContainerID:
			p.containerID = v.Str()
		case schema.K8sPodUID:
			p.podUID = v.Str()
		case schema.K8sContainerName:
			p.container = v.Str()
		case schema.ServiceNamespace:
			p.namespace = v.Str()
		case schema.ServiceName:
			p.service = v.Str()
		}
	}
}

const levels = 4

// key returns the description of a level, nil if the resource does not have it.
func (p *Place) key(level int) []byte {
	switch {
	case level == 0 && p.containerID != "":
		return p.join('c', p.containerID, "")
	case level == 1 && p.podUID != "" && p.container != "":
		return p.join('k', p.podUID, p.container)
	case level == 2 && p.podUID != "":
		return p.join('p', p.podUID, "")
	case level == 3 && p.service != "":
		return p.join('s', p.namespace, p.service)
	default:
		return nil
	}
}

func (p *Place) join(kind byte, a, b string) []byte {
	p.buf = append(p.buf[:0], kind)
	p.buf = append(p.buf, a...)
	p.buf = append(p.buf, 0)
	p.buf = append(p.buf, b...)
	return p.buf
}

// Reporter is a place that reports its own requests. It may be used concurrently.
type Reporter struct{ recent, before atomic.Uint32 }

// Note remembers that a metric (bit) was reported.
func (r *Reporter) Note(bit uint) {
	if mask := uint32(1) << bit; r.recent.Load()&mask == 0 {
		r.recent.Or(mask)
	}
}

// Table is the memory. It may be used concurrently.
type Table struct {
	mu      sync.RWMutex
	places  map[string]*Reporter
	rotated uint64
}

// NewTable returns an empty table.
func NewTable() *Table { return &Table{places: map[string]*Reporter{}} }

// Reporter returns the place's own entry: that of its most specific description.
func (t *Table) Reporter(p *Place) *Reporter {
	for level := range levels {
		if key := p.key(level); key != nil {
			return t.reporter(key)
		}
	}
	return new(Reporter)
}

func (t *Table) reporter(key []byte) *Reporter {
	t.mu.RLock()
	r := t.places[string(key)]
	t.mu.RUnlock()
	if r != nil {
		return r
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r = t.places[string(key)]; r == nil {
		r = new(Reporter)
		if len(t.places) < maxPlaces {
			t.places[string(key)] = r
		}
	}
	return r
}

// Reported returns the metrics (as bits) that the place reports itself, under
// whichever of its descriptions: the reporter may have known less about itself.
func (t *Table) Reported(p *Place) (mask uint32) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.places) == 0 {
		return 0
	}
	for level := range levels {
		if key := p.key(level); key != nil {
			if r := t.places[string(key)]; r != nil {
				mask |= r.recent.Load() | r.before.Load()
			}
		}
	}
	return mask
}

// Age forgets what was last reported longer ago than Memory. now is in ns.
func (t *Table) Age(now uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now < t.rotated+Memory {
		return
	}
	t.rotated = now
	for key, r := range t.places {
		recent := r.recent.Swap(0)
		if recent == 0 && r.before.Load() == 0 {
			delete(t.places, key)
		}
		r.before.Store(recent)
	}
}
