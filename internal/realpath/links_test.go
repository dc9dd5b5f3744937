//go:build linux

package realpath

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

// Names lead through the links that were there at the time of their calls.
func TestLinks(t *testing.T) {
	dir := tree(t)
	const ns, second = 5, uint64(time.Second)
	made := func(path, target string) func(*Links) {
		return func(l *Links) { l.Made(ns, []byte(path), []byte(target), 100*second) }
	}
	for name, tt := range map[string]struct {
		past []func(*Links)
		name string
		now  uint64
		want string
	}{
		"gone since":               {[]func(*Links){made("/tmp/gone", "/etc")}, "/tmp/gone/passwd", 101 * second, "/etc"},
		"relative":                 {[]func(*Links){made("/tmp/gone", "../etc")}, "/tmp/gone/ssh/x", 101 * second, "/etc/ssh"},
		"one through another":      {[]func(*Links){made("/tmp/gone", "/etc"), made("/srv/far", "/tmp/gone/ssh")}, "/srv/far/x", 101 * second, "/etc/ssh"},
		"through one that lies":    {[]func(*Links){made("/tmp/gone", "/tmp/x/ssh")}, "/tmp/gone/x", 101 * second, "/etc/ssh"},
		"turned since":             {[]func(*Links){made("/tmp/x", "/srv")}, "/tmp/x/passwd", 101 * second, "/srv"},
		"never made":               {nil, "/tmp/gone/passwd", 101 * second, "/tmp/gone"},
		"before":                   {[]func(*Links){made("/tmp/gone", "/etc")}, "/tmp/gone/passwd", 99 * second, "/tmp/gone"},
		"long ago":                 {[]func(*Links){made("/tmp/gone", "/etc")}, "/tmp/gone/passwd", 111 * second, "/tmp/gone"},
		"a loop":                   {[]func(*Links){made("/tmp/gone", "/tmp/gone")}, "/tmp/gone/passwd", 101 * second, ""},
		"removed before the call":  {[]func(*Links){made("/tmp/gone", "/etc"), func(l *Links) { l.Removed(ns, []byte("/tmp/gone")) }}, "/tmp/gone/passwd", 101 * second, "/tmp/gone"},
		"renamed":                  {[]func(*Links){made("/tmp/a", "/etc"), func(l *Links) { l.Renamed(ns, []byte("/tmp/a"), []byte("/tmp/b")) }}, "/tmp/b/passwd", 101 * second, "/etc"},
		"where it was renamed":     {[]func(*Links){made("/tmp/a", "/etc"), func(l *Links) { l.Renamed(ns, []byte("/tmp/a"), []byte("/tmp/b")) }}, "/tmp/a/passwd", 101 * second, "/tmp/a"},
		"renamed onto":             {[]func(*Links){made("/tmp/a", "/etc"), func(l *Links) { l.Renamed(ns, []byte("/srv"), []byte("/tmp/a")) }}, "/tmp/a/passwd", 101 * second, "/tmp/a"},
		"in another name space":    {[]func(*Links){func(l *Links) { l.Made(ns+1, []byte("/tmp/gone"), []byte("/etc"), 100*second) }}, "/tmp/gone/passwd", 101 * second, "/tmp/gone"},
		"without a target":         {[]func(*Links){made("/tmp/gone", "")}, "/tmp/gone/passwd", 101 * second, "/tmp/gone"},
		"with a very long target":  {[]func(*Links){made("/tmp/gone", strings.Repeat("/a", maxTarget))}, "/tmp/gone/passwd", 101 * second, "/tmp/gone"},
		"with slashes at its end":  {[]func(*Links){made("/tmp/gone", "/etc//")}, "/tmp/gone/passwd", 101 * second, "/etc"},
		"not on the way":           {[]func(*Links){made("/tmp/gone", "/etc")}, "/srv/passwd", 101 * second, "/srv"},
		"the last place is itself": {[]func(*Links){made("/tmp/gone", "/etc")}, "/tmp/gone", 101 * second, "/tmp"},
	} {
		t.Run(name, func(t *testing.T) {
			links := NewLinks()
			for _, f := range tt.past {
				f(links)
			}
			found, _, err := at(dir, "").At(links, ns, tt.now).Directory(nil, []byte("/"), []byte(tt.name))
			if tt.want == "" {
				require.ErrorIs(t, err, errLoop)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, string(found))
		})
	}
}

// What is remembered is bounded, and looking at it allocates nothing.
func TestLinksAreBounded(t *testing.T) {
	links := NewLinks()
	for i := range 3 * maxLinksMade {
		links.Made(1, fmt.Append(nil, "/tmp/", i), []byte("/etc"), 1)
	}
	require.Len(t, links.made, maxLinksMade)
	require.Empty(t, links.at(1, []byte("/tmp/0"), 2))
	last := fmt.Append(nil, "/tmp/", 3*maxLinksMade-1)
	require.Equal(t, "/etc", links.at(1, last, 2))
	require.Zero(t, alloctest.PerRun(100, func() { links.at(1, last, 2) }))
	for i := range 3 * maxLinksMade {
		links.Removed(1, fmt.Append(nil, "/tmp/", i))
	}
	require.Empty(t, links.made)
}

// A root without a memory of links sees those that there are.
func TestNoLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/etc", filepath.Join(dir, "x")))
	found, _, err := at(dir, "").Directory(nil, []byte("/"), []byte("/x/passwd"))
	require.NoError(t, err)
	require.Equal(t, "/etc", string(found))
}
