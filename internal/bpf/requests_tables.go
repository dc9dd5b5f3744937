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
	ioURing    = requestsRequestsCallIO_URING
	ioOption   = requestsRequestsCallIO_OPTION
	ioMessages = requestsRequestsCallIO_MESSAGES
	ioSend     = requestsRequestsCallIO_SEND
	ioFlags    = requestsRequestsCallIO_FLAGS
	ioNamed    = requestsRequestsCallIO_NAMED
)

// ioCalls lists the calls whose bytes are followed, those by which event loops
// wait, and that by which sockets get the keys of kernel TLS. The numbers are those of the 64-bit conventions.
var ioCalls = []ioCall{
	{"read", 0, 63, ioBuffer},
	{"write", 1, 64, ioBuffer | ioSend},
	{"readv", 19, 65, ioVector},
	{"writev", 20, 66, ioVector | ioSend},
	{"preadv2", 327, 286, ioVector},
	{"pwritev2", 328, 287, ioVector | ioSend},
	{"recvfrom", 45, 207, ioBuffer | ioFlags | ioNamed},
	{"sendto", 44, 206, ioBuffer | ioSend | ioNamed},
	{"recvmsg", 47, 212, ioMessage | ioFlags},
	{"sendmsg", 46, 211, ioMessage | ioSend},
	{"recvmmsg", 299, 243, ioMessages | ioFlags},
	{"sendmmsg", 307, 269, ioMessages | ioSend},
	{"sendfile", 40, 71, ioSendfile | ioSend},
	{"splice", 275, 76, ioSplice},
	{"epoll_wait", 232, noCall, ioLoop},
	{"epoll_pwait", 281, 22, ioLoop},
	{"epoll_pwait2", 441, 441, ioLoop},
	{"setsockopt", 54, 208, ioOption},
	{"io_uring_setup", 425, 425, ioURing},
	{"io_uring_enter", 426, 426, ioURing},
}

// ioCompat are the numbers of the 32-bit calls by which connections are made.
// Native calls with the same numbers, of which there is one, getuid, pay a
// little for it.
var ioCompat = map[string][]uint16{
	"amd64": {socketcallNumber, 359, 362, 364}, // socket, connect, accept4
	"arm64": {281, 283, 285, 366},              // socket, connect, accept, accept4
}

// noCall is the number of a call that an architecture does not have.
const noCall = 0xffff

func (c *ioCall) number(goarch string) uint16 {
	if goarch == "arm64" {
		return c.arm64
	}
	return c.amd64
}

// ioFlagsOf says by number which calls the request capture takes, and where.
func ioFlagsOf(goarch string) map[uint16]uint8 {
	flags := map[uint16]uint8{}
	for i := range ioCalls {
		n := ioCalls[i].number(goarch)
		if n == noCall {
			continue
		}
		flags[n] |= uint8(securityCallFlagCALL_IO)
		if ioCalls[i].how&ioSend != 0 {
			flags[n] |= uint8(securityCallFlagCALL_IO_ENTER)
		}
	}
	for _, n := range ioCompat[goarch] {
		flags[n] |= uint8(securityCallFlagCALL_IO_COMPAT)
	}
	return flags
}

// Sizes of the tables in bpf/requests.h.
const (
	ioMax        = 512
	maxSignature = 128
	maxClass     = 32
	maxOrder     = 4096
	datagramList = 256
	portBytes    = 65536 / 8
)

// requestTables is what the request capture has to know: pure data.
type requestTables struct {
	calls      [ioMax]uint8
	signatures [maxSignature]requestsRequestsSignature
	classes    [maxClass]requestsRequestsClass
	// By the byte that a message begins with, and for datagrams: the signatures
	// that it may match, as indices in signatures.
	lists     [datagramList + 1]requestsRequestsList
	order     [maxOrder]uint8
	datagrams bool
	ports     [portBytes]uint8
}

// errSignature is a signature that the kernel side cannot hold.
var errSignature = errors.New("bpf: unusable signature")

// newRequestTables makes the tables for the numbers of goarch.
func newRequestTables(signatures []event.Signature, ports []uint16, goarch string) (*requestTables, error) {
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
		if s.Class == 0 || s.Class >= maxClass || s.Bound > event.MaxPayload || len(s.End) != 0 && len(s.End) != event.SignatureEnd || !s.Frames.Valid() {
			return nil, fmt.Errorf("%w: number %d: %+v", errSignature, i, *s)
		}
		t.signatures[i] = signatureOf(s)
		if class := &t.classes[s.Class]; !s.Datagram {
			class.Bound = max(class.Bound, s.Bound)
			class.Every |= boolByte(s.Every)
			class.Resumes |= boolByte(s.Resumes)
			class.Apart |= boolByte(s.Apart)
			if s.Frames != (event.Framing{}) {
				class.Shape = shapeOf(&s.Frames)
			}
		}
		t.datagrams = t.datagrams || s.Datagram
	}
	for _, p := range ports {
		t.ports[p>>3] |= 1 << (p & 7)
	}
	return t, t.arrange(signatures)
}

