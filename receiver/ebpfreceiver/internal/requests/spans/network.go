package spans

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Address families, as in the kernel.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 10
)

// address prints an address of a family.
func (t *Translator) address(family uint16, a *[16]byte) string {
	if family == familyInet {
		a = &[16]byte{10: 0xff, 11: 0xff, 12: a[0], 13: a[1], 14: a[2], 15: a[3]}
	}
	return t.addrs.print(a)
}

// ends are the two ends of a connection, as one of them sees them.
type ends struct {
	peerAddr, localAddr [16]byte
	peerPort, localPort uint16
	family              uint16
	netNS               uint32
}

// located is what the spans of a connection say about where it is. Their
// attributes refer to it, so it never changes.
type located struct {
	ends                       ends
	peer, local                *string // addresses; nil where the family has none
	peerPort, localPort, netNS int64
}

// locatedPlaces is a power of two.
const locatedPlaces = 1 << locatedBits

const locatedBits = 8

// connections are those that spans were made of lately. What does not fit in gives
// way to what comes later.
type connections [locatedPlaces]*located

// locate finds or makes what is said about where an exchange took place.
func (t *Translator) locate(ex *exchange.Exchange) *located {
	at := ends{
		peerAddr: ex.PeerAddr, localAddr: ex.LocalAddr, peerPort: ex.PeerPort, localPort: ex.LocalPort,
		family: ex.Family, netNS: ex.NetNS,
	}
	const spread = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio
	hash := binary.NativeEndian.Uint64(at.peerAddr[:]) ^ binary.NativeEndian.Uint64(at.peerAddr[8:]) ^
		uint64(at.peerPort)<<32 ^ uint64(at.localPort)<<48
	place := &t.connections[hash*spread>>(64-locatedBits)]
	if l := *place; l != nil && l.ends == at {
		return l
	}
	l := &located{ends: at, peerPort: int64(at.peerPort), localPort: int64(at.localPort), netNS: int64(at.netNS)}
	if at.family == familyInet || at.family == familyInet6 {
		l.peer = t.shared.of(t.address(at.family, &at.peerAddr))
		l.local = t.shared.of(t.address(at.family, &at.localAddr))
	}
	*place = l
	return l
}

// network writes where the exchange took place.
func (w *Writer) network(ex *exchange.Exchange) {
	at := w.t.locate(ex)
	switch {
	case at.peer != nil:
		w.text(schema.NetworkPeerAddress, at.peer)
		w.integer(schema.NetworkPeerPort, &at.peerPort)
		w.text(schema.NetworkLocalAddress, at.local)
		w.integer(schema.NetworkLocalPort, &at.localPort)
	case ex.Family == familyUnix:
		w.Text(schema.NetworkTransport, "unix")
	}
	w.integer(schema.NetworkNamespace, &at.netNS)
	if ex.Encryption == nil {
		return
	}
	w.Text(schema.TLSProtocolName, "tls")
	if ex.Encryption.Version != "" {
		w.Text(schema.TLSProtocolVersion, ex.Encryption.Version)
	}
}
