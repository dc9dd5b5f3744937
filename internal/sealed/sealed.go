// Package sealed keeps what was masked in a log record for the policies of this
// program, and for nobody else: the record carries a number, the values stay here.
//
//	receiver:  record ─ mask ─> masked record + number ─> every pipeline
//	                     └ values ─> Store
//	processor: record + Store.Open(number) ─> policies see what was typed
//
// So it does not matter how many pipelines a record takes, and which of them have
// a processor: what leaves by any of them is masked already.
package sealed

import (
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Bounds. A record is evaluated within a second, unless something in front of
// the policies holds it back; the oldest values make room.
const (
	MaxRecords = 16384
	MaxBytes   = 8 << 20
	MaxAge     = time.Minute
)

// Store holds the values of the records that were sealed last. Safe for
// concurrent use. Numbers are only good in the store that gave them: they begin
// anywhere, so that one of another program opens nothing.
type Store struct {
	mu     sync.RWMutex
	base   uint64
	oldest uint64 // entries are those of the sequence numbers [oldest, next)
	next   uint64
	bytes  int
	ring   []entry // by sequence number; grows to MaxRecords
}

type entry struct {
	values pcommon.Map
	bytes  int
	at     time.Time
}

// New makes an empty store.
func New() *Store { return &Store{base: rand.Uint64N(1 << 62)} } // leaves room to count

var shared = New()

// Shared is the store of this program.
func Shared() *Store { return shared }

// Seal keeps the values of a record, by the names of their attributes, and
// returns their number. It owns values from then on; nobody may change them.
func (s *Store) Seal(values pcommon.Map, now time.Time) int64 {
	e := entry{values: values, bytes: sizeOf(values), at: now}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.oldest < s.next && (s.next-s.oldest == MaxRecords || s.bytes+e.bytes > MaxBytes || now.Sub(s.slot(s.oldest).at) > MaxAge) {
		s.drop()
	}
	if s.next < MaxRecords && s.next == uint64(len(s.ring)) {
		s.ring = append(s.ring, entry{})
	}
	*s.slot(s.next) = e
	s.bytes += e.bytes
	s.next++
	return int64(s.base + s.next - 1)
}

// Open returns the values that belong to a number, read only; false when they
// are not here, or no longer. It may be asked again.
func (s *Store) Open(number int64) (pcommon.Map, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := uint64(number) - s.base
	if n < s.oldest || n >= s.next {
		return pcommon.Map{}, false
	}
	return s.slot(n).values, true
}

func (s *Store) slot(n uint64) *entry { return &s.ring[n%MaxRecords] }

func (s *Store) drop() {
	e := s.slot(s.oldest)
	s.bytes -= e.bytes
	*e = entry{}
	s.oldest++
}

// sizeOf is about how many bytes of text are in the values.
func sizeOf(values pcommon.Map) (n int) {
	for name, v := range values.All() {
		n += len(name)
		switch v.Type() {
		case pcommon.ValueTypeStr:
			n += len(v.Str())
		case pcommon.ValueTypeBytes:
			n += v.Bytes().Len()
		case pcommon.ValueTypeSlice:
			for _, item := range v.Slice().All() {
				n += len(item.Str())
			}
		default:
		}
	}
	return n
}
