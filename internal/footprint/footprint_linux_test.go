package footprint

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadOnlyMappings(t *testing.T) {
	const maps = `00400000-01a00000 r-xp 00000000 fe:00 12 /usr/bin/sightglass
01a00000-03000000 r--p 01600000 fe:00 12 /usr/bin/sightglass
03000000-03100000 rw-p 02c00000 fe:00 12 /usr/bin/sightglass
c000000000-c000400000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r--p 00000000 fe:00 13 /usr/lib/other
7ffff7ff9000-7ffff7ffd000 r--p 00000000 00:00 0 [vvar]
nonsense
zz-1 r--p 0 fe:00 12 /usr/bin/sightglass
`
	require.Equal(t, []mapping{{0x400000, 0x1a00000}, {0x1a00000, 0x3000000}}, readOnlyMappings([]byte(maps), "/usr/bin/sightglass"))
	require.Empty(t, readOnlyMappings(nil, "/usr/bin/sightglass"))
}

// TestTrim: the program goes on after its pages were given back.
func TestTrim(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	require.NoError(t, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	before := readOnlyMappings(maps, exe)
	require.NotEmpty(t, before)
	Trim()
	maps, err = os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.Equal(t, before, readOnlyMappings(maps, exe))
}
