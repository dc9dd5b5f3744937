package terminalexporter

import (
	"time"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
)

// gate lets so many lines of each kind pass in a second and counts the rest.
// It is not safe for concurrent use.
type gate struct {
	perSecond int
	second    int64
	passed    [len(kinds)]int
	hidden    [len(kinds)]uint64
}

// admit tells whether a line of kind k may be shown now.
func (g *gate) admit(k kind, now time.Time) bool {
	if second := now.Unix(); second != g.second {
		g.second = second
		clear(g.passed[:])
	}
	if g.passed[k] >= g.perSecond {
		g.hidden[k]++
		return false
	}
	g.passed[k]++
	return true
}

// take returns what was hidden since the last take.
func (g *gate) take() [len(kinds)]uint64 {
	hidden := g.hidden
	clear(g.hidden[:])
	return hidden
}

// hiddenOf names the counts of a gate that are not zero, and their sum.
func hiddenOf(counts [len(kinds)]uint64) (hidden []screen.Hidden, total uint64) {
	for i, n := range counts {
		if n > 0 {
			hidden = append(hidden, screen.Hidden{Count: n, One: kinds[i].one, Many: kinds[i].many})
			total += n
		}
	}
	return hidden, total
}
