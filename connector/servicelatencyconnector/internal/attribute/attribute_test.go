package attribute

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestTable(t *testing.T) {
	var table Table
	table.Add("http.route", 3, Current)
	table.Add("rpc.method", 4, Older) // same length
	table.Add("x", 0, Older)
	for name, want := range map[string]uint8{"http.route": 3, "rpc.method": 4, "x": 0} {
		slot, _, ok := table.Find(name)
		require.True(t, ok)
		require.Equal(t, want, slot)
	}
	_, rank, _ := table.Find("x")
	require.Equal(t, Older, rank)
	for _, name := range []string{"", "y", "http.routf", "longer.than.any.name"} {
		_, _, ok := table.Find(name)
		require.False(t, ok, name)
	}
}

func TestValueRoundTrip(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("str", "a")
	m.PutInt("int", -4)
	m.PutBool("bool", true)
	m.PutDouble("double", 0.5)
	m.PutEmpty("empty")
	m.PutEmptySlice("slice").AppendEmpty().SetInt(1)
	back := pcommon.NewMap()
	for k, v := range m.All() {
		Put(back, k, Value(v))
	}
	require.Equal(t, map[string]any{
		"str": "a", "int": int64(-4), "bool": true, "double": 0.5, "slice": "[1]",
	}, back.AsRaw())
}

func TestValueDoesNotAllocate(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("str", "a")
	m.PutInt("int", -4)
	sink := aggregate.Value{}
	require.Zero(t, alloctest.PerRun(100, func() {
		for _, v := range m.All() {
			sink = Value(v)
		}
	}))
	_ = sink
}

func TestPatternMatch(t *testing.T) {
	for _, tc := range []struct {
		pattern    Pattern
		yes, never []string
	}{
		{"a.b", []string{"a.b"}, []string{"a.bc", "xa.b", ""}},
		{"a.*", []string{"a.", "a.b", "a.b.c"}, []string{"a", "ba.c"}},
		{"*.b", []string{".b", "a.b"}, []string{"b", "a.bc"}},
		{"k8s.*.name", []string{"k8s.pod.name", "k8s..name", "k8s.a.name.name"}, []string{"k8s.name", "k8s.pod.names"}},
		{"*a*b*", []string{"ab", "xaxbx"}, []string{"ba", "a", "b"}},
		{"a*a", []string{"aa", "aba"}, []string{"a"}},
	} {
		for _, name := range tc.yes {
			require.True(t, tc.pattern.Match(name), "%s %s", tc.pattern, name)
		}
		for _, name := range tc.never {
			require.False(t, tc.pattern.Match(name), "%s %s", tc.pattern, name)
		}
	}
	require.True(t, Pattern("a.b").Exact())
	require.False(t, Pattern("a.*").Exact())
}

func TestPatternValidate(t *testing.T) {
	require.NoError(t, Pattern("a.*").Validate())
	require.ErrorContains(t, Pattern("").Validate(), "empty")
	require.ErrorContains(t, Pattern("**").Validate(), "name a prefix")
}

func TestUnbounded(t *testing.T) {
	for _, name := range []string{
		"server.address", "server.port", "client.address", "network.peer.address", "net.peer.ip", "net.sock.peer.addr",
		"url.full", "http.target", "db.query.text", "process.pid", "messaging.message.id",
	} {
		require.True(t, Unbounded(name), name)
	}
	for _, name := range []string{"http.route", "service.peer.name", "k8s.pod.name", "tenant", "network.protocol.name", "url.scheme"} {
		require.False(t, Unbounded(name), name)
	}
}
