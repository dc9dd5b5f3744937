package need_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/need"
)

func of(t *testing.T, event, cond string) *interest.Filter {
	t.Helper()
	e, err := lang.Parse(cond, lang.DepthDefault)
	require.NoError(t, err, cond)
	res, err := check.Check(e, field.Standard())
	require.NoError(t, err, cond)
	typ, ok := events.ByName(event)
	require.True(t, ok)
	return need.Of(res.Expr, typ)
}

func named(list ...string) interest.Wish {
	return interest.Wish{Named: interest.BeginningsOf(list...)}
}

func resolved(list ...string) interest.Wish {
	return interest.Wish{Resolved: interest.BeginningsOf(list...)}
}

func programs(list ...string) interest.Wish {
	return interest.Wish{Programs: interest.BeginningsOf(list...)}
}

var (
	none = interest.Wish{}
	all  = interest.Wish{Any: true}
)

// TestReadingOpen looks at an openat for reading that succeeds, and at one that
// fails.
func TestReadingOpen(t *testing.T) {
	for _, tt := range []struct {
		cond       string
		ok, failed interest.Wish
	}{
		{"proc.pname = x", all, all},
		{"evt.type = open", none, none},
		{"not evt.type = openat", none, none},
		{"evt.rawres >= 0", all, none},
		{"not evt.rawres >= 0", none, all},
		{"evt.rawres < 0", none, all},
		{"evt.rawres in (-2, 3)", all, all},
		{"evt.rawres = -1", none, all},
		{"not evt.rawres != 0", all, none},
		{"evt.failed = false", all, none},
		{"evt.res != SUCCESS", none, all},
		{"not evt.res = allof (SUCCESS, ENOENT)", all, all},
		{"evt.res = ENOENT or evt.res = SUCCESS", all, all},
		{"evt.is_open_write = true", none, none},
		{"not evt.is_open_read = true", none, none},
		{"evt.is_open_read = true and evt.rawres >= 0", all, none},
		{"fd.name startswith /etc/", named("/etc/"), named("/etc/")},
		{"fd.name = /etc/x", named("/etc/x\x00"), named("/etc/x\x00")},
		{"fd.name != /etc/x", all, all},
		{"not fd.name startswith /etc/", all, all},
		{"fd.name = ''", all, all},
		{"fd.name startswith /srv/\u00e9/x", named("/srv/"), named("/srv/")},
		{"fd.name in (/a/b, /c)", named("/a/b\x00", "/c\x00"), named("/a/b\x00", "/c\x00")},
		{"fd.name glob '/etc/ss?/*'", named("/etc/ss"), named("/etc/ss")},
		{"fd.name glob '*/id'", all, all},
		{"fd.name pmatch (etc//ssh/, /home/*/x)", named("/etc/ssh", "/home/"), named("/etc/ssh", "/home/")},
		{"fd.name endswith x", all, all},
		{"fd.directory = /etc", named("/etc/", "/etc\x00"), named("/etc/", "/etc\x00")},
		{"fd.nameraw = /etc/x/", named("/etc/x\x00", "/etc/x/"), named("/etc/x\x00", "/etc/x/")},
		{"fd.nameraw contains ../", named("//"), named("//")},
		{"fd.nameraw contains x", all, all},
		{"fs.path.resolved startswith /etc/", resolved("/etc/"), none},
		{"fs.path.resolved startswith /etc/ or fs.path.name = /x", interest.Wish{
			Named: interest.BeginningsOf("/x\x00"), Resolved: interest.BeginningsOf("/etc/"),
		}, named("/x\x00")},
		{"fs.path.resolved startswith /etc/ and fd.name startswith /etc/ssh/", named("/etc/ssh/"), none},
		{"proc.name in (tar, sh)", programs("sh\x00", "tar\x00"), programs("sh\x00", "tar\x00")},
		{"proc.name = tar and fd.name startswith /etc/", named("/etc/"), named("/etc/")},
		{"proc.name = tar and proc.pname = x", programs("tar\x00"), programs("tar\x00")},
		{"not (fd.name startswith /etc/ and evt.rawres >= 0)", all, all},
		{"not (not fd.name startswith /etc/ or evt.rawres < 0)", named("/etc/"), none},
		{"toupper(fd.name) = X", all, all},
		{"fd.name = val(proc.name)", all, all},
	} {
		f := of(t, "openat", tt.cond)
		require.Equal(t, tt.ok, f[interest.ClassOf(3, 0)], tt.cond)
		require.Equal(t, tt.failed, f[interest.ClassOf(-2, 0)], tt.cond)
	}
}

func TestOtherCalls(t *testing.T) {
	write := interest.ClassOf(3, 1)
	require.Equal(t, all, of(t, "openat", "evt.is_open_write = true")[write])
	require.Equal(t, none, of(t, "openat", "evt.is_open_read = true")[write])
	require.Equal(t, all, of(t, "open_by_handle_at", "evt.is_open_read = true")[0])
	require.Equal(t, none, of(t, "creat", "evt.is_open_write = true")[0])
	require.Equal(t, all, of(t, "connect", "fd.name startswith /run/")[0], "the name of a socket")
	require.Equal(t, none, of(t, "connect", "evt.rawres = 0")[interest.ClassOf(-111, 0)])
}

// TestSockets looks at a sendto over a connected socket, over a unix socket, and
// over one of which nothing is known.
func TestSockets(t *testing.T) {
	for _, tt := range []struct {
		cond                   string
		connected, unix, other interest.Wish
	}{
		{"fd.connected = false", none, all, all},
		{"fd.connected = true", all, all, all},
		{"fd.name_changed = true", none, all, all},
		{"fd.typechar = 4 or fd.typechar = 6", all, none, all},
		{"fd.typechar != u", all, none, all},
		{"fd.type in (unix, file)", none, all, all},
		{"fd.type startswith ip", all, all, all},
		{"not fd.sockfamily = ip", none, all, all},
		{"fd.l4proto != tcp", all, all, all},
		{"fd.l4proto = udp", all, none, all},
		{"fd.l4proto = udp and fd.connected = false", none, none, all},
	} {
		f := of(t, "sendto", tt.cond)
		require.Equal(t, tt.connected, f[interest.ClassOf(3, interest.SocketKind(2, 53))], tt.cond)
		require.Equal(t, tt.unix, f[interest.ClassOf(3, interest.SocketKind(1, 0))], tt.cond)
		require.Equal(t, tt.other, f[interest.ClassOf(3, interest.SocketKind(10, 0))], tt.cond)
		require.Equal(t, tt.other, f[interest.ClassOf(3, interest.SocketKind(0, 0))], tt.cond)
	}
	connected := interest.ClassOf(0, interest.SocketConnected)
	require.Equal(t, all, of(t, "connect", "fd.connected = false")[connected], "an earlier connect may have connected it")
	require.Equal(t, none, of(t, "connect", "fd.typechar = u")[connected])
	require.Equal(t, all, of(t, "bind", "fd.typechar = u")[connected], "its class tells no socket")
}
