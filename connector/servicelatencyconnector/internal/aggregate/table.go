package aggregate

import "unsafe"

// table finds series by key: open addressing with linear probing. With very many
// series the time of a look-up goes into cache misses. Here there is one until
// the series is known; a Go map with string keys has three.
type table struct {
	slots []slot // a power of two of them, or none
	used  int
}

// slot is empty without a series.
type slot struct {
	hash   uint64
	series *Series
}

const (
	firstSlots = 8
	slotBytes  = int(unsafe.Sizeof(slot{}))
)

// home is where a search for a hash begins. The lowest bits are those that the
// shard was chosen by.
func (t *table) home(hash uint64) uint64 { return hash >> 16 & t.mask() }

func (t *table) mask() uint64 { return uint64(len(t.slots) - 1) }

// find returns the series with a key and its hash, nil if there is none.
func (t *table) find(hash uint64, key []byte) *Series {
	if t.used == 0 {
		return nil
	}
	for i := t.home(hash); ; i = (i + 1) & t.mask() {
		s := &t.slots[i]
		switch {
		case s.series == nil:
			return nil
		case s.hash == hash && s.series.key == string(key):
			return s.series
		}
	}
}

// insert adds a series whose key is not in the table.
func (t *table) insert(hash uint64, series *Series) {
	if 4*(t.used+1) > 3*len(t.slots) {
		t.resize(max(firstSlots, 2*len(t.slots)))
	}
	t.used++
	t.put(slot{hash, series})
}

func (t *table) put(s slot) {
	i := t.home(s.hash)
	for t.slots[i].series != nil {
		i = (i + 1) & t.mask()
	}
	t.slots[i] = s
}

// remove takes out a series that is in the table.
func (t *table) remove(hash uint64, series *Series) {
	i := t.home(hash)
	for t.slots[i].series != series {
		i = (i + 1) & t.mask()
	}
	t.used--
	t.close(i)
	if len(t.slots) > firstSlots && 8*t.used < len(t.slots) {
		t.resize(len(t.slots) / 4)
	}
}

// close empties slot i and moves up those behind it that it kept from their home.
func (t *table) close(i uint64) {
	for next := (i + 1) & t.mask(); t.slots[next].series != nil; next = (next + 1) & t.mask() {
		home := t.home(t.slots[next].hash)
		if (next-home)&t.mask() >= (next-i)&t.mask() {
			t.slots[i] = t.slots[next]
			i = next
		}
	}
	t.slots[i] = slot{}
}

func (t *table) resize(n int) {
	old := t.slots
	t.slots = make([]slot, max(n, firstSlots))
	for _, s := range old {
		if s.series != nil {
			t.put(s)
		}
	}
}
