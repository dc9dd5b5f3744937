package spans

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestTexts(t *testing.T) {
	kept := &texts{seed: maphash.MakeSeed()}
	for _, s := range []string{"", "a", "/hello", strings.Repeat("x", maxTextBytes), strings.Repeat("x", maxTextBytes+1)} {
		require.Equal(t, s, kept.intern([]byte(s)))
		require.Equal(t, s, kept.intern([]byte(s)))
	}
	require.Equal(t, "a\uFFFD", kept.intern([]byte("a\xff")))
	require.Equal(t, "a\uFFFD", kept.intern([]byte("a\uFFFD")))
	for i := range 3 * textPlaces { // whatever gives way to what
		s := strconv.Itoa(i)
		require.Equal(t, s, kept.intern([]byte(s)))
	}
	text := []byte("again and again")
	kept.intern(text)
	require.Zero(t, alloctest.PerRun(10, func() { kept.intern(text) }))
}

func TestAddrs(t *testing.T) {
	kept := &addrs{}
	for i := range uint64(3 * addrPlaces) {
		a := [16]byte{0: 0x20, 1: 0x01}
		binary.BigEndian.PutUint64(a[8:], i*i)
		require.Equal(t, netip.AddrFrom16(a).String(), kept.print(&a))
	}
	for addr, want := range map[string]string{"::": "::", "::1": "::1", "::ffff:10.1.2.3": "10.1.2.3"} {
		a := netip.MustParseAddr(addr).As16()
		require.Equal(t, want, kept.print(&a))
		require.Zero(t, alloctest.PerRun(10, func() { kept.print(&a) }))
	}
}
