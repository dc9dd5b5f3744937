package aggregate

import (
	"hash/maphash"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Limits bound a Store's memory.
type Limits struct {
	Series    int // of all owners together, without overflow series
	PerOwner  int // of one owner, without overflow series
	Exemplars int // per series and interval
	// Forget is how long, in ns, a writer's intervals are remembered after its
	// last one. It should be at least as long as anybody may retransmit.
	Forget uint64
}

// Store counts into series. Any number of goroutines may record; a Flusher
// takes the intervals out. Owners are spread over groups, which are flushed one
// after the other, so that only a part of all histograms exists twice. A group's
// series are spread over lanes by the hash of their key, so that even a single
// service does not end at one lock.
type Store struct {
	limits Limits
	seed   maphash.Seed
	shards []shard      // of group 0, of group 1, ...
	lanes  uint64       // shards of a group, a power of two
	series atomic.Int64 // without overflow series
	all    atomic.Int64 // with them
	parts  atomic.Int64 // entries of all histories
}

// shard holds part of the series. What recording needs is guarded by mu, which
// is held for one look-up and one addition at a time.
type shard struct {
	index  int // in Store.shards
	mu     sync.Mutex
	series table
	epoch  uint32
	active []interval   // of this epoch
	free   []*Histogram // empty
	_      [64]byte     // keeps the locks on cache lines of their own
}

// interval is a series' histogram of one epoch.
type interval struct {
	series    *Series
	histogram *Histogram
}

const (
	groups   = 32
	maxLanes = 32
)

// NewStore returns an empty store.
func NewStore(limits Limits) *Store {
	lanes := min(1<<bits.Len(uint(2*runtime.GOMAXPROCS(0)-1)), maxLanes)
	s := &Store{limits: limits, seed: maphash.MakeSeed(), shards: make([]shard, groups*lanes), lanes: uint64(lanes)}
	for i := range s.shards {
		s.shards[i].index = i
		s.shards[i].epoch = 1 // a new series' epoch is 0: not open
	}
	return s
}

// group returns the shards that hold the series of the g-th part of the owners.
func (s *Store) group(g int) []shard {
	lanes := int(s.lanes)
	return s.shards[g*lanes : (g+1)*lanes]
}

func (s *Store) shardOf(o *Owner, hash uint64) *shard {
	return &s.shards[uint64(o.group())*s.lanes+hash&(s.lanes-1)]
}

// Record counts a sample in the series with this key, which it creates when it
// is new. It returns false, without counting, when a limit forbids that. The
// key is not retained.
func (s *Store) Record(o *Owner, m *Metric, key []byte, sample *Sample) bool {
	return s.record(o, m, key, sample, false)
}

// RecordOverflow is Record for a series that no limit applies to.
func (s *Store) RecordOverflow(o *Owner, m *Metric, key []byte, sample *Sample) {
	s.record(o, m, key, sample, true)
}

func (s *Store) record(o *Owner, m *Metric, key []byte, sample *Sample, overflow bool) bool {
	hash := s.Hash(key)
	sh := s.shardOf(o, hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	series := sh.series.find(hash, key)
	if series == nil {
		if series = s.create(sh, o, m, hash, key, overflow); series == nil {
			return false
		}
	}
	sh.histogram(series).Record(sample, s.limits.Exemplars)
	return true
}

// create adds a series to sh, whose lock is held; nil if a limit forbids it.
func (s *Store) create(sh *shard, o *Owner, m *Metric, hash uint64, key []byte, overflow bool) *Series {
	if !overflow && !s.takePlace(o) {
		return nil
	}
	o.all.Add(1)
	s.all.Add(1)
	series := &Series{owner: o, metric: m, shard: sh, key: string(key), overflow: overflow}
	sh.series.insert(hash, series)
	return series
}

func (s *Store) takePlace(o *Owner) bool {
	if o.series.Add(1) > int32(s.limits.PerOwner) {
		o.series.Add(-1)
		return false
	}
	if s.series.Add(1) > int64(s.limits.Series) {
		s.series.Add(-1)
		o.series.Add(-1)
		return false
	}
	return true
}

// histogram returns the one that the series fills in this epoch.
func (sh *shard) histogram(series *Series) *Histogram {
	if series.epoch == sh.epoch {
		return series.open
	}
	series.epoch = sh.epoch
	if n := len(sh.free); n > 0 {
		series.open, sh.free = sh.free[n-1], sh.free[:n-1]
		series.open.Reset(series.metric.Shape)
	} else {
		series.open = NewHistogram(series.metric.Shape)
	}
	sh.active = append(sh.active, interval{series, series.open})
	return series.open
}

// Stream is where a point of somebody else's histogram goes.
type Stream struct {
	Owner  *Owner
	Metric *Metric
	Key    []byte // of the series, not retained
	Writer Writer
	// Overflow exempts the series from the limits; Original then tells apart
	// the streams that it collects.
	Overflow bool
	Original uint64
}

// MergePoint adds a writer's point to a series unless it has been added before.
// The point must fit the metric's shape. The second result tells that the point
// shows a gap: earlier intervals of this stream have not come.
func (s *Store) MergePoint(to *Stream, p *Point) (Verdict, bool) {
	hash := s.Hash(to.Key)
	sh := s.shardOf(to.Owner, hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	series := sh.series.find(hash, to.Key)
	if series == nil {
		if series = s.create(sh, to.Owner, to.Metric, hash, to.Key, to.Overflow); series == nil {
			return Full, false
		}
	}
	if series.seen == nil {
		series.seen = newHistory()
	}
	before := len(series.seen.parts)
	verdict, gap := series.seen.admit(part{to.Writer, to.Original}, p.Start, p.End, s.limits.Forget, s.limits.Series)
	s.parts.Add(int64(len(series.seen.parts) - before))
	if verdict.merged() {
		sh.histogram(series).MergePoint(p, s.limits.Exemplars)
	}
	return verdict, gap
}

// Hash returns a hash of a key for Stream.Original and for writers; it differs
// from store to store.
func (s *Store) Hash(key []byte) uint64 { return maphash.Bytes(s.seed, key) }

// Series returns the number of series, overflow series included.
func (s *Store) Series() int64 { return s.all.Load() }

// swap begins a new epoch and returns what the last one has collected. Its cost
// does not depend on the number of series. The slice goes back by recycle.
func (sh *shard) swap(empty []interval) []interval {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	taken := sh.active
	sh.active = empty
	sh.epoch++
	return taken
}

// recycle gives a histogram back for use in later epochs. Those in use and those
// that wait number at most keep.
func (sh *shard) recycle(h *Histogram, keep int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(sh.free)+len(sh.active) < keep {
		sh.free = append(sh.free, h)
	}
}

// remove forgets a series unless it has a value in this epoch.
func (s *Store) remove(series *Series) bool {
	sh := series.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if series.epoch == sh.epoch {
		return false
	}
	sh.series.remove(maphash.String(s.seed, series.key), series)
	if !series.overflow {
		series.owner.series.Add(-1)
		s.series.Add(-1)
	}
	series.owner.all.Add(-1)
	s.all.Add(-1)
	if series.seen != nil {
		s.parts.Add(-int64(len(series.seen.parts)))
	}
	return true
}

const (
	// mapEntryBytes is what a map spends per entry with a string key and a
	// pointer, at its usual fill.
	mapEntryBytes = 40
	seriesBytes   = int(unsafe.Sizeof(Series{})) + 2*slotBytes // a table is half full on average
)
