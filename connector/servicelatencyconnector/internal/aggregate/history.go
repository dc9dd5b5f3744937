package aggregate

import "unsafe"

// Writer identifies one run of one agent: a hash of its attributes.
type Writer uint64

// part is a stream that goes into a series: a writer's, and in an overflow
// series one of the many that the writer sent (a hash of its key).
type part struct {
	writer Writer
	stream uint64
}

// firstSweep is the number of parts from which on old ones are looked for.
const firstSweep = 16

// history is what has been merged into a series, by part.
type history struct {
	parts map[part]coverage
	sweep int // number of parts at which the next sweep is due
}

func newHistory() *history {
	return &history{parts: map[part]coverage{}, sweep: firstSweep}
}

// admit decides on a part's interval. When limit parts are known already, a
// further one is admitted without being noted.
func (h *history) admit(p part, start, end, forget uint64, limit int) (Verdict, bool) {
	c, known := h.parts[p]
	if !known && len(h.parts) >= h.sweep {
		h.forgetBefore(end, forget)
	}
	verdict, gap := c.admit(start, end, forget)
	if known || len(h.parts) < limit {
		h.parts[p] = c
	}
	return verdict, gap
}

// forgetBefore removes the parts that ended long before now. It runs only when
// their number has doubled, so that its cost per part is constant.
func (h *history) forgetBefore(now, forget uint64) {
	for p, c := range h.parts {
		if c.last+forget < now {
			delete(h.parts, p)
		}
	}
	h.sweep = max(firstSweep, 2*len(h.parts))
}

const partBytes = int(unsafe.Sizeof(part{})) + int(unsafe.Sizeof(coverage{})) + mapEntryBytes
