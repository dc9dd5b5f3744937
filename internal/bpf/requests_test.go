package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

func TestRequestTables(t *testing.T) {
	tables, err := newRequestTables([]event.Signature{
		{Class: 1, Value: [8]byte{'G', 'E', 'T', ' '}, Mask: [8]byte{0xff, 0xff, 0xff, 0xff}, Bound: 512, End: "\r\n\r\n", Bare: true},
		{Class: 1, Value: [8]byte{'H'}, Mask: [8]byte{0xff}, Bound: 1024},
		{Class: 2, Value: [8]byte{0x40}, Mask: [8]byte{0xfe}, Bound: 64, Every: true},
	}, "amd64")
	require.NoError(t, err)
	require.EqualValues(t, 3, tables.count)
	require.EqualValues(t, 0x20544547, tables.signatures[0].Value)
	require.EqualValues(t, 0xffffffff, tables.signatures[0].Mask)
	require.EqualValues(t, 0x0a0d0a0d, tables.signatures[0].End)
	require.EqualValues(t, 1, tables.signatures[0].Bare)
	require.Zero(t, tables.signatures[1].End)
	require.Equal(t, requestsRequestsClass{Bound: 1024}, tables.classes[1])
	require.Equal(t, requestsRequestsClass{Bound: 64, Every: 1}, tables.classes[2])
	for b, want := range map[byte]uint8{'G': 1, 'H': 1, 0x40: 1, 0x41: 1, 0x42: 0, 0: 0} {
		require.Equal(t, want, tables.first[b], "first byte %#x", b)
	}
	require.EqualValues(t, ioBuffer, tables.calls[0])
	require.EqualValues(t, ioVector|ioSend, tables.calls[20])
}

func TestRequestTablesRefuse(t *testing.T) {
	good := event.Signature{Class: 1, Bound: 1}
	for name, bad := range map[string][]event.Signature{
		"class 0":         {{Class: 0}},
		"class too large": {{Class: maxClass}},
		"bound too large": {{Class: 1, Bound: event.MaxPayload + 1}},
		"end too short":   {{Class: 1, End: "123"}},
		"too many":        append(make([]event.Signature, maxSignature), good),
	} {
		_, err := newRequestTables(bad, "amd64")
		require.ErrorIs(t, err, errSignature, name)
	}
}

func TestIOCalls(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		seen := map[uint16]bool{}
		for _, n := range ioNumbers(arch) {
			require.Less(t, n, uint16(ioMax))
			require.False(t, seen[n], "number %d of %s stands twice", n, arch)
			seen[n] = true
		}
	}
	require.Contains(t, IOCallNames(), "sendfile")
}

func TestRequestsAttach(t *testing.T) {
	requireRoot(t)
	for _, plain := range []bool{false, true} {
		a, err := Load(Options{Requests: true, Plain: plain, Signatures: []event.Signature{
			{Class: 1, Value: [8]byte{'G'}, Mask: [8]byte{0xff}, Bound: 512},
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
