package sealed

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

var start = time.Unix(1_700_000_000, 0)

func values(text string) pcommon.Map {
	m := pcommon.NewMap()
	m.PutStr("k", text)
	return m
}

func open(t *testing.T, s *Store, number int64) string {
	t.Helper()
	m, ok := s.Open(number)
	if !ok {
		return ""
	}
	v, ok := m.Get("k")
	require.True(t, ok)
	return v.Str()
}

func TestWhatIsSealedCanBeOpenedAgain(t *testing.T) {
	s := New()
	a, b := s.Seal(values("a"), start), s.Seal(values("b"), start)
	for range 2 { // two processors
		require.Equal(t, "a", open(t, s, a))
		require.Equal(t, "b", open(t, s, b))
	}
	for _, number := range []int64{0, 1, -1, a - 1, b + 1} {
		_, ok := s.Open(number)
		require.False(t, ok, number)
	}
	_, ok := New().Open(a)
	require.False(t, ok, "another program's number")
}

func TestTheOldestMakesRoom(t *testing.T) {
	s := New()
	first := s.Seal(values("first"), start)
	second := s.Seal(values("second"), start)
	for range MaxRecords - 1 {
		s.Seal(values("x"), start)
	}
	require.Empty(t, open(t, s, first))
	require.Equal(t, "second", open(t, s, second))
	require.Len(t, s.ring, MaxRecords)

	last := s.Seal(values(strings.Repeat("x", MaxBytes)), start)
	require.Empty(t, open(t, s, second))
	require.NotEmpty(t, open(t, s, last), "one that is greater than the bound is there alone")
	require.Equal(t, uint64(1), s.next-s.oldest)

	old := s.Seal(values("old"), start)
	s.Seal(values("young"), start.Add(MaxAge+1))
	require.Empty(t, open(t, s, old))
	require.Equal(t, len("k")+len("young"), s.bytes)
}

func TestSizeOfValues(t *testing.T) {
	m := values("1234")
	m.PutEmptyBytes("b").FromRaw([]byte("123"))
	s := m.PutEmptySlice("s")
	s.AppendEmpty().SetStr("12")
	s.AppendEmpty().SetStr("1")
	m.PutInt("i", 5)
	require.Equal(t, 4+4+3+3, sizeOf(m))
}

// The receiver seals while processors open.
func TestConcurrentUse(t *testing.T) {
	s := New()
	var all sync.WaitGroup
	numbers := make(chan int64, 100)
	for range 2 {
		all.Go(func() {
			for n := range numbers {
				if m, ok := s.Open(n); !ok || m.Len() != 1 {
					t.Error("what was sealed a moment ago cannot be opened")
				}
			}
		})
	}
	for range MaxRecords {
		numbers <- s.Seal(values("x"), start)
	}
	close(numbers)
	all.Wait()
}
