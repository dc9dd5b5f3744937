package event

// Framing is how a stream is divided into frames, one after the other. It is zero
// where that is not followed.
type Framing struct {
	// HTTP2 says that they are those of RFC 9113, which the kernel side knows: of
	// bodies little is copied, header blocks whole. The other fields do not count.
	HTTP2 bool

	Header  uint8  // bytes that each begins with, its kind first; at most MaxFrameHeader
	Length  uint8  // where in them that of the body stands: 4 bytes, the highest first
	Rest    uint8  // bytes behind the body, which it does not count
	Kinds   uint16 // bit n: n is a kind
	Longest uint32 // body in bytes; what is longer is no frame
	Keep    uint16 // bytes to copy of a body
	Bulk    uint8  // kind of which no bodies are copied
}

// MaxFrameHeader is the longest header of frames that can be followed.
const MaxFrameHeader = 16

// frameLength is how many bytes a length has.
const frameLength = 4

// Valid tells whether the kernel side can follow such frames.
func (f *Framing) Valid() bool {
	return f.HTTP2 || *f == Framing{} || f.Header <= MaxFrameHeader && int(f.Length)+frameLength <= int(f.Header)
}
