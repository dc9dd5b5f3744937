//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// owners spares the look-ups of owners that were looked up a moment ago: the
// exchanges of a busy machine belong to few processes. One goroutine.
type owners struct {
	known [4]knownOwner
	next  int
}

type knownOwner struct {
	process   event.ProcessKey
	cgroup    uint64
	hierarchy uint32
	valid     bool
	owner     translate.Owner
}

// forget makes the next look-ups real ones.
func (o *owners) forget() { *o = owners{} }

// of is who served or sent a request.
func (o *owners) of(ex *exchange.Exchange, e *enricher) translate.Owner {
	for i := range o.known {
		if k := &o.known[i]; k.valid && k.process == ex.Owner && k.cgroup == ex.CgroupID && k.hierarchy == ex.CgroupHierarchy {
			return k.owner
		}
	}
	k := &o.known[o.next]
	o.next = (o.next + 1) % len(o.known)
	*k = knownOwner{ex.Owner, ex.CgroupID, ex.CgroupHierarchy, true, e.owner(ex)}
	return k.owner
}
