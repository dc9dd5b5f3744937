package event

// Request is a record of the requests ring: bytes that moved over a socket
// (TypeData) or a socket's end (TypeSocketClose). Header.Time is the moment the
// call returned, respectively the socket was destroyed. Header.Key, TID and the
// cgroup are those of the thread that made the call; the end of a socket has
// those of the last thread that used it.
type Request struct {
	Socket          uint64 // names one socket until the machine reboots; never reused
	CgroupID        uint64
	CgroupHierarchy uint32 // as in Task
	NetNS           uint32 // inode number of the socket's network namespace
	Family          uint16 // AF_INET, AF_INET6 or AF_UNIX
	LocalPort       uint16
	PeerPort        uint16
	LocalAddr       [16]byte // IPv4 in the first 4 bytes; network order
	PeerAddr        [16]byte
	Role            Role
	Flags           RequestFlags
	Class           uint8 // Signature.Class that the socket's bytes matched; 0 for none

	// The next belong to TypeData.
	Direction Direction
	Error     int32    // negative errno when the call failed; Bytes is 0 then
	Enter     uint64   // when the call began, ns since boot; 0 when not seen, as for all receives
	Position  uint64   // bytes that this socket had moved in this direction before the call, since it is watched
	Opposite  uint32   // bytes that it had moved in the other direction by then, modulo 2^32; never too many
	Skipped   bool     // the exchanges before were left out whole, because the reader could not keep up
	Bytes     uint64   // bytes that the call moved; 0 with Error 0 is the peer's end of file
	Payload   []byte   // the first of these bytes, up to the bound of the protocol
	Tail      []byte   // the last of these bytes; empty when they are not known (sendfile, splice)
	Excerpts  Excerpts // more of these bytes, behind those of Payload

	// Fiber is the register in which Go keeps the current goroutine, since 1.17; in
	// other programs it means nothing.
	Fiber uint64

	// The next belong to TypeSocketClose.
	Received, Sent uint64 // bytes that the socket moved since it is watched
}

// Role says which end of a connection a socket is.
type Role uint8

// Roles.
const (
	RoleUnknown Role = iota
	RoleClient       // it connected
	RoleServer       // it was accepted
)

// Direction of bytes, seen from the process.
type Direction uint8

// Directions.
const (
	Receive Direction = iota
	Send
)

// Opposite is the other direction.
func (d Direction) Opposite() Direction { return d ^ 1 }

// RequestFlags qualify a record of the requests ring.
type RequestFlags uint8

// Bits of RequestFlags.
const (
	RequestGuessed  RequestFlags = 1 << iota // Role was inferred: nobody saw the connection being made
	RequestMidway                            // the socket is watched since some time after its connection was made
	RequestHead                              // the bytes begin as a message of the protocol does
	RequestBoring                            // TypeSocketClose: the kernel had stopped reporting this socket
	RequestLoop                              // the thread is an event loop: it waits for many descriptors at once
	RequestDatagram                          // the bytes are one message; the peer is that of this message
	RequestTLS                               // the bytes are the plain text of an encrypted connection
	RequestCovered                           // the bytes are cipher text, and the plain text is told as well
)

// TLSStream is set in Request.Socket of a connection's plain text. Without it,
// it is the Socket of its cipher text. The first record of plain text has no
// bytes: it announces what may follow.
const TLSStream uint64 = 1 << 63

// SignatureBytes is how many leading bytes a Signature can look at.
const SignatureBytes = 16

// MaxPayload is the largest Payload, in bytes.
const MaxPayload = 4096

// Signature tells the kernel how the messages of one protocol begin; a
// protocol has as many as it needs. Sockets whose segments match none are soon
// left alone.
type Signature struct {
	Class       uint8                // names the protocol in Request.Class; never 0
	Value, Mask [SignatureBytes]byte // a byte matches when byte & Mask == Value
	Bound       uint16               // bytes of a message to copy, at most MaxPayload
	// End, when it is not empty, is the 4 bytes that the head of a message ends
	// with. Where a head is longer than Bound, or several messages come at once,
	// up to MaxPayload bytes of a segment are copied.
	End string
	// Bare messages often end with their head: a segment that ends with End is
	// copied whole, up to MaxPayload bytes.
	Bare bool
	// Bodiless messages always do: what a segment has behind End are others.
	Bodiless bool
	// Every segment of a socket of this class begins something worth reading,
	// in both directions: up to Bound bytes of each are copied, not only of
	// those that begin a turn. For multiplexed and pipelined protocols.
	Every bool
	// Frames says how the streams of this class are divided into frames, if their
	// places are followed: where a segment is longer than Bound, the beginnings of its
	// frames are copied (Request.Excerpts), in several records if one has no room
	// for all. Each of these is like the record of a call.
	Frames Framing
	// Supersedes says that a message that begins so is of this class even on a
	// socket of another one, and all that follows it as well.
	Supersedes bool
	// Resumes says that the protocol, once it has agreed upon encryption, goes on
	// where it was, and does not begin anew.
	Resumes bool
	// Apart says that exchanges stand apart from each other: when the reader of
	// the records cannot keep up, some are left out from the first byte of the
	// request to the last one of the response (Request.Skipped).
	Apart bool
	// Datagram signatures are compared with datagrams at the ports that are
	// watched for such, others with streams.
	Datagram bool
}

// Matches tells whether a message that begins with b may be one of the
// signature's, as the kernel side decides it: bytes that are not there match
// anything.
func (s *Signature) Matches(b []byte) bool {
	for i, c := range b[:min(len(b), SignatureBytes)] {
		if c&s.Mask[i] != s.Value[i] {
			return false
		}
	}
	return true
}

// SignatureEnd is the length of Signature.End.
const SignatureEnd = 4
