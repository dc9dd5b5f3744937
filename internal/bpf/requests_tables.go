package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/sightglass/sightglass/internal/event"
)

// ioCall is a system call that moves data over a descriptor.
type ioCall struct {
	name         string
	amd64, arm64 uint16
	how          requestsRequestsCall
}

// Bits of ioCall.how, with names that fit into the table.
const (
	ioBuffer   = requestsRequestsCallIO_BUFFER
	ioVector   = requestsRequestsCallIO_VECTOR
	ioMessage  = requestsRequestsCallIO_MESSAGE
	ioSendfile = requestsRequestsCallIO_SENDFILE
	ioSplice   = requestsRequestsCallIO_SPLICE
	ioLoop     = requestsRequestsCallIO_LOOP
	ioSend     = requestsRequestsCallIO_SEND
	ioFlags    = requestsRequestsCallIO_FLAGS
)

// ioCalls lists the calls whose bytes are followed, and those by which event
// loops wait. The numbers are those of the 64-bit conventions.
var ioCalls = []ioCall{
	{"read", 0, 63, ioBuffer},
	{"write", 1, 64, ioBuffer | ioSend},
	{"readv", 19, 65, ioVector},
	{"writev", 20, 66, ioVector | ioSend},
	{"preadv2", 327, 286, ioVector},
	{"pwritev2", 328, 287, ioVector | ioSend},
	{"recvfrom", 45, 207, ioBuffer | ioFlags},
	{"sendto", 44, 206, ioBuffer | ioSend},
	{"recvmsg", 47, 212, ioMessage | ioFlags},
	{"sendmsg", 46, 211, ioMessage | ioSend},
	{"sendfile", 40, 71, ioSendfile | ioSend},
	{"splice", 275, 76, ioSplice},
	{"epoll_wait", 232, noCall, ioLoop},
	{"epoll_pwait", 281, 22, ioLoop},
	{"epoll_pwait2", 441, 441, ioLoop},
	{"io_uring_enter", 426, 426, ioLoop},
}

// noCall is the number of a call that an architecture does not have.
const noCall = 0xffff

func (c *ioCall) number(goarch string) uint16 {
	if goarch == "arm64" {
		return c.arm64
	}
	return c.amd64
}

// ioNumbers are the numbers of ioCalls.
func ioNumbers(goarch string) []uint16 {
	numbers := make([]uint16, 0, len(ioCalls))
	for i := range ioCalls {
		if n := ioCalls[i].number(goarch); n != noCall {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// Sizes of the tables in bpf/requests.h.
const (
	ioMax        = 512
	maxSignature = 64
	maxClass     = 32
)

// requestTables is what the request capture has to know: pure data.
type requestTables struct {
	calls      [ioMax]uint8
	signatures [maxSignature]requestsRequestsSignature
	count      uint32
	first      [256]uint8
	classes    [maxClass]requestsRequestsClass
}

// errSignature is a signature that the kernel side cannot hold.
var errSignature = errors.New("bpf: unusable signature")

// newRequestTables makes the tables for the numbers of goarch.
func newRequestTables(signatures []event.Signature, goarch string) (*requestTables, error) {
	t := &requestTables{}
	for i := range ioCalls {
		if n := ioCalls[i].number(goarch); n != noCall {
			t.calls[n] = uint8(ioCalls[i].how)
		}
	}
	if len(signatures) > maxSignature {
		return nil, fmt.Errorf("%w: %d, at most %d fit", errSignature, len(signatures), maxSignature)
	}
	for i := range signatures {
		s := &signatures[i]
		if s.Class == 0 || s.Class >= maxClass || s.Bound > event.MaxPayload || len(s.End) != 0 && len(s.End) != event.SignatureEnd {
			return nil, fmt.Errorf("%w: number %d: %+v", errSignature, i, *s)
		}
		t.add(s)
	}
	return t, nil
}

func (t *requestTables) add(s *event.Signature) {
	out := &t.signatures[t.count]
	t.count++
	out.Class, out.Bound = s.Class, s.Bound
	out.Value = binary.LittleEndian.Uint64(s.Value[:])
	out.Mask = binary.LittleEndian.Uint64(s.Mask[:])
	if s.End != "" {
		out.End = binary.LittleEndian.Uint32([]byte(s.End))
	}
	if s.Bare {
		out.Bare = 1
	}
	for b := range t.first {
		if byte(b)&s.Mask[0] == s.Value[0] {
			t.first[b] = 1
		}
	}
	class := &t.classes[s.Class]
	class.Bound = max(class.Bound, s.Bound)
	if s.Every {
		class.Every = 1
	}
}

// configureRequests returns a copy of the object's spec that is set up by the
// signatures and the mode.
func configureRequests(signatures []event.Signature, m mode) (*ebpf.CollectionSpec, error) {
	spec, err := loadRequests()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	t, err := newRequestTables(signatures, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]any{
		"cfg_direct":          m.direct,
		"cfg_io_calls":        t.calls[:],
		"cfg_signatures":      t.signatures[:],
		"cfg_signature_count": t.count,
		"cfg_signature_first": t.first[:],
		"cfg_classes":         t.classes[:],
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return spec, nil
}

// attachFrom attaches the hook with its program from a loaded collection. The
// caller closes both.
func (h *hookSpec) attachFrom(coll *ebpf.Collection) (link.Link, *ebpf.Program, error) {
	prog, err := coll.Programs[h.program].Clone()
	if err != nil {
		return nil, nil, fmt.Errorf("attaching: %w", err)
	}
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.name, Program: prog})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("attaching: %w", err), prog.Close())
	}
	return l, prog, nil
}

// IOCallNames are the names of the calls whose bytes the request capture
// follows.
func IOCallNames() []string {
	names := make([]string, len(ioCalls))
	for i := range ioCalls {
		names[i] = ioCalls[i].name
	}
	slices.Sort(names)
	return names
}
