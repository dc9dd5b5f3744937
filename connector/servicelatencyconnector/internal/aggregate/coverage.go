package aggregate

// Verdict says what became of a writer's point.
type Verdict uint8

// The verdicts.
const (
	Merged    Verdict = iota // the next interval of its writer
	Late                     // an earlier interval that had not been seen
	Duplicate                // seen before
	Overlap                  // partly seen before: not from a writer that keeps to the rules
	Full                     // no series for it and no room for one: not merged
)

func (v Verdict) merged() bool { return v == Merged || v == Late }

// maxGaps bounds what is remembered of a writer's missing intervals. The
// oldest is given up first; a point in it is then taken for a repetition.
const maxGaps = 16

// span is a range of time, ns since 1970.
type span struct{ start, end uint64 }

// coverage is the time for which a writer's values of one series have been
// merged: [first, last] without the gaps. A writer's intervals never overlap
// and follow one another without gaps, so what lies inside has been seen and
// what lies in a gap is still to come.
type coverage struct {
	first, last uint64
	gaps        []span // ascending; nil as long as nothing is missing
}

// admit decides on the interval [start, end) and, if it is new, notes it. The
// second result tells that this opened a gap: something before it is missing.
// After a pause longer than forget the writer itself may have dropped the series
// and begun anew; then nothing is missing and memory begins anew, too.
func (c *coverage) admit(start, end, forget uint64) (Verdict, bool) {
	switch {
	case c.last == 0:
		c.first, c.last = start, end
		return Merged, false
	case start >= c.last:
		return Merged, c.advance(start, end, forget)
	case end <= c.first:
		return Late, c.precede(start, end)
	default:
		return c.fill(start, end), false
	}
}

func (c *coverage) advance(start, end, forget uint64) (gap bool) {
	switch {
	case start-c.last > forget:
		c.first, c.gaps = start, nil
	case start > c.last:
		c.addGap(len(c.gaps), span{c.last, start})
		gap = true
	}
	c.last = end
	return gap
}

func (c *coverage) precede(start, end uint64) (gap bool) {
	if end < c.first {
		c.addGap(0, span{end, c.first})
		gap = true
	}
	c.first = start
	return gap
}

func (c *coverage) addGap(at int, g span) {
	if len(c.gaps) >= maxGaps {
		c.gaps = c.gaps[1:]
		at = max(at-1, 0)
	}
	c.gaps = append(c.gaps, span{})
	copy(c.gaps[at+1:], c.gaps[at:])
	c.gaps[at] = g
}

// fill looks for the gap that [start, end) belongs to.
func (c *coverage) fill(start, end uint64) Verdict {
	for i, g := range c.gaps {
		if end <= g.start || start >= g.end {
			continue
		}
		if start < g.start || end > g.end {
			return Overlap
		}
		c.split(i, start, end)
		return Late
	}
	if start < c.first || end > c.last {
		return Overlap
	}
	return Duplicate
}

// split takes [start, end) out of the i-th gap.
func (c *coverage) split(i int, start, end uint64) {
	g := c.gaps[i]
	switch {
	case start == g.start && end == g.end:
		c.gaps = append(c.gaps[:i], c.gaps[i+1:]...)
		if len(c.gaps) == 0 {
			c.gaps = nil
		}
	case start == g.start:
		c.gaps[i].start = end
	default:
		c.gaps[i].end = start
		if end < g.end {
			c.addGap(i+1, span{end, g.end})
		}
	}
}
