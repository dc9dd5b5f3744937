package names

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/event"
)

var (
	addr  = netip.MustParseAddr("10.0.0.1")
	alice = Asker{Process: event.ProcessKey{TGID: 1, Start: 1}, NetNS: 7}
	bob   = Asker{Process: event.ProcessKey{TGID: 2, Start: 1}, NetNS: 7}
	carol = Asker{Process: event.ProcessKey{TGID: 1, Start: 1}, NetNS: 8}
)

func TestLookup(t *testing.T) {
	table := New(100)
	require.Empty(t, table.Lookup(alice, addr, 0))
	table.Add(alice, addr, []byte("db"), 2*time.Minute, 0)
	require.Equal(t, "db", table.Lookup(alice, addr, 1))
	require.Equal(t, "db", table.Lookup(alice, netip.MustParseAddr("::ffff:10.0.0.1"), 1))
	require.Equal(t, "db", table.Lookup(bob, addr, 1), "the same network namespace")
	require.Empty(t, table.Lookup(carol, addr, 1))

	table.Add(bob, addr, []byte("cache"), 2*time.Minute, 1)
	require.Equal(t, "db", table.Lookup(alice, addr, 2))
	require.Equal(t, "cache", table.Lookup(bob, addr, 2))
	other := Asker{Process: event.ProcessKey{TGID: 3}, NetNS: 7}
	require.Empty(t, table.Lookup(other, addr, 2), "it is not certain which")

	table.Add(alice, addr, []byte("db.local"), 2*time.Minute, 3)
	require.Equal(t, "db.local", table.Lookup(alice, addr, 4), "asked for last")
	require.Empty(t, table.Lookup(alice, addr, uint64(3*time.Minute)))
}

func TestAges(t *testing.T) {
	table := New(100)
	table.Add(alice, addr, []byte("a"), 0, 0)
	require.Equal(t, "a", table.Lookup(alice, addr, uint64(59*time.Second)))
	require.Empty(t, table.Lookup(alice, addr, uint64(61*time.Second)))
	table.Add(alice, addr, []byte("a"), 48*time.Hour, 0)
	require.Empty(t, table.Lookup(alice, addr, uint64(61*time.Minute)))
}

func TestNotKept(t *testing.T) {
	table := New(100)
	table.Add(alice, netip.MustParseAddr("127.0.0.1"), []byte("localhost"), time.Hour, 0)
	table.Add(alice, netip.MustParseAddr("0.0.0.0"), []byte("blocked"), time.Hour, 0)
	table.Add(alice, addr, nil, time.Hour, 0)
	table.Add(alice, netip.Addr{}, []byte("x"), time.Hour, 0)
	require.Zero(t, table.Len())
}

func TestBounded(t *testing.T) {
	table := New(64)
	for i := range 10000 {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		table.Add(alice, a, fmt.Appendf(nil, "n%d", i), time.Hour, 0)
		require.LessOrEqual(t, table.Len(), 64)
		require.LessOrEqual(t, len(table.texts), 64)
		require.Equal(t, fmt.Sprintf("n%d", i), table.Lookup(alice, a, 1))
	}
}

func TestConcurrently(t *testing.T) {
	table := New(1000)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				a := netip.AddrFrom4([4]byte{10, 2, 0, byte(i)})
				table.Add(alice, a, fmt.Appendf(nil, "n%d", byte(i)), time.Hour, 0)
				require.Equal(t, fmt.Sprintf("n%d", byte(i)), table.Lookup(alice, a, 1))
			}
		})
	}
	wg.Wait()
}

// Answers that are known already cost nothing.
func TestAllocates(t *testing.T) {
	table := New(100)
	name := []byte("db")
	table.Add(alice, addr, name, time.Minute, 0)
	require.Zero(t, alloctest.PerRun(100, func() {
		table.Add(alice, addr, name, time.Minute, 0)
		table.Lookup(bob, addr, 1)
	}))
}
