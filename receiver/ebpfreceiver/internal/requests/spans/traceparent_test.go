package spans

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTraceParent(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	p, ok := ParseTraceParent([]byte(good))
	require.True(t, ok)
	require.EqualValues(t, 1, p.Flags)
	for _, ok := range []string{good, "cc" + good[2:], "cc" + good[2:] + "-what-comes"} {
		_, valid := ParseTraceParent([]byte(ok))
		require.True(t, valid, ok)
	}
	for _, bad := range []string{
		"", "00", good[:54], good + "-x", "ff" + good[2:], "cc" + good[2:] + "x", strings.ToUpper(good),
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		strings.Replace(good, "-", "_", 1), "0g" + good[2:],
	} {
		_, valid := ParseTraceParent([]byte(bad))
		require.False(t, valid, bad)
	}
}
