package requests

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http1"
)

// Protocols is the list of the protocols that are understood. A new one is a
// folder beside http1 and a line here; its place in the list is its class in
// the kernel, from 1.
func Protocols() []exchange.Protocol {
	return []exchange.Protocol{
		http1.New(),
	}
}

// Signatures is what the kernel has to know about a list of protocols.
func Signatures(protocols []exchange.Protocol) []event.Signature {
	var all []event.Signature
	for i, p := range protocols {
		for _, s := range p.Signatures() {
			s.Class = uint8(i + 1)
			all = append(all, s)
		}
	}
	return all
}
