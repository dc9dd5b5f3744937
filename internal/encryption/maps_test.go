package encryption

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const someMaps = `55d1c0000000-55d1c0001000 r--p 00000000 fe:00 100 /usr/bin/curl
55d1c0001000-55d1c0002000 r-xp 00001000 fe:00 100 /usr/bin/curl
7f0000000000-7f0000001000 r-xp 00000000 fe:00 200                        /usr/lib/lib with space.so (deleted)
7f0000002000-7f0000003000 r-xp 00001000 fe:00 200 /usr/lib/lib with space.so (deleted)
7f0000004000-7f0000005000 rw-p 00000000 fe:00 300 /usr/lib/libssl.so.3
7f0000006000-7f0000007000 r-xp 00000000 00:00 0 [vdso]
7f0000008000-7f0000009000 rwxp 00000000 00:00 0
nonsense
`

func TestExecutableFiles(t *testing.T) {
	require.Equal(t, []mapping{
		{start: "55d1c0001000", end: "55d1c0002000", inode: 100, path: "/usr/bin/curl"},
		{start: "7f0000000000", end: "7f0000001000", inode: 200, path: "/usr/lib/lib with space.so", deleted: true},
	}, executableFiles(strings.NewReader(someMaps)))
}

func FuzzMapping(f *testing.F) {
	for line := range strings.Lines(someMaps) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if m, ok := parseMapping(line); ok && (m.inode == 0 || !strings.HasPrefix(m.path, "/")) {
			t.Fatalf("%+v", m)
		}
	})
}

func TestIdentify(t *testing.T) {
	dir := t.TempDir()
	one, link, other := filepath.Join(dir, "one"), filepath.Join(dir, "link"), filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(one, []byte("1"), 0o600))
	require.NoError(t, os.Link(one, link))
	require.NoError(t, os.WriteFile(other, []byte("1"), 0o600))
	id, v, err := identify(one)
	require.NoError(t, err)
	same, sameVersion, err := identify(link)
	require.NoError(t, err)
	require.Equal(t, id, same)
	require.Equal(t, v, sameVersion)
	different, _, err := identify(other)
	require.NoError(t, err)
	require.NotEqual(t, id, different)
	require.NoError(t, os.WriteFile(one, []byte("12"), 0o600))
	same, changed, err := identify(one)
	require.NoError(t, err)
	require.Equal(t, id, same, "written to")
	require.NotEqual(t, v, changed)
	_, _, err = identify(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestFind has this process's own executable found again.
func TestFind(t *testing.T) {
	maps, err := os.Open("/proc/self/maps")
	require.NoError(t, err)
	defer maps.Close()
	all := executableFiles(maps)
	require.NotEmpty(t, all)
	path, err := all[0].find("/proc", uint32(os.Getpid()))
	require.NoError(t, err)
	id, _, err := identify(path)
	require.NoError(t, err)
	require.Equal(t, all[0].inode, id.inode)
	all[0].inode++
	_, err = all[0].find("/proc", uint32(os.Getpid()))
	require.Error(t, err)
}