// arrange makes the lists. A signature whose first byte is masked stands in
// several.
func (t *requestTables) arrange(signatures []event.Signature) error {
	n := 0
	for b := range t.lists {
		t.lists[b].First = uint16(n)
		for i := range signatures {
			s := &signatures[i]
			if s.Datagram != (b == datagramList) || !s.Datagram && byte(b)&s.Mask[0] != s.Value[0] {
				continue
			}
			if n == maxOrder {
				return fmt.Errorf("%w: too many with a masked first byte", errSignature)
			}
			t.order[n] = uint8(i)
			n++
			t.lists[b].Count++
		}
	}
	return nil
}

// signatureOf is a signature as the kernel side compares it.
func signatureOf(s *event.Signature) requestsRequestsSignature {
	out := requestsRequestsSignature{
		Class: s.Class, Bound: s.Bound,
		Value: binary.LittleEndian.Uint64(s.Value[:8]), ValueNext: binary.LittleEndian.Uint64(s.Value[8:]),
		Mask: binary.LittleEndian.Uint64(s.Mask[:8]), MaskNext: binary.LittleEndian.Uint64(s.Mask[8:]),
	}
	if s.Bare {
		out.Flags |= uint8(requestsRequestsSignatureFlagSIGNATURE_BARE)
	}
	if s.Bodiless {
		out.Flags |= uint8(requestsRequestsSignatureFlagSIGNATURE_BODILESS)
	}
	if s.Supersedes {
		out.Flags |= uint8(requestsRequestsSignatureFlagSIGNATURE_SUPERSEDES)
	}
	if s.End != "" {
		out.End = binary.LittleEndian.Uint32([]byte(s.End))
	}
	return out
}

// http2Header is how many bytes a frame of HTTP/2 begins with.
const http2Header = 9

// shapeOf is what frames look like to the kernel side.
func shapeOf(f *event.Framing) requestsRequestsShape {
	if f.HTTP2 {
		return requestsRequestsShape{Framing: uint8(requestsRequestsFramingFRAMING_HTTP2), Header: http2Header}
	}
	return requestsRequestsShape{
		Framing: uint8(requestsRequestsFramingFRAMING_PLAIN), Header: f.Header, Length: f.Length, Rest: f.Rest,
		Longest: f.Longest, Kinds: f.Kinds, Keep: f.Keep, Bulk: f.Bulk,
	}
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// bounded returns signatures that ask for at most so many bytes of a message.
func bounded(signatures []event.Signature, most int) []event.Signature {
	signatures = slices.Clone(signatures)
	for i := range signatures {
		signatures[i].Bound = min(signatures[i].Bound, uint16(most))
	}
	return signatures
}

// configureRequests returns a copy of the object's spec that is set up by the
// options and the mode.
func configureRequests(opts *Options, m mode) (*ebpf.CollectionSpec, error) {
	spec, err := loadRequests()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	if !opts.TLS {
		spec.Maps["tls_threads"].MaxEntries = 1
		spec.Maps["tls_sessions"].MaxEntries = 1
	}
	return spec, setRequestTables(spec, opts, m)
}

// setRequestTables fills in what the programs of an object that takes part in
// the request capture have to know.
func setRequestTables(spec *ebpf.CollectionSpec, opts *Options, m mode) error {
	t, err := newRequestTables(bounded(opts.Signatures, opts.MaxPayload), opts.DatagramPorts, runtime.GOARCH)
	if err != nil {
		return err
	}
	for name, value := range map[string]any{
		"cfg_direct":      m.direct,
		"cfg_io_calls":    t.calls[:],
		"cfg_signatures":  t.signatures[:],
		"cfg_payload_max": uint16(opts.MaxPayload),
		"cfg_order":       t.order[:],
		"cfg_lists":       t.lists[:],
		"cfg_classes":     t.classes[:],
		"cfg_datagrams":   t.datagrams,
		"cfg_ports":       t.ports[:],
		"cfg_tls_class":   opts.TLSClass,
		"cfg_kernel_tls":  opts.TLS,
	} {
		v := spec.Variables[name]
		if v == nil {
			continue // no program of this object asks for it
		}
		if err := v.Set(value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
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
