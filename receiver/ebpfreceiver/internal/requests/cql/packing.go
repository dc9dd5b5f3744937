package cql

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/unpack"
)

// packing is how the bodies of envelopes may be compressed, until version 4. What
// version 5 compresses is segments, which are not followed then.
type packing uint8

const (
	packedNot packing = iota // or not known
	packedLZ4
	packedSnappy
	packedUnknown // in no way that the protocol has
)

// packingOf is the way of a name in STARTUP.
func packingOf(name []byte) packing {
	switch {
	case bytes.EqualFold(name, []byte("lz4")):
		return packedLZ4
	case bytes.EqualFold(name, []byte("snappy")):
		return packedSnappy
	}
	return packedUnknown
}

// maxUnpacked is how much of a body is unpacked.
const maxUnpacked = 4096

// body is the body of an envelope, or its beginning, unpacked if it was packed;
// empty when that cannot be done. It is valid until the next call.
func (p *Parser) body(h *header, m *dbconn.Message) []byte {
	if h.flags&flagCompressed == 0 {
		return m.Body
	}
	dst := &p.proto.unpacked
	switch p.packing {
	case packedLZ4:
		*dst, _ = unpackLZ4(*dst, m.Body)
	case packedSnappy:
		*dst, _ = unpack.Snappy(*dst, m.Body, maxUnpacked)
	default: // nobody has seen the STARTUP: it is the way in which the length is right
		var length uint64
		if *dst, length = unpackLZ4(*dst, m.Body); !fits(*dst, length) {
			if *dst, length = unpack.Snappy(*dst, m.Body, maxUnpacked); !fits(*dst, length) {
				return nil
			}
		}
	}
	return *dst
}

// unpackLZ4 unpacks a body of LZ4, before which stands what it unpacks to.
func unpackLZ4(dst, b []byte) (out []byte, length uint64) {
	const size = 4
	if len(b) < size {
		return dst[:0], 0
	}
	length = uint64(binary.BigEndian.Uint32(b))
	return unpack.LZ4(dst, b[size:], int(min(length, maxUnpacked))), length
}

// fits tells whether all of a body has come out, as long as it is told to be.
func fits(out []byte, length uint64) bool { return length > 0 && uint64(len(out)) == length }
