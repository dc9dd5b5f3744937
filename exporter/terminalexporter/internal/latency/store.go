package latency

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	// maxSeries bounds the cumulative series whose last point is kept, and
	// maxRows the rows of one interval.
	maxSeries = 5_000
	maxRows   = 1_000
	// forgetAfter is how long a cumulative series may stay silent.
	forgetAfter = 10 * time.Minute
)

// Store collects what the series of services gained since the last Take.
type Store struct {
	start   time.Time
	rows    map[Key]*Row
	series  map[string]*series
	keyBuf  []byte
	total   uint64
	ignored uint64
}

// series is the last point of one cumulative series.
type series struct {
	seen  time.Time
	start pcommon.Timestamp
	last  histogram
}

// NewStore returns an empty store. Of a cumulative series that began before
// start, what its first point holds does not count: it happened before anybody
// looked.
func NewStore(start time.Time) *Store {
	return &Store{start: start, rows: map[Key]*Row{}, series: map[string]*series{}}
}

// Add takes the duration histograms out of a batch and skips everything else.
// It keeps nothing of md. Now is when the batch arrived.
func (s *Store) Add(md pmetric.Metrics, now time.Time) {
	for _, rm := range md.ResourceMetrics().All() {
		resource := rm.Resource().Attributes()
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if k, ok := kindOf(m); ok {
					pointsOf(resource, m, func(p point) { s.addPoint(k, p, now) })
				}
			}
		}
	}
}

func (s *Store) addPoint(k kind, p point, now time.Time) {
	gained := p.histogram
	if p.cumulative {
		gained = s.gained(p, now)
	}
	if gained.count == 0 {
		return
	}
	key := k.key(p.resource, p.attributes)
	row := s.rows[key]
	if row == nil {
		if len(s.rows) >= maxRows {
			s.ignored += gained.count
			return
		}
		row = newRow(key)
		s.rows[key] = row
	}
	row.add(gained, failed(p.attributes))
	s.total += gained.count
}

// gained returns what a cumulative series gained since its last point.
func (s *Store) gained(p point, now time.Time) histogram {
	s.keyBuf = appendKey(s.keyBuf[:0], p)
	last := s.series[string(s.keyBuf)]
	switch {
	case last == nil:
		if len(s.series) >= maxSeries {
			s.ignored++
			return histogram{}
		}
		last = &series{}
		s.series[string(s.keyBuf)] = last
		last.keep(p, now)
		if p.start.AsTime().Before(s.start) {
			return histogram{}
		}
		return p.histogram
	case last.start != p.start:
		last.keep(p, now)
		return p.histogram
	default:
		gained := p.since(last.last)
		last.keep(p, now)
		return gained
	}
}

func (s *series) keep(p point, now time.Time) {
	s.seen, s.start, s.last = now, p.start, p.histogram
}

// Take returns the rows of the interval, busiest first, and starts a new one.
// The caller owns them. Now is used to forget series that have gone silent.
func (s *Store) Take(now time.Time) []*Row {
	rows := slices.SortedFunc(maps.Values(s.rows), func(a, b *Row) int {
		return cmp.Or(
			cmp.Compare(b.Count, a.Count),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Service, b.Service),
			cmp.Compare(b.Side, a.Side), cmp.Compare(a.Protocol, b.Protocol),
		)
	})
	clear(s.rows)
	maps.DeleteFunc(s.series, func(_ string, one *series) bool { return now.Sub(one.seen) > forgetAfter })
	return rows
}

// Total is the number of requests in all intervals so far.
func (s *Store) Total() uint64 { return s.total }

// Ignored is how much did not fit into the bounds of the store: requests
// beyond the rows of an interval, points of series beyond those that are kept.
func (s *Store) Ignored() uint64 { return s.ignored }

// appendKey appends what tells one series from all others.
func appendKey(to []byte, p point) []byte {
	to = appendText(to, p.metric)
	to = appendMap(to, p.resource)
	return appendMap(to, p.attributes)
}

func appendMap(to []byte, m pcommon.Map) []byte {
	pairs := make([][2]string, 0, m.Len())
	for name, v := range m.All() {
		pairs = append(pairs, [2]string{name, v.AsString()})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	to = binary.AppendUvarint(to, uint64(len(pairs)))
	for _, pair := range pairs {
		to = appendText(appendText(to, pair[0]), pair[1])
	}
	return to
}

func appendText(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}
