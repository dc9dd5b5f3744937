package interest

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSet(t *testing.T) {
	var zero Set
	require.False(t, zero.Has("open"))
	require.Zero(t, zero.Len())
	a, b := Names("open", "connect"), Names("connect", "bind")
	require.True(t, a.Has("open"))
	require.Equal(t, []string{"bind", "connect", "open"}, a.Union(b).Sorted())
	require.Equal(t, 2, a.Len(), "sets are immutable")
	require.True(t, a.Equal(Names("connect", "open")))
	require.False(t, a.Equal(b))
	require.True(t, zero.Equal(Names()))
	require.True(t, zero.Union(a).Equal(a))
}

func TestEnvironment(t *testing.T) {
	plain, env := Names("open"), Names("connect").WithEnvironment()
	require.False(t, plain.Environment())
	require.True(t, env.Environment())
	require.True(t, plain.Union(env).Environment())
	require.False(t, plain.Equal(plain.WithEnvironment()))
	require.False(t, plain.Environment(), "sets are immutable")

	var r Registry
	h := r.Register("a", plain)
	n := 0
	defer r.Subscribe(func() { n++ })()
	h.Update(plain.WithEnvironment())
	require.Equal(t, 1, n)
	require.True(t, r.Wanted().Set.Environment())
	h.Release()
	require.False(t, r.Wanted().Set.Environment())
}

func TestNobodyRegistered(t *testing.T) {
	var r Registry
	w := r.Wanted()
	require.False(t, w.Registered)
	require.True(t, w.Set.Equal(DefaultKeep()))
	require.True(t, w.Set.Has("listen"))
	require.Empty(t, r.Owners())
}

func TestUnionOfRegistrations(t *testing.T) {
	var r Registry
	a := r.Register("a", Names("open"))
	b := r.Register("b", Names("connect"))
	require.Equal(t, []string{"a", "b"}, r.Owners())
	require.Equal(t, []string{"connect", "open"}, r.Wanted().Set.Sorted())
	require.True(t, r.Wanted().Registered)

	a.Update(Names("mount"))
	require.Equal(t, []string{"connect", "mount"}, r.Wanted().Set.Sorted())
	b.Release()
	b.Release()
	require.Equal(t, []string{"mount"}, r.Wanted().Set.Sorted())
	a.Update(Names())
	require.Zero(t, r.Wanted().Set.Len(), "somebody who wants nothing is not nobody")
	require.True(t, r.Wanted().Registered)
	a.Release()
	a.Update(Names("open"))
	require.False(t, r.Wanted().Registered)
}

func TestNotification(t *testing.T) {
	var r Registry
	n := 0
	end := r.Subscribe(func() { n++ })
	h := r.Register("a", Names("open"))
	require.Equal(t, 1, n)
	h.Update(Names("open"))
	require.Equal(t, 1, n, "nothing changed")
	h.Update(Names("bind"))
	require.Equal(t, 2, n)
	h.Release()
	h.Release()
	require.Equal(t, 3, n)
	end()
	end()
	r.Register("b", Names())
	require.Equal(t, 3, n)
}

func TestSubscriberMayAsk(t *testing.T) {
	var r Registry
	var seen []Wanted
	defer r.Subscribe(func() { seen = append(seen, r.Wanted()) })()
	r.Register("a", Names("open")).Release()
	require.Len(t, seen, 2)
	require.True(t, seen[0].Registered)
	require.False(t, seen[1].Registered)
}

func TestConcurrentUse(t *testing.T) {
	r := Shared()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			end := r.Subscribe(func() {})
			h := r.Register(strconv.Itoa(i), Names("open"))
			h.Update(Names(strconv.Itoa(i)))
			r.Wanted()
			h.Release()
			end()
		})
	}
	wg.Wait()
	require.False(t, r.Wanted().Registered)
	require.Empty(t, r.subscribers)
}
