package kafka

import "encoding/binary"

// Places in a batch of records, in bytes. All versions begin alike, up to the
// one that says which it is.
const (
	batchLength     = 8  // of what follows it
	batchMagic      = 16 // the version
	batchHead       = 17 // bytes up to there
	batchAttributes = 21 // of version 2
	batchCount      = 57
	batchSize       = 61 // bytes before the first record of version 2

	messageAttributes = 17 // of versions 0 and 1, which are one message
	messageSize       = 18
)

const (
	controlBatch = 1 << 5 // markers of transactions, which are no messages
	compressed   = 7      // bits that say how: of versions 0 and 1 the messages within cannot be counted
)

// count walks over size bytes of records and returns how many there are. known
// is false when that lies in bytes that are not at hand, or compressed. A fetch
// may end within a batch, which does not count: it will be fetched again.
func (r *reader) count(size uint64) (n int64, known bool) {
	for size >= batchHead {
		if uint64(len(r.b)) < batchHead {
			r.skip(size)
			return n, false
		}
		length := uint64(batchLength+4) + uint64(binary.BigEndian.Uint32(r.b[batchLength:]))
		if length > size {
			break
		}
		k, ok := countBatch(r.b)
		if !ok || length < batchHead {
			r.skip(size)
			return n, false
		}
		n += k
		r.skip(length)
		size -= length
	}
	r.skip(size)
	return n, true
}

// countBatch returns how many records the batch that b begins with has.
func countBatch(b []byte) (n int64, known bool) {
	switch magic := b[batchMagic]; {
	case magic < 2 && len(b) >= messageSize:
		return 1, b[messageAttributes]&compressed == 0
	case magic == 2 && len(b) >= batchSize:
		if binary.BigEndian.Uint16(b[batchAttributes:])&controlBatch != 0 {
			return 0, true
		}
		n = int64(int32(binary.BigEndian.Uint32(b[batchCount:])))
		return n, n >= 0
	}
	return 0, false
}
