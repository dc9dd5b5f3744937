package exchange

import "github.com/sightglass/sightglass/internal/event"

// Side is which way bytes go in the terms of a protocol.
type Side uint8

// Sides.
const (
	Request Side = iota
	Response
)

// Verdict of a look at the first bytes of a connection.
type Verdict uint8

// Verdicts.
const (
	Foreign    Verdict = iota // not this protocol
	IsRequest                 // the beginning of a request
	IsResponse                // the beginning of a response
	IsEither                  // this protocol, and nothing tells which side
)

// Segment is the bytes of one I/O call in protocol terms. The parser may keep
// none of its slices.
type Segment struct {
	Side    Side
	Start   uint64 // when the first byte was being sent, or had been received
	End     uint64 // when the call returned
	Len     uint64 // bytes moved; Payload may hold fewer
	Payload []byte // the first bytes
	Tail    []byte // the last bytes; unless Payload holds them all, empty when unknown
	// Excerpts are more of the bytes, behind those of Payload: where Signature.Frames
	// is set, the beginnings of frames.
	Excerpts event.Excerpts
	Who      Who
	// Datagram says that the bytes are one message of a datagram socket.
	Datagram bool
}

// TailBytes is how many of the last bytes of a segment are known at least, if
// any are. More are where every segment counts and one buffer is longer than
// what is copied.
const TailBytes = 8

// Last returns the last bytes of the segment, at most TailBytes; it is empty
// when they are not known.
func (s *Segment) Last() []byte {
	if uint64(len(s.Payload)) == s.Len {
		return s.Payload[max(0, len(s.Payload)-TailBytes):]
	}
	return s.Tail[max(0, len(s.Tail)-TailBytes):]
}

// Who made a call.
type Who struct {
	Owner           event.ProcessKey
	TID             uint32
	Fiber           uint64 // event.Request.Fiber
	CgroupID        uint64
	CgroupHierarchy uint32
	Loop            bool // TID is an event loop, which works on many requests in turns
}

// Protocol is one request protocol. A new one is a folder with an
// implementation and a line in the list of package requests.
type Protocol interface {
	// Name is short, lower-case and constant.
	Name() string
	// Signatures tell the kernel how messages begin; Class is filled in by the
	// list.
	Signatures() []event.Signature
	// Classify looks at the first bytes of a segment.
	Classify(first []byte) Verdict
	// NewParser returns a parser for one connection, which tells sink what it
	// finds.
	NewParser(sink Sink) Parser
	// NewFacts returns empty facts.
	NewFacts() Facts
}

// Sink is the connection that a parser works for.
type Sink interface {
	// New returns an exchange that s begins, with Endpoint and Start filled,
	// or nil when too many are open. The parser owns it until Done or Drop.
	New(s *Segment) *Exchange
	// Done hands over an exchange that ended. End, Class and Incomplete are set.
	Done(ex *Exchange)
	// Drop takes back an exchange that turned out to be none.
	Drop(ex *Exchange)
	// Count reports an exchange of which too little is known to describe it.
	Count(why Reason)
	// Opaque says that from here on the connection has a form that is not
	// decoded; the parser ignores what follows.
	Opaque(form Form)
	// Client tells whether this process sends the requests.
	Client() bool
}

// Parser follows one connection. It is used by one goroutine.
type Parser interface {
	// Reset prepares the parser for a new connection. midway: it was not seen
	// from its beginning.
	Reset(sink Sink, midway bool)
	// Segment takes the next bytes of either side. Within a side they come in
	// order; between the sides only times tell the order.
	Segment(s *Segment)
	// Gap says that n bytes of a side were moved unseen, the last of them
	// before now.
	Gap(side Side, n, now uint64)
	// EOF says that a side ended at a time.
	EOF(side Side, at uint64)
	// Close says that the connection is over. Nothing follows but Reset.
	Close(at uint64)
	// Tick lets time pass while nothing happens.
	Tick(now uint64)
	// Open is the number of exchanges that the parser holds.
	Open() int
	// Abandon ends all open exchanges for a reason; the parser is not used
	// afterwards, except for Reset.
	Abandon(why Reason)
}

// Skipper is a Parser that can go on behind whole exchanges that were left out,
// where another one is told of a gap.
type Skipper interface {
	// Skip says that exchanges were left out from their first byte to their
	// last one, and that the next segment begins a request.
	Skip(now uint64)
}

// Switcher is a Sink of a connection that may go on in another protocol.
type Switcher interface {
	// Switch says that the connection goes on in the protocol of that name with
	// rest, a segment of the response side, which may be empty. It answers ex, which
	// the parser gives away and must be the only one that it held. The parser is
	// not used afterwards, except for Reset. False: the protocol is not followed,
	// and the parser goes on.
	Switch(protocol string, ex *Exchange, rest *Segment) bool
}

// Heir is a Parser that can take over a connection from another protocol.
type Heir interface {
	// Inherit gives it the request under way, directly after Reset. The facts of
	// ex are empty ones of this protocol, before are those of the other.
	Inherit(ex *Exchange, before Facts)
}

// Refuser is a Parser that may find out that the connection speaks another
// protocol than its own, although it began alike.
type Refuser interface {
	// Refused is asked after each Segment. A parser that says yes has dropped
	// the exchanges that it held, and is not used afterwards, except for Reset.
	Refused() bool
}
