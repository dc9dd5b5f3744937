package probesite

import (
	"bytes"
	"errors"
	"io"
)

// windowSize is how much of a table is in memory at a time. Tables of large
// programs have tens of megabytes; the agent reads them, it does not hold them.
const windowSize = 64 << 10

// window reads small pieces of a table that follow each other, mostly.
type window struct {
	r     io.ReaderAt
	base  int64 // of the table in the file
	size  int64 // of the table
	start int64 // of what buf holds, in the table
	buf   []byte
}

func newWindow(r io.ReaderAt, base, size uint64) *window {
	const most = 1 << 40 // a file of a terabyte is a wrong header
	return &window{r: r, base: int64(min(base, most)), size: int64(min(size, most))}
}

// at returns n bytes at offset; they are valid until the next call. What lies
// outside of the table is io.ErrUnexpectedEOF.
func (w *window) at(offset int64, n int) ([]byte, error) {
	if offset < 0 || n > windowSize || offset+int64(n) > w.size {
		return nil, io.ErrUnexpectedEOF
	}
	if in := offset - w.start; in >= 0 && in+int64(n) <= int64(len(w.buf)) {
		return w.buf[in:][:n], nil
	}
	if w.buf == nil {
		w.buf = make([]byte, 0, windowSize)
	}
	w.start = offset
	w.buf = w.buf[:min(windowSize, w.size-offset)]
	read, err := w.r.ReadAt(w.buf, w.base+offset)
	w.buf = w.buf[:read]
	if read < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return w.buf[:n], nil
}

// find returns where in a table of zero-terminated strings each of the names
// begins: the same name may be there more than once, as itself and as the end
// of a longer one.
func (w *window) find(names []string) (map[int64]string, error) {
	longest := 0
	patterns := make([][]byte, len(names))
	for i, name := range names {
		patterns[i] = append([]byte(name), 0)
		longest = max(longest, len(patterns[i]))
	}
	found := map[int64]string{}
	if longest > windowSize/2 {
		return found, nil
	}
	err := w.each(longest-1, func(at int64, chunk []byte) bool { // a name may lie across the edge
		for i, pattern := range patterns {
			for in := 0; ; {
				next := bytes.Index(chunk[in:], pattern)
				if next < 0 {
					break
				}
				found[at+int64(in+next)] = names[i]
				in += next + 1
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// each calls visit for the table piece by piece, until it returns false. A piece
// begins so many bytes before the one before it ends; it is valid until visit
// returns.
func (w *window) each(overlap int, visit func(at int64, chunk []byte) bool) error {
	for at := int64(0); at < w.size; {
		n := int(min(windowSize, w.size-at))
		chunk, err := w.at(at, n)
		if err != nil {
			return err
		}
		if !visit(at, chunk) || at+int64(n) == w.size {
			return nil
		}
		at += int64(n - overlap)
	}
	return nil
}
