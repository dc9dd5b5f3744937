package cql

// From version 5 on envelopes are carried in segments: a header of 3 bytes with
// the length of the payload and whether it is whole envelopes, their checksum,
// the payload, and its checksum.
const (
	segmentHeader  = 6
	segmentTrailer = 4
	payloadBits    = 17
	selfContained  = 1 << payloadBits
)

// CRC-24 as the protocol has it.
const (
	crc24Initial    = 0x875060
	crc24Polynomial = 0x1974f0b
)

func crc24(value uint64, bytes int) uint32 {
	crc := uint32(crc24Initial)
	for range bytes {
		crc ^= uint32(value&0xff) << 16
		value >>= 8
		for range 8 {
			crc <<= 1
			if crc&(1<<24) != 0 {
				crc ^= crc24Polynomial
			}
		}
	}
	return crc
}

func little24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// parseSegment reads the header of a segment without compression. ok is false
// when b begins with none.
func parseSegment(b []byte) (length uint32, whole, ok bool) {
	if len(b) < segmentHeader {
		return 0, false, false
	}
	value := little24(b)
	if crc24(uint64(value), 3) != little24(b[3:]) {
		return 0, false, false
	}
	length = value & (selfContained - 1)
	return length, value&selfContained != 0, length > 0 && value>>(payloadBits+1) == 0
}

// beginsSegment tells whether b, the first bytes of n, begins a segment whose
// payload begins with an envelope of a side.
func beginsSegment(b []byte, n uint64, asks bool) bool {
	length, whole, ok := parseSegment(b)
	if !ok || !whole {
		return false
	}
	b = b[segmentHeader:]
	return walk(b[:min(len(b), int(length))], min(n, uint64(length)), asks) > 0
}
