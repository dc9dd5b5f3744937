package aggregate

import "slices"

// Temporality says what an interval handed out covers.
type Temporality uint8

// The temporalities.
const (
	Delta      Temporality = iota // what came since the series' last interval
	Cumulative                    // everything since the series began
)

// FlusherOptions configure a Flusher.
type FlusherOptions struct {
	Temporality Temporality
	// Repeat hands out a cumulative series in every interval, changed or not.
	Repeat bool
	// Expire is the time in ns after which a series without a value is forgotten.
	Expire uint64
	// Start is the begin of the first interval, ns since 1970.
	Start uint64
}

// Flusher takes intervals out of a Store. One goroutine may use it.
type Flusher struct {
	store    *Store
	registry *Registry
	options  FlusherOptions
	last     uint64 // end of the previous interval
	owners   [groups][]*Owner
	spare    []interval // goes to the next shard that is emptied
	kept     []int      // per shard: histograms worth keeping
	bytes    int
	expired  int
}

// Interval is what one series has counted between two points in time. The
// histogram and the exemplars, which are of the last interval alone, are valid
// until Release.
type Interval struct {
	Series     *Series
	Histogram  *Histogram
	Exemplars  []Exemplar
	Start, End uint64 // ns since 1970

	fresh *Histogram // for use again after Release; nil if there is none
}

// NewFlusher returns a flusher for a store whose owners come from registry.
func NewFlusher(store *Store, registry *Registry, options FlusherOptions) *Flusher {
	return &Flusher{
		store: store, registry: registry, options: options, last: options.Start,
		kept: make([]int, len(store.shards)),
	}
}

// Collect ends the current interval at now (ns since 1970; a clock that went
// back is overruled) and hands out all intervals, those of one owner and of one
// metric together. Recording goes on meanwhile: until a group of owners has its
// turn, for this interval, afterwards for the next.
func (f *Flusher) Collect(now uint64, yield func(Interval)) {
	now = max(now, f.last+1)
	f.bytes, f.expired = 0, 0
	for g := range groups {
		f.gather(g)
		for _, o := range f.owners[g] {
			for _, family := range o.metrics {
				for _, series := range family.series {
					f.handOut(series, now, yield)
				}
			}
		}
		f.forgetIdle(g, now)
	}
	f.registry.Sweep()
	f.last = now
}

// gather swaps the shards of a group and attaches the histograms to their series.
func (f *Flusher) gather(group int) {
	shards := f.store.group(group)
	for i := range shards {
		taken := shards[i].swap(f.spare)
		for _, in := range taken {
			in.series.ready = in.histogram
			if !in.series.known {
				f.register(in.series)
			}
		}
		f.kept[shards[i].index] = len(taken)
		clear(taken)
		f.spare = taken[:0]
	}
}

func (f *Flusher) register(series *Series) {
	series.known = true
	series.start = f.last
	o := series.owner
	if !o.listed {
		o.listed = true
		f.owners[o.group()] = append(f.owners[o.group()], o)
	}
	for _, family := range o.metrics {
		if family.metric == series.metric {
			family.series = append(family.series, series)
			return
		}
	}
	o.metrics = append(o.metrics, &family{metric: series.metric, series: []*Series{series}})
}

func (f *Flusher) handOut(series *Series, now uint64, yield func(Interval)) {
	h := series.ready
	series.ready = nil
	f.bytes += seriesBytes + len(series.key)
	if h != nil {
		series.active = now
		f.bytes += h.Bytes()
	}
	if f.options.Temporality == Cumulative {
		f.handOutTotal(series, h, now, yield)
		return
	}
	if h != nil {
		yield(Interval{series, h, h.Exemplars(), series.start, now, h})
		series.start = now
	}
}

func (f *Flusher) handOutTotal(series *Series, h *Histogram, now uint64, yield func(Interval)) {
	var exemplars []Exemplar
	if h != nil {
		if series.total == nil {
			series.total = NewHistogram(series.metric.Shape)
		}
		series.total.Merge(h)
		exemplars = h.Exemplars()
	}
	f.bytes += series.total.Bytes()
	if h != nil || f.options.Repeat {
		yield(Interval{series, series.total, exemplars, series.start, now, h})
	}
}

// Release gives an interval's histogram back once it has been sent.
func (f *Flusher) Release(in Interval) {
	if in.fresh != nil {
		sh := in.Series.shard
		sh.recycle(in.fresh, f.kept[sh.index])
	}
}

// forgetIdle removes the series of a group without a value for too long, and the
// owners that thereby lose their last one.
func (f *Flusher) forgetIdle(group int, now uint64) {
	for _, o := range f.owners[group] {
		for _, family := range o.metrics {
			family.series = slices.DeleteFunc(family.series, func(s *Series) bool {
				return now-s.active > f.options.Expire && f.forget(s)
			})
		}
		o.metrics = slices.DeleteFunc(o.metrics, func(f *family) bool { return len(f.series) == 0 })
	}
	f.owners[group] = slices.DeleteFunc(f.owners[group], func(o *Owner) bool {
		o.listed = len(o.metrics) > 0
		return !o.listed
	})
}

func (f *Flusher) forget(s *Series) bool {
	if !f.store.remove(s) {
		return false
	}
	f.expired++
	return true
}

// Expired returns how many series the last Collect has forgotten.
func (f *Flusher) Expired() int { return f.expired }

// Bytes estimates the memory held, as of the last Collect.
func (f *Flusher) Bytes() int {
	return f.bytes + f.registry.Len()*ownerBytes + int(f.store.parts.Load())*partBytes
}
