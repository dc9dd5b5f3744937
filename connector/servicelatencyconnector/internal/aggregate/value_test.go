package aggregate

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type named struct {
	name  string
	value Value
}

func decode(key string, names ...string) (out []named) {
	for name, v := range attributes(key, names) {
		out = append(out, named{name, v})
	}
	return out
}

func TestKeyRoundTrip(t *testing.T) {
	var key []byte
	key = AppendValue(key, StringValue("GET"))
	key = AppendValue(key, Value{})
	key = AppendValue(key, IntValue(-5))
	key = AppendJoined(key, "pkg.Service", "Call")
	key = AppendNamed(key, "on", BoolValue(true))
	key = AppendNamed(key, "off", BoolValue(false))
	key = AppendNamed(key, "none", Value{})
	key = AppendNamed(key, "ratio", DoubleValue(-0.25))
	key = AppendNamed(key, "", StringValue(""))
	require.Equal(t, []named{
		{"method", StringValue("GET")},
		{"code", IntValue(-5)},
		{"call", StringValue("pkg.Service/Call")},
		{"on", BoolValue(true)},
		{"off", BoolValue(false)},
		{"ratio", DoubleValue(-0.25)},
		{"", StringValue("")},
	}, decode(string(key), "method", "route", "code", "call"))
}

func TestValueAccessors(t *testing.T) {
	require.Equal(t, "x", StringValue("x").Str())
	require.True(t, Value{}.Empty())
	require.True(t, StringValue("").Empty())
	require.False(t, IntValue(0).Empty())
	require.EqualValues(t, math.MinInt64, IntValue(math.MinInt64).Int())
	require.True(t, BoolValue(true).Bool())
	require.False(t, BoolValue(false).Bool())
	require.InDelta(t, 1.5, DoubleValue(1.5).Double(), 0)
	require.Equal(t, Absent, Value{}.Kind())
}

func TestLongStringsAreCutAtARune(t *testing.T) {
	long := strings.Repeat("a", maxStringBytes-1) + "é" + "z"
	got := decode(string(AppendNamed(nil, "k", StringValue(long))))
	require.Equal(t, strings.Repeat("a", maxStringBytes-1), got[0].value.Str())

	exact := strings.Repeat("b", maxStringBytes)
	got = decode(string(AppendJoined(appendText(nil, exact+"c"), exact, exact)))
	require.Equal(t, exact, got[0].name)
	require.Equal(t, exact+"/"+exact, got[0].value.Str())

	onlyContinuation := strings.Repeat("\x80", maxStringBytes+10)
	got = decode(string(AppendNamed(nil, "k", StringValue(onlyContinuation))))
	require.Empty(t, got[0].value.Str())
}

func TestAttributesStopEarly(t *testing.T) {
	key := AppendNamed(AppendNamed(nil, "a", IntValue(1)), "b", IntValue(2))
	seen := 0
	for range attributes(string(key), nil) {
		seen++
		break
	}
	require.Equal(t, 1, seen)
}

func FuzzKey(f *testing.F) {
	f.Add("GET", "/users/{id}", int64(200), 0.5)
	f.Add("", strings.Repeat("x", 300), int64(-1), math.Inf(1))
	f.Fuzz(func(t *testing.T, a, b string, i int64, d float64) {
		key := AppendValue(nil, StringValue(a))
		key = AppendValue(key, IntValue(i))
		key = AppendNamed(key, b, DoubleValue(d))
		key = AppendJoined(appendText(key, a), a, b)
		got := decode(string(key), "a", "i")
		require.Len(t, got, 4)
		require.Equal(t, cut(a), got[0].value.Str())
		require.Equal(t, i, got[1].value.Int())
		require.Equal(t, cut(b), got[2].name)
		require.Equal(t, math.Float64bits(d), math.Float64bits(got[2].value.Double()))
	})
}
