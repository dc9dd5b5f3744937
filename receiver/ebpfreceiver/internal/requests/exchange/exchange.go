// Package exchange holds the pure data that request capture works on: the
// segments that a protocol's parser reads, the exchange (one request and its
// response) that it yields, and what a protocol has to provide.
package exchange

import (
	"net/netip"
	"sync"

	"github.com/sightglass/sightglass/internal/event"
)

// Exchange is one request with its response, seen from one of the two
// processes. All times are ns since boot, taken by the kernel.
//
// Ownership: whoever is handed an Exchange owns it and everything that it
// points to, and gives it back with Release when it is done. Forgetting to do
// so costs an allocation, nothing else.
type Exchange struct {
	Endpoint
	Start     uint64 // server: first request byte received; client: first request byte being sent
	FirstByte uint64 // server: first response byte being sent; client: received; 0 when there was none
	End       uint64 // server: last response byte sent; client: last one received; without one, when it was given up
	Sent      uint64 // bytes this process sent for it, heads included, as far as they were attributed
	Received  uint64

	Protocol   string // name of the protocol: "http"
	Class      Class
	Incomplete Reason
	Facts      Facts // of the protocol; never nil

	// Parent is the span of the one request that the thread served when it made
	// this one. It caused this one if the thread runs no scheduler of its own.
	// FiberParent is that of the goroutine, where threads run Go's.
	Parent, FiberParent Context
	// Trace and Span are the ids of this exchange's own span, if a child had
	// to know them before it ended.
	Trace [16]byte
	Span  [8]byte
	// Serving and FiberServing say that the thread, respectively the goroutine, is
	// known to be busy with it.
	Serving, FiberServing bool

	pool       *sync.Pool
	prev, next *Exchange // in a List
}

// Endpoint is where and by whom an exchange was seen.
type Endpoint struct {
	Owner           event.ProcessKey // process that served (server) or sent (client) the request
	TID             uint32
	Fiber           uint64 // of Go programs: the goroutine that made the call; 0 when it may be another
	CgroupID        uint64 // of the owner at that moment
	CgroupHierarchy uint32
	NetNS           uint32
	Socket          uint64
	Family          uint16
	LocalPort       uint16
	PeerPort        uint16
	LocalAddr       [16]byte // IPv4 in the first 4 bytes
	PeerAddr        [16]byte
	PeerName        string         // by which the process had looked up PeerAddr; empty when that was not seen
	Client          netip.AddrPort // whom a load balancer, which is the peer, said that it speaks for; invalid when none did
	Role            event.Role
	Encryption      *Encryption // nil for connections in plain text; shared by all exchanges of one
	RoleGuessed     bool        // nothing but the direction of the first message tells the role
}

// Facts is what a protocol knows about an exchange.
type Facts interface {
	// Reset empties the facts for the next use and keeps the memory.
	Reset()
}

// Class tells kinds of waiting apart, so that they can be kept out of
// percentiles.
type Class uint8

// Classes.
const (
	Unary  Class = iota // asked and answered
	Stream              // an upgraded connection or a response without a foreseeable end
	Wait                // the request asks to be held until something happens
	Probe               // a health check
	OneWay              // nothing answers it: it lasts no longer than the bytes take to be handed over
)

// Reason says why an exchange is not whole.
type Reason uint8

// Reasons. Metric values and attribute values are their String.
const (
	Complete         Reason = iota
	RequestLost             // a response was seen, the record of its request was not
	ResponseLost            // the record of the response was lost
	ConnectionClosed        // the connection ended before the response did
	Truncated               // bytes beyond the bound hide how or when it ended
	Desynchronized          // after a loss it is not certain which response is whose
	Expired                 // nothing happened for too long, or the table was full
	StreamReset             // one end gave up the stream, and the connection went on
	HeadersUnknown          // headers refer to what was sent before the connection was followed
	numReasons
)

// NumReasons is the number of Reasons.
const NumReasons = int(numReasons)

var reasonNames = [NumReasons]string{
	"complete", "request_lost", "response_lost", "connection_closed",
	"truncated", "desynchronized", "expired", "stream_reset", "headers_unknown",
}

func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// Pool reuses the exchanges of one protocol. It may be used by several
// goroutines.
type Pool struct{ pool sync.Pool }

// NewPool returns a pool of exchanges of p.
func NewPool(p Protocol) *Pool {
	pl := &Pool{}
	name := p.Name()
	pl.pool.New = func() any {
		return &Exchange{Protocol: name, Facts: p.NewFacts(), pool: &pl.pool}
	}
	return pl
}

// Get returns an empty exchange.
func (p *Pool) Get() *Exchange { return p.pool.Get().(*Exchange) }

// Become makes e one of the protocol of fresh, an empty exchange, which gets the
// facts of before in return. All else of e stays as it is.
func (e *Exchange) Become(fresh *Exchange) {
	e.Protocol, fresh.Protocol = fresh.Protocol, e.Protocol
	e.Facts, fresh.Facts = fresh.Facts, e.Facts
	e.pool, fresh.pool = fresh.pool, e.pool
}

// Release gives e back to its pool; e must not be used afterwards.
func (e *Exchange) Release() {
	if e.pool == nil {
		return
	}
	e.Facts.Reset()
	*e = Exchange{Protocol: e.Protocol, Facts: e.Facts, pool: e.pool}
	e.pool.Put(e)
}
