package bpf

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

func TestRequestTables(t *testing.T) {
	signatures := []event.Signature{
		{Class: 1, Value: [event.SignatureBytes]byte{'G', 'E', 'T', ' '}, Mask: [event.SignatureBytes]byte{0xff, 0xff, 0xff, 0xff}, Bound: 512, End: "\r\n\r\n", Bare: true},
		{Class: 1, Value: [event.SignatureBytes]byte{'H'}, Mask: [event.SignatureBytes]byte{0xff}, Bound: 1024},
		{Class: 2, Value: [event.SignatureBytes]byte{0x40}, Mask: [event.SignatureBytes]byte{0xfe}, Bound: 64, Every: true},
		{Class: 3, Value: [event.SignatureBytes]byte{2: 'D'}, Mask: [event.SignatureBytes]byte{2: 0xff}, Bound: 100, Datagram: true},
		{Class: 4, Value: [event.SignatureBytes]byte{4: 10}, Mask: [event.SignatureBytes]byte{4: 0xff}, Bound: 100},
	}
	tables, err := newRequestTables(signatures, []uint16{53, 65535}, "amd64")
	require.NoError(t, err)
	require.Equal(t, requestsRequestsSignature{
		Value: 0x20544547, Mask: 0xffffffff, End: 0x0a0d0a0d, Bound: 512, Class: 1, Flags: 1,
	}, tables.signatures[0])
	require.Zero(t, tables.signatures[1].End)
	require.Equal(t, requestsRequestsClass{Bound: 1024}, tables.classes[1])
	require.Equal(t, requestsRequestsClass{Bound: 64, Every: 1}, tables.classes[2])
	require.Zero(t, tables.classes[3], "says nothing of streams")
	for b, want := range map[int][]uint8{'G': {0, 4}, 'H': {1, 4}, 0x40: {2, 4}, 0x41: {2, 4}, 0x42: {4}, 0: {4}, datagramList: {3}} {
		l := tables.lists[b]
		require.Equal(t, want, tables.order[l.First:l.First+l.Count], "first byte %#x", b)
	}
	require.True(t, tables.datagrams)
	require.EqualValues(t, 1<<5, tables.ports[6])
	require.EqualValues(t, 1<<7, tables.ports[portBytes-1])
	require.EqualValues(t, ioBuffer, tables.calls[0])
	require.EqualValues(t, ioVector|ioSend, tables.calls[20])
}

func TestRequestTablesRefuse(t *testing.T) {
	good := event.Signature{Class: 1, Bound: 1}
	for name, bad := range map[string][]event.Signature{
		"class 0":              {{Class: 0}},
		"class too large":      {{Class: maxClass}},
		"bound too large":      {{Class: 1, Bound: event.MaxPayload + 1}},
		"end too short":        {{Class: 1, End: "123"}},
		"too many":             append(make([]event.Signature, maxSignature), good),
		"too many begin alike": slices.Repeat([]event.Signature{good}, maxOrder/256+1),
	} {
		_, err := newRequestTables(bad, nil, "amd64")
		require.ErrorIs(t, err, errSignature, name)
	}
}

func TestIOCalls(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		seen := map[uint16]bool{}
		for i := range ioCalls {
			n := ioCalls[i].number(arch)
			if n == noCall {
				continue
			}
			require.Less(t, n, uint16(ioMax))
			require.False(t, seen[n], "number %d of %s stands twice", n, arch)
			seen[n] = true
		}
	}
	moves := map[string]bool{}
	for i := range ioCalls {
		c := &ioCalls[i]
		moves[c.name] = c.how != ioLoop && c.how != ioURing && c.how != ioOption
	}
	require.True(t, moves["sendfile"])
	require.False(t, moves["epoll_wait"])
}

func TestRequestsAttach(t *testing.T) {
	requireRoot(t)
	for _, plain := range []bool{false, true} {
		a, err := Load(Options{Requests: true, TLS: true, Plain: plain, Signatures: []event.Signature{
			{Class: 1, Value: [event.SignatureBytes]byte{'G'}, Mask: [event.SignatureBytes]byte{0xff}, Bound: 512},
		}})
		require.NoError(t, err)
		for _, h := range a.Hooks() {
			require.True(t, h.Attached, "%s: %+v", h.Name, h.Err)
		}
		_, err = a.RequestStats()
		require.NoError(t, err)
		require.NoError(t, a.Close())
	}
}

func TestProbeTellsOfRequests(t *testing.T) {
	requireRoot(t)
	hooks, _, err := Probe()
	require.NoError(t, err)
	found := 0
	for _, h := range hooks {
		switch h.Name {
		case ioHook.name, requestHooks[0].name, requestHooks[1].name:
			require.True(t, h.Attached, "%s: %+v", h.Name, h.Err)
			found++
		}
	}
	require.Equal(t, 3, found)
}

func TestBoundedSignatures(t *testing.T) {
	all := []event.Signature{{Class: 1, Bound: 4096}, {Class: 2, Bound: 8}}
	require.Equal(t, []event.Signature{{Class: 1, Bound: 100}, {Class: 2, Bound: 8}}, bounded(all, 100))
	require.EqualValues(t, 4096, all[0].Bound, "the caller's stay as they are")
}
