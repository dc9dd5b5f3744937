package http1

// cursor walks over the bytes of a segment. The first of them are at hand, of
// the others only their number is known.
type cursor struct {
	data   []byte
	unseen uint64
}

func (c *cursor) left() uint64 { return uint64(len(c.data)) + c.unseen }

// skip walks over at most n bytes and returns over how many.
func (c *cursor) skip(n uint64) uint64 {
	n = min(n, c.left())
	seen := min(n, uint64(len(c.data)))
	c.data = c.data[seen:]
	c.unseen -= n - seen
	return n
}

// chunks follows the chunked coding (RFC 9112, section 7.1) byte by byte.
type chunks struct {
	at   chunkPart
	size uint64 // read so far, in chunkSize; bytes to come, in chunkData
	line int    // bytes of the current trailer line
}

type chunkPart uint8

const (
	chunkSize chunkPart = iota // digits
	chunkExt                   // the rest of the size line
	chunkData
	chunkGap     // the line end behind the data
	chunkTrailer // trailers, until an empty line
)

// maxChunk is the largest chunk that is believed.
const maxChunk = 1 << 50

// follow walks over as many bytes of c as belong to the body. done: the body
// ended. lost: the bytes that would tell where it ends are not at hand, or are
// not what they should be.
func (k *chunks) follow(c *cursor) (done, lost bool) {
	for c.left() > 0 {
		if k.at == chunkData {
			k.size -= c.skip(k.size)
			if k.size == 0 {
				k.at = chunkGap
			}
			continue
		}
		if len(c.data) == 0 {
			return false, true
		}
		b := c.data[0]
		c.data = c.data[1:]
		if done, ok := k.step(b); done || !ok {
			return done, !ok
		}
	}
	return false, false
}

// step takes one byte of framing. ok is false when it is not allowed here.
func (k *chunks) step(b byte) (done, ok bool) {
	switch k.at {
	case chunkSize:
		return false, k.sizeByte(b)
	case chunkExt:
		if b == '\n' {
			k.endSizeLine()
		}
	case chunkGap:
		if b == '\n' {
			*k = chunks{}
		} else if b != '\r' {
			return false, false
		}
	default: // chunkTrailer
		switch b {
		case '\r':
		case '\n':
			if k.line == 0 {
				return true, true
			}
			k.line = 0
		default:
			k.line++
		}
	}
	return false, true
}

func (k *chunks) sizeByte(b byte) bool {
	switch {
	case b >= '0' && b <= '9':
		k.size = k.size<<4 | uint64(b-'0')
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		k.size = k.size<<4 | uint64(b|0x20-'a'+10)
	case b == '\n':
		k.endSizeLine()
	case b == '\r' || b == ';' || b == ' ' || b == '\t':
		k.at = chunkExt
	default:
		return false
	}
	return k.size <= maxChunk
}

func (k *chunks) endSizeLine() {
	k.at = chunkData
	if k.size == 0 {
		k.at, k.line = chunkTrailer, 0
	}
}

// tail remembers the last bytes of a stream over its segments.
type tail struct {
	b [8]byte
	n int
}

// add takes the last bytes of the next segment of length bytes.
func (t *tail) add(last []byte, length uint64) {
	if uint64(len(last)) < min(length, uint64(len(t.b))) {
		t.n = 0 // unknown bytes came between
	}
	if keep := len(t.b) - len(last); t.n > keep {
		copy(t.b[:], t.b[t.n-keep:t.n])
		t.n = keep
	}
	t.n += copy(t.b[t.n:], last)
}

// lastChunk is how a chunked body without trailers ends.
const lastChunk = "\r\n0\r\n\r\n"

// endsBody tells whether the stream ends as a chunked body does.
func (t *tail) endsBody() bool {
	return t.n >= len(lastChunk) && string(t.b[t.n-len(lastChunk):t.n]) == lastChunk
}
