package interest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBeginnings(t *testing.T) {
	b := BeginningsOf("/etc/ssh", "/etc/shadow"+Whole, "/root/", "/etc/ssh/x", "/root/.ssh", "/z")
	require.Equal(t, Beginnings{"/etc/shadow\x00", "/etc/ssh", "/root/", "/z"}, b)
	for path, want := range map[string]bool{
		"/etc/shadow": true, "/etc/shadow-": false, "/etc/ssh": true, "/etc/sshd": true, "/etc/ss": false, "/root": false,
		"/root/": true, "/root/x": true, "": false, "/": false, "/z": true, "/zz": true, "a": false,
	} {
		require.Equal(t, want, b.Match([]byte(path+Whole)), path)
	}
	require.False(t, Beginnings(nil).Match([]byte("/\x00")))
	require.Equal(t, BeginningsOf("/a", "/b"), BeginningsOf("/a/x").union(BeginningsOf("/b", "/a")))
}

// FuzzBeginnings holds the search against looking at every one.
func FuzzBeginnings(f *testing.F) {
	f.Add("/etc/ssh /etc/shadow$ /root/", "/etc/sshd")
	f.Fuzz(func(t *testing.T, list, text string) {
		parts := strings.Fields(strings.ReplaceAll(list, "$", Whole))
		text = strings.ReplaceAll(text, Whole, "") + Whole
		want := false
		for _, p := range parts {
			want = want || strings.HasPrefix(text, p)
		}
		require.Equal(t, want, BeginningsOf(parts...).Match([]byte(text)))
	})
}

func TestIsPlain(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/etc": true, "/etc/": true, "/etc/.x": true, "/a.b/..c": true,
		"": false, "etc": false, "//": false, "/etc//": false, "/./x": false, "/x/.": false, "/x/..": false, "/../x": false,
		"/a./x": false, "/a../x": false,
	} {
		require.Equal(t, want, IsPlain([]byte(path)), path)
		if len(path) > 1 && path[0] == '/' && path[1] != '/' {
			require.Equal(t, want, IsPlainTail([]byte(path[1:])), path)
		}
	}
	require.False(t, IsPlainTail([]byte("/x")))
}

func TestFilters(t *testing.T) {
	etc, home := &Filter{{Named: Beginnings{"/etc/"}}}, &Filter{{Resolved: Beginnings{"/home/"}}, {Any: true}}
	require.True(t, etc.Selective())
	require.False(t, Everything().Selective())
	a := Names("bind").With("open", etc)
	require.Equal(t, etc, a.Filter("open"))
	require.Nil(t, a.Filter("bind"))
	require.True(t, a.Has("open"))
	b := a.With("open", home)
	require.Equal(t, Wish{Named: Beginnings{"/etc/"}, Resolved: Beginnings{"/home/"}}, b.Filter("open")[0])
	require.True(t, b.Filter("open")[1].Any)
	require.True(t, b.Filter("open")[2].None())
	require.Equal(t, etc, a.Filter("open"), "sets are immutable")
	require.False(t, a.Equal(b))
	require.True(t, a.Equal(Names("bind").With("open", &Filter{{Named: Beginnings{"/etc/"}}})))
	require.Nil(t, b.Union(Names("open")).Filter("open"), "whoever names it wants all of it")
	require.Nil(t, Names("open").With("open", etc).Filter("open"))
	require.Nil(t, Set{}.With("open", Everything()).Filter("open"))
}
