package servicelatencyconnector

import (
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/servicemap"
)

// How the other end of a request was found.
const (
	edgeNamed   = iota // the span names it
	edgeMet            // its span came, too
	edgeOutside        // by its address
	edgeOutcomes
)

var edgeOutcomeNames = [edgeOutcomes]string{edgeNamed: "named", edgeMet: "met", edgeOutside: "outside"}

// edges counts requests by the services at their two ends.
type edges struct {
	outside *servicemap.Outside
	waiting *servicemap.Waiting
	write   edgeWriter
	counts  [edgeOutcomes]atomic.Int64
	resolve func(*servicemap.Request, *aggregate.Owner) // e.settle, made once
	key     []byte                                      // settle's, guarded by waiting's lock
}

// newEdges returns nil unless edges are wanted.
func newEdges(cfg *Config, e *engine) *edges {
	if !cfg.ServiceMap.Enabled {
		return nil
	}
	networks, _ := servicemap.ParseNetworks(cfg.ServiceMap.Networks) // validated before
	edges := &edges{
		outside: servicemap.NewOutside(networks),
		waiting: servicemap.NewWaiting(cfg.ServiceMap.Wait, cfg.ServiceMap.MaxWaiting),
		write:   newEdgeWriter(cfg, e),
	}
	edges.resolve = edges.settle
	return edges
}

// connectionTypes are the types by what the requests go to.
var connectionTypes = [...]servicemap.ConnectionType{
	request.OtherProtocol:     servicemap.Plain,
	request.DatabaseProtocol:  servicemap.Database,
	request.MessagingProtocol: servicemap.Messaging,
}

// count counts a request whose span is read, or has it wait for its other end.
func (e *edges) count(w *worker, m *request.Metric, span ptrace.Span, now time.Time) {
	if w.fields.Has(request.WithinPod) {
		return // its other end is a container of the same service
	}
	r := &w.edge
	*r = servicemap.Request{
		Keys: edgeKeys(m, span, &w.fields), Server: m.Server, Owner: w.owner,
		Error: w.fields.Text(request.ErrorType), Class: w.fields.Text(request.Class), Sample: w.sample,
	}
	r.Type = connectionTypes[m.Protocol()]
	if name := w.fields.Text(request.PeerName); name != "" {
		e.waiting.Introduce(&r.Keys, r.Server, r.Owner)
		e.counts[edgeNamed].Add(1)
		w.key = e.write(r, servicemap.Node{Name: name, Namespace: w.fields.Text(request.PeerNamespace)}, r.Type, w.key)
		return
	}
	r.Fallback = e.fallback(m, &w.fields)
	r.Owner.Acquire()
	if other, met := e.waiting.Meet(now, r, e.resolve); met {
		r.Owner.Release()
		e.counts[edgeMet].Add(1)
		w.key = e.write(r, servicemap.NodeOf(other), r.Type, w.key)
	}
}

// edgeKeys returns what the other end knows of the request, too.
func edgeKeys(m *request.Metric, span ptrace.Span, f *request.Fields) (k servicemap.Keys) {
	address, port := request.LocalAddress, request.LocalPort
	k.Context.Span = span.SpanID()
	if m.Server {
		address, port = request.PeerAddress, request.PeerPort
		k.Context.Span = span.ParentSpanID()
	}
	if k.Context.Span != [8]byte{} {
		k.Context.Trace = span.TraceID()
	}
	ip, ok := servicemap.ParseAddress(f.Text(address))
	if n := f.Get(port).Int(); ok && n > 0 && n < 1<<16 {
		k.Endpoint = servicemap.Endpoint{Address: ip, Port: uint16(n)}
		if ip.IsLoopback() {
			k.Endpoint.Namespace = uint64(f.Get(request.NetworkNamespace).Int())
		}
	}
	return k
}

// fallback names the other end for the case that it is not a service we see.
func (e *edges) fallback(m *request.Metric, f *request.Fields) servicemap.Node {
	candidates := [...]request.Slot{request.ServerAddress, request.PeerAddress}
	if m.Server {
		candidates = [...]request.Slot{request.ClientAddress, request.PeerAddress}
	}
	system := f.Text(request.DBSystem) + f.Text(request.MessagingSystem) // a span has one of them at most
	for _, slot := range candidates {
		address := f.Text(slot)
		number := isNumber(address)
		if system != "" && !m.Server && number {
			continue // "redis" says more than the network that it is in
		}
		if m.Server && !number {
			continue // what a client writes into X-Forwarded-For must not make up nodes
		}
		if node, ok := e.outside.Node(address); ok {
			return node
		}
	}
	if system != "" && !m.Server {
		return servicemap.Node{Name: system}
	}
	return servicemap.Node{Name: servicemap.Unknown}
}

func isNumber(address string) bool {
	_, ok := servicemap.ParseAddress(address)
	return ok
}

// settle counts a request that has waited; other is nil if nobody came.
func (e *edges) settle(r *servicemap.Request, other *aggregate.Owner) {
	node, kind, outcome := r.Fallback, r.Type, edgeOutside
	if other != nil {
		node, outcome = servicemap.NodeOf(other), edgeMet
	} else if kind == servicemap.Plain {
		kind = servicemap.External
	}
	e.counts[outcome].Add(1)
	e.key = e.write(r, node, kind, e.key)
	r.Owner.Release()
}

// expire counts the requests that have waited long enough.
func (e *edges) expire(now time.Time) { e.waiting.Expire(now, e.resolve) }

// drain counts all that are waiting.
func (e *edges) drain() { e.waiting.Drain(e.resolve) }
