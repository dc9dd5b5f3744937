package servicemap

import (
	"net/netip"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// Context names a request by its propagated trace context: the span of the
// client, which is the parent of the server's.
type Context struct {
	Trace [16]byte
	Span  [8]byte
}

// Endpoint names a connection by its client's address. Loopback addresses are
// unique only within a network namespace.
type Endpoint struct {
	Address   netip.Addr
	Port      uint16
	Namespace uint64
}

// Keys are what the two ends of a request know of it in common. Zero values are
// not looked up.
type Keys struct {
	Context  Context
	Endpoint Endpoint
}

// ends are the services at the ends of a request or connection, nil if unknown.
type ends struct{ client, server *aggregate.Owner }

// directory remembers the ends of requests for one to two generations. It is
// not safe for concurrent use.
type directory struct {
	limit     int // entries per map
	contexts  [2]map[Context]ends
	endpoints [2]map[Endpoint]ends
}

func newDirectory(limit int) *directory {
	d := &directory{limit: limit}
	d.age()
	d.age()
	return d
}

// age begins a new generation and forgets the one before the last.
func (d *directory) age() {
	d.contexts = [2]map[Context]ends{{}, d.contexts[0]}
	d.endpoints = [2]map[Endpoint]ends{{}, d.endpoints[0]}
}

// enter notes that a service is one end of a request.
func (d *directory) enter(k *Keys, server bool, o *aggregate.Owner) {
	if k.Context != (Context{}) {
		enter(d.contexts, k.Context, server, o, d.limit)
	}
	if k.Endpoint.Port != 0 {
		enter(d.endpoints, k.Endpoint, server, o, d.limit)
	}
}

func enter[K comparable](generations [2]map[K]ends, key K, server bool, o *aggregate.Owner, limit int) {
	known, ok := generations[0][key]
	if !ok {
		if len(generations[0]) >= limit {
			return
		}
		known = generations[1][key]
	}
	if server {
		known.server = o
	} else {
		known.client = o
	}
	generations[0][key] = known
}

// other returns the service at the other end, nil if it is not known (yet). The
// trace context is the better witness: it names this very request.
func (d *directory) other(k *Keys, server bool) *aggregate.Owner {
	if k.Context != (Context{}) {
		if o := other(d.contexts, k.Context, server); o != nil {
			return o
		}
	}
	if k.Endpoint.Port != 0 {
		return other(d.endpoints, k.Endpoint, server)
	}
	return nil
}

func other[K comparable](generations [2]map[K]ends, key K, server bool) *aggregate.Owner {
	for _, g := range generations {
		if known, ok := g[key]; ok {
			if server {
				return known.client
			}
			return known.server
		}
	}
	return nil
}
