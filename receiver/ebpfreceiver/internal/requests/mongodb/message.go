package mongodb

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/unpack"
)

// Every message begins with its length, a number of its own, the number of the
// message that it answers, and its kind: four little-endian numbers.
const (
	headerSize = 16
	responseAt = 8
	opcodeAt   = 12
	maxMessage = 1 << 26 // servers take 48 MB
)

// opcode is the kind of a message.
type opcode uint32

const (
	opReply      opcode = 1
	opUpdate     opcode = 2001
	opInsert     opcode = 2002
	opQuery      opcode = 2004
	opGetMore    opcode = 2005
	opDelete     opcode = 2006
	opKill       opcode = 2007
	opCompressed opcode = 2012
	opMsg        opcode = 2013
)

// Flags of OP_MSG.
const (
	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
	flagExhaust    = 1 << 16
)

// legacy are the kinds that older drivers send: after four bytes they name what
// they are about, "database.collection".
var legacy = map[opcode]struct {
	operation string
	answered  bool
}{
	opQuery: {"find", true}, opGetMore: {"getMore", true},
	opInsert: {"insert", false}, opUpdate: {"update", false}, opDelete: {"delete", false},
}

// least is the length of the shortest message of a kind, 0 for none.
func (op opcode) least() uint32 {
	switch op {
	case opMsg:
		return headerSize + 4 + 1 + 5 // flags, the kind of a section, an empty document
	case opCompressed:
		return headerSize + 4 + 4 + 1 // kind and length of what is compressed, and how it is
	case opReply:
		return headerSize + 20
	case opQuery, opGetMore, opInsert, opUpdate, opDelete, opKill:
		return headerSize + 8
	}
	return 0
}

// header is the beginning of a message.
type header struct {
	length   uint32 // with the header
	id       uint32
	response uint32 // id of the message that it answers; 0 for a request
	op       opcode
}

func parseHeader(b []byte) header {
	le := binary.LittleEndian
	return header{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[responseAt:]), opcode(le.Uint32(b[opcodeAt:]))}
}

// side tells whose message it is.
func (h *header) side() exchange.Side {
	if h.op == opReply || h.response != 0 && (h.op == opMsg || h.op == opCompressed) {
		return exchange.Response
	}
	return exchange.Request
}

func (h *header) valid() bool {
	least := h.op.least()
	return least != 0 && h.length >= least && h.length <= maxMessage
}

// Ways to compress.
const (
	packedNot    = 0
	packedSnappy = 1
	packedZlib   = 2
	packedZstd   = 3
)

// packedHeader is what the body of an OP_COMPRESSED begins with: the kind and the
// length of the message within, and the way.
const packedHeader = 9

// unpack turns an OP_COMPRESSED into the message within, of which the first bytes
// come out, as far as they are at hand. It tells whether it is known how.
func (p *Parser) unpack(h *header, m *dbconn.Message) bool {
	m.Packed = m.Len
	if len(m.Body) < packedHeader {
		h.op, m.Body = opMsg, nil // most are
		return true
	}
	h.op, m.Len = opcode(word(m.Body)), uint64(word(m.Body[4:]))
	way, packed := m.Body[packedHeader-1], m.Body[packedHeader:]
	most := int(min(m.Len, maxKept))
	dst, streams := &p.proto.unpacked, &p.proto.streams
	switch way {
	case packedNot:
		m.Body = packed[:min(len(packed), most)]
		return h.valid()
	case packedSnappy:
		*dst, _ = unpack.Snappy(*dst, packed, most)
	case packedZlib:
		*dst = streams.Zlib(*dst, packed, most)
	case packedZstd:
		*dst = streams.Zstd(*dst, packed, most)
	default:
		return false
	}
	m.Body = *dst
	return h.valid() && h.op != opCompressed && m.Len <= maxMessage
}

// maxKept is how much of a message is kept that comes in parts.
const maxKept = 4096

var messages = dbconn.Header{
	Size: headerSize,
	Length: func(head []byte) (uint64, bool) {
		h := parseHeader(head)
		return uint64(h.length) - headerSize, h.valid()
	},
	Keep: func([]byte) int { return maxKept },
}

// begins tells whether b begins a message, and whose: of what is at hand
// everything must be as it has to be.
func begins(b []byte) exchange.Verdict {
	if len(b) < headerSize {
		return exchange.Foreign
	}
	h := parseHeader(b)
	if !h.valid() || !h.plausible(b[headerSize:]) {
		return exchange.Foreign
	}
	if h.side() == exchange.Response {
		return exchange.IsResponse
	}
	return exchange.IsRequest
}

// plausible tells whether body, which may be cut, can be that of the message.
func (h *header) plausible(body []byte) bool {
	if len(body) < 4 {
		return true
	}
	first, rest := binary.LittleEndian.Uint32(body), body[4:]
	switch h.op {
	case opMsg:
		return first&^(flagChecksum|flagMoreToCome|flagExhaust) == 0 && plausibleSection(rest, h.length)
	case opCompressed:
		return opcode(first).least() != 0 && opcode(first) != opCompressed && (len(rest) < 5 || rest[4] <= 3)
	case opReply:
		return first < 16
	case opQuery:
		return first < 256 && plausibleName(rest)
	default:
		return first == 0 || h.op == opInsert && first == 1
	}
}

// plausibleSection tells whether b can begin the first section of an OP_MSG of
// so many bytes: a document that is not empty, or a sequence with its name.
func plausibleSection(b []byte, length uint32) bool {
	if len(b) < 6 {
		return len(b) == 0 || b[0] <= sectionSequence
	}
	n := binary.LittleEndian.Uint32(b[1:])
	if n < 6 || n > length-headerSize {
		return false
	}
	switch b[0] {
	case sectionBody:
		return knownKind(b[5]) && (len(b) < 7 || isWord(b[6]))
	case sectionSequence:
		return isWord(b[5])
	}
	return false
}

// plausibleName tells whether b begins with a name of printable characters.
func plausibleName(b []byte) bool {
	name, _, _ := bytes.Cut(b, []byte{0})
	for _, c := range name[:min(len(name), 16)] {
		if c < ' ' {
			return false
		}
	}
	return len(b) == 0 || len(name) > 0
}

// isWord tells whether the name of a command or of one of its fields may begin
// with c.
func isWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '$' || c == '_' }
