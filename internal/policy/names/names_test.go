package names

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fake struct {
	mu    sync.Mutex
	addrs map[string][]netip.Addr
}

func (f *fake) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a, ok := f.addrs[host]; ok {
		return a, nil
	}
	return nil, errors.New("no such host")
}

func (f *fake) set(host string, addrs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addrs[host] = nil
	for _, a := range addrs {
		f.addrs[host] = append(f.addrs[host], netip.MustParseAddr(a))
	}
}

func TestTable(t *testing.T) {
	r := &fake{addrs: map[string][]netip.Addr{}}
	r.set("a.example", "10.0.0.1", "::ffff:10.0.0.2")
	table := New(r)
	table.Watch("a.example")
	table.Watch("a.example")
	table.Watch("192.0.2.7")

	require.False(t, table.Has("a.example", netip.MustParseAddr("10.0.0.1")), "nothing is known before Run")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		table.Run(ctx)
	}()
	require.Eventually(t, func() bool { return table.Has("a.example", netip.MustParseAddr("10.0.0.2")) }, time.Minute, time.Millisecond)
	require.True(t, table.Has("192.0.2.7", netip.MustParseAddr("192.0.2.7")))
	name, ok := table.NameOf(netip.MustParseAddr("10.0.0.1"))
	require.True(t, ok)
	require.Equal(t, "a.example", name)
	_, ok = table.NameOf(netip.MustParseAddr("10.9.9.9"))
	require.False(t, ok)

	r.set("b.example", "10.0.0.3")
	table.Watch("b.example")
	require.Eventually(t, func() bool { return table.Has("b.example", netip.MustParseAddr("10.0.0.3")) }, time.Minute, time.Millisecond)
	cancel()
	<-done
}

func TestKeepsAddressesOfNamesThatFail(t *testing.T) {
	r := &fake{addrs: map[string][]netip.Addr{}}
	r.set("a.example", "10.0.0.1")
	table := New(r)
	table.Watch("a.example")
	require.True(t, table.resolve(t.Context()))
	delete(r.addrs, "a.example")
	require.True(t, table.resolve(t.Context()))
	require.True(t, table.Has("a.example", netip.MustParseAddr("10.0.0.1")))
	table.Watch("never.example")
	require.False(t, table.resolve(t.Context()))
}
