package terminalexporter

import (
	"time"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
)

// reserve is how many lines of a kind each service may have in a second even
// if others have used up the limit, so that a busy service (a build, a cron
// job) does not hide all others. All together they may double the limit.
const reserve = 2

// gate lets so many lines of each kind pass in a second and counts the rest.
// It is not safe for concurrent use.
type gate struct {
	perSecond int
	second    int64
	passed    [len(kinds)]int
	services  map[origin]int // lines in this second
	hidden    [len(kinds)]uint64
}

// origin is what a reserve is for.
type origin struct {
	kind    kind
	service string
}

// admit tells whether a line of kind k about a service may be shown now.
func (g *gate) admit(k kind, service string, now time.Time) bool {
	if second := now.Unix(); second != g.second {
		g.second = second
		clear(g.passed[:])
		g.services = make(map[origin]int, len(g.services))
	}
	from := origin{k, service}
	n := g.passed[k]
	if n >= g.perSecond && (n >= 2*g.perSecond || g.services[from] >= reserve) {
		g.hidden[k]++
		return false
	}
	g.passed[k]++
	g.services[from]++
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
