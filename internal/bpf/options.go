package bpf

import (
	"fmt"
	"math/bits"
	"os"

	"github.com/sightglass/sightglass/internal/event"
)

// Sizes of the rings, in bytes.
const (
	DefaultRingSize = 4 << 20
	MaxRingSize     = 1 << 30
)

// DefaultDatagramPorts are those of DNS, which is the one protocol of datagrams that is understood.
var DefaultDatagramPorts = []uint16{53}

// Options say what Load makes. The zero value captures the life of processes
// and control groups, and no system calls.
type Options struct {
	// SecurityRing and RequestsRing are the sizes of the ring buffers in
	// bytes: powers of two and multiples of the page size. 0 means
	// DefaultRingSize.
	SecurityRing, RequestsRing int
	// Syscalls are the names of the calls to capture from the start on; see
	// Agent.SetInterest.
	Syscalls []string
	// Requests switches the capture of requests (socket data) on.
	Requests bool
	// Signatures tell the request capture which sockets to follow.
	Signatures []event.Signature
	// MaxPayload bounds the bytes that are copied of one segment, whatever the
	// signatures ask for: 1 to event.MaxPayload. 0 means the latter.
	MaxPayload int
	// DatagramPorts are the ports whose datagrams are compared with signatures
	// of such. nil means DefaultDatagramPorts; the datagrams of all other ports
	// are left alone.
	DatagramPorts []uint16
	// TLS loads the programs for probes in TLS libraries (Agent.AttachTLS). It
	// needs Requests.
	TLS bool
	// TLSClass is the class of signatures that cipher text matches; 0 when there
	// are none.
	TLSClass uint8
	// Latency keeps histograms of the duration of every system call. It costs
	// every call of the machine over 100 ns.
	Latency bool
	// Plain uses only what Linux 5.10 has, to test that on newer kernels.
	Plain bool
}

// withDefaults fills in what is zero and checks the rest.
func (o Options) withDefaults() (Options, error) {
	for _, size := range []*int{&o.SecurityRing, &o.RequestsRing} {
		if *size == 0 {
			*size = DefaultRingSize
		}
		if *size < os.Getpagesize() || *size > MaxRingSize || bits.OnesCount(uint(*size)) != 1 {
			return o, fmt.Errorf("ring size %d: want a power of two from %d to %d bytes",
				*size, os.Getpagesize(), MaxRingSize)
		}
	}
	if o.MaxPayload == 0 {
		o.MaxPayload = event.MaxPayload
	}
	if o.MaxPayload < 1 || o.MaxPayload > event.MaxPayload {
		return o, fmt.Errorf("payload of %d bytes: want 1 to %d", o.MaxPayload, event.MaxPayload)
	}
	if o.DatagramPorts == nil {
		o.DatagramPorts = DefaultDatagramPorts
	}
	return o, nil
}
