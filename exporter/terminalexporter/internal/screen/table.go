package screen

import (
	"time"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

// Table is how the services answered in one interval.
type Table struct {
	Time     time.Time // end of the interval
	Interval time.Duration
	Rows     []TableRow
	More     int // rows that were left out
	Status   Status
}

// TableRow is one service, seen from one side. Percentiles are seconds, NaN
// where they are not known.
type TableRow struct {
	Service       text.Safe
	Side          text.Safe // server or client
	Protocol      text.Safe
	PerSecond     float64 // requests
	Errors        float64 // share of the requests that failed, 0 to 1
	P50, P95, P99 float64
}

// tableColumns are the widths of the columns of a table, and of what sets
// them apart.
type tableColumns struct {
	service, side, protocol, perSecond, errors, percentile, gap int
}

const (
	minServiceWidth  = 12
	maxServiceWidth  = 40
	minProtocolWidth = 5
	maxProtocolWidth = 12
	narrowProtocol   = 8
)

// tableColumns widens the names' columns to what the rows need, inside what
// the screen has.
func (s Style) tableColumns(rows []TableRow) tableColumns {
	c := tableColumns{service: minServiceWidth, side: 6, protocol: minProtocolWidth, perSecond: 8, errors: 7, percentile: 8, gap: 2}
	limit := maxProtocolWidth
	if s.narrow() {
		c.gap, limit = 1, narrowProtocol
	}
	for _, r := range rows {
		c.service = max(c.service, r.Service.Width())
		c.protocol = max(c.protocol, r.Protocol.Width())
	}
	c.protocol = min(c.protocol, limit)
	if width := s.width(); width > 0 {
		free := width - (c.total() - c.service)
		c.service = max(min(c.service, free, maxServiceWidth), minServiceWidth)
	}
	return c
}

func (c tableColumns) total() int {
	return c.service + c.side + c.protocol + c.perSecond + c.errors + 3*c.percentile + 7*c.gap
}

// AppendTable appends t between two rules, the lower of which carries the
// state of the watch.
func (s Style) AppendTable(buf []byte, t Table) []byte {
	c := s.tableColumns(t.Rows)
	head := s.clock(t.Time) + "  last " + s.duration(t.Interval.Round(10*time.Millisecond).Seconds())
	buf = s.appendRuled(buf, plain, head, c.total())
	buf = s.appendCells(buf, c, [8]cell{
		{dim, "SERVICE"}, {dim, "SIDE"}, {dim, "PROTO"}, {dim, "REQ/S"}, {dim, "ERRORS"}, {dim, "P50"}, {dim, "P95"}, {dim, "P99"},
	})
	for _, r := range t.Rows {
		errorTone := dim
		if r.Errors > 0 {
			errorTone = red
		}
		buf = s.appendCells(buf, c, [8]cell{
			{bold, s.cut(r.Service, c.service)},
			{plain, r.Side},
			{plain, s.cut(r.Protocol, c.protocol)},
			{plain, rate(r.PerSecond)},
			{errorTone, share(r.Errors)},
			{plain, s.duration(r.P50)},
			{plain, s.duration(r.P95)},
			{plain, s.duration(r.P99)},
		})
	}
	if t.More > 0 {
		buf = append(s.append(buf, dim, s.ellipsis()+" "+plural(t.More, "more row", "more rows")), '\n')
	}
	return s.appendSummary(buf, t.Status, c.total())
}

type cell struct {
	tone tone
	text text.Safe
}

func (s Style) appendCells(buf []byte, c tableColumns, cells [8]cell) []byte {
	widths := [8]int{c.service, c.side, c.protocol, c.perSecond, c.errors, c.percentile, c.percentile, c.percentile}
	for i, one := range cells {
		if i > 0 {
			buf = append(buf, text.Safe("").PadRight(c.gap)...)
		}
		what := one.text.PadRight(widths[i])
		if i >= 3 {
			what = one.text.PadLeft(widths[i])
		}
		buf = s.append(buf, one.tone, what)
	}
	return append(buf, '\n')
}

// appendRuled appends a rule with what on it.
func (s Style) appendRuled(buf []byte, t tone, what text.Safe, width int) []byte {
	if limit := s.width(); limit > 0 {
		width = min(width, limit)
	}
	buf = s.append(buf, dim, s.rule(2)+" ")
	buf = s.append(buf, t, what)
	return append(s.append(buf, dim, " "+s.rule(width-what.Width()-4)), '\n')
}
