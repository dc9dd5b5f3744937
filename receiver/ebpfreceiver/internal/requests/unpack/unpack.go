// Package unpack reads the beginning of what a peer has compressed. All of it is
// bounded by what is asked for, and what is packed may be cut: then as much comes
// out as is known.
package unpack

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Streams unpacks streams of zlib and Zstandard. The zero value is ready. Its
// decoders are kept for the next use; one goroutine at a time.
type Streams struct {
	src  bytes.Reader
	zlib io.ReadCloser
	zstd *zstd.Decoder
}

// maxWindow bounds the memory of a decoder of Zstandard, in bytes.
const maxWindow = 1 << 20

// Zlib unpacks the first bytes of src into dst: most bytes at the most, fewer
// where it ends before, or is no such stream.
func (s *Streams) Zlib(dst, src []byte, most int) []byte {
	s.src.Reset(src)
	if s.zlib == nil {
		r, err := zlib.NewReader(&s.src)
		if err != nil {
			return dst[:0]
		}
		s.zlib = r
	} else if err := s.zlib.(zlib.Resetter).Reset(&s.src, nil); err != nil {
		return dst[:0]
	}
	return fill(dst, s.zlib, most)
}

// Zstd does so with Zstandard, which comes out in blocks: of one that is cut
// nothing does.
func (s *Streams) Zstd(dst, src []byte, most int) []byte {
	s.src.Reset(src)
	if s.zstd == nil {
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return dst[:0]
		}
		s.zstd = r
	}
	if err := s.zstd.Reset(&s.src); err != nil {
		return dst[:0]
	}
	return fill(dst, s.zstd, most)
}

// fill reads into dst what there is, at most so many bytes.
func fill(dst []byte, r io.Reader, most int) []byte {
	if cap(dst) < most {
		dst = make([]byte, most)
	}
	n, _ := io.ReadFull(r, dst[:most]) // what is cut ends in an error
	return dst[:n]
}
