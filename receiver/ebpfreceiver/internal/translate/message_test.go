package translate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// fieldsOf tells the records of events one after another and gives the values
// of fields of the last.
func fieldsOf(t *testing.T, names []string, list ...*event.Event) map[string]string {
	t.Helper()
	l := NewLogs(host, "1.0")
	for _, ev := range list {
		a := activity(ev, rootInfo)
		a.Arguments = true
		l.Append(a, wallOffset, observed)
	}
	batch := l.Take()
	records := batch.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	v := record.New()
	v.SetResource(batch.ResourceLogs().At(0).Resource())
	v.SetRecord(records.At(records.Len() - 1))
	out := map[string]string{}
	for _, name := range names {
		ref, err := field.Standard().Resolve(name, "", false)
		require.NoError(t, err, name)
		e, _ := events.ByName(v.EventType())
		var c field.Context
		var val field.Value
		c.Begin(v, e)
		ref.Value(&c, &val)
		if val.Kind != field.None {
			out[name] = val.String()
		}
	}
	return out
}

func udp(local, peer uint16) event.Socket {
	s := event.Socket{Family: unix.AF_INET, Type: unix.SOCK_DGRAM, Protocol: unix.IPPROTO_UDP, LocalPort: local, PeerPort: peer}
	if peer != 0 {
		s.PeerAddr = ip4(10, 0, 0, 9)
	}
	s.LocalAddr = ip4(10, 0, 0, 1)
	return s
}

func sendto(t *testing.T, sock event.Socket, port uint16) *event.Event {
	t.Helper()
	addr := event.Arg{}
	if port != 0 {
		addr = peer4(port, 10, 0, 0, 9)
	}
	return calls(t, "sendto", 5, event.Arg{Number: 4, Socket: sock}, event.Arg{Bytes: []byte("hello")}, num(5), num(0), addr, num(16))
}

// TestMessages: a datagram names its socket, and only anew when it has another
// peer than the one before.
func TestMessages(t *testing.T) {
	names := []string{"fd.name", "fd.l4proto", "fd.connected", "fd.name_changed", "fd.is_server", "evt.buffer", "evt.rawres", "fd.sport"}
	want := map[string]string{
		"fd.name": "10.0.0.1:40000->10.0.0.9:53", "fd.l4proto": "udp", "fd.connected": "false", "fd.name_changed": "true",
		"fd.is_server": "false", "evt.buffer": "hello", "evt.rawres": "5", "fd.sport": "53",
	}
	first := sendto(t, udp(40000, 0), 53)
	require.Equal(t, want, fieldsOf(t, names, first))
	require.Equal(t, want, fieldsOf(t, names, sendto(t, udp(40000, 0), 54), first), "another peer")
	want["fd.name_changed"] = "false"
	require.Equal(t, want, fieldsOf(t, names, first, sendto(t, udp(40000, 0), 53)), "the same peer")
	want["fd.connected"] = "true"
	require.Equal(t, want, fieldsOf(t, names, sendto(t, udp(40000, 53), 0)), "connected before")

	bound := udp(53, 0)
	bound.Bound = true
	recv := calls(t, "recvfrom", 5, event.Arg{Number: 4, Socket: bound}, event.Arg{Bytes: []byte("hello")}, num(100), num(0), peer4(40000, 10, 0, 0, 9), num(1))
	require.Equal(t, map[string]string{
		"fd.name": "10.0.0.9:40000->10.0.0.1:53", "fd.l4proto": "udp", "fd.connected": "false", "fd.name_changed": "true",
		"fd.is_server": "true", "evt.buffer": "hello", "evt.rawres": "5", "fd.sport": "53",
	}, fieldsOf(t, names, recv))

	message := event.Arg{Bytes: []byte("hello"), Socket: peer4(53, 10, 0, 0, 9).Socket}
	want["fd.connected"], want["fd.name_changed"] = "false", "true"
	require.Equal(t, want, fieldsOf(t, names, calls(t, "sendmsg", 5, event.Arg{Number: 4, Socket: udp(40000, 0)}, message, num(0))))
}

// TestSides: the kernel knows who made a connection of TCP, also where both ports
// are of those that it hands out; names begin with the client.
func TestSides(t *testing.T) {
	tcp := func(accepted bool) event.Arg {
		s := udp(45000, 40000)
		s.Type, s.Protocol, s.Accepted = unix.SOCK_STREAM, unix.IPPROTO_TCP, accepted
		return event.Arg{Number: 4, Socket: s}
	}
	send := func(accepted bool) *event.Event {
		return calls(t, "sendto", 5, tcp(accepted), event.Arg{Bytes: []byte("hello")}, num(5), num(0), event.Arg{}, num(0))
	}
	listening := tcp(false)
	listening.Socket.PeerPort, listening.Socket.PeerAddr = 0, [16]byte{}
	listening.Socket.State = unix.BPF_TCP_LISTEN
	names := []string{"fd.name", "fd.is_server", "fd.connected", "fd.sport"}
	for name, tt := range map[string]struct {
		ev   *event.Event
		want [4]string
	}{
		"accepted, send":      {send(true), [4]string{"10.0.0.9:40000->10.0.0.1:45000", "true", "true", "45000"}},
		"made, send":          {send(false), [4]string{"10.0.0.1:45000->10.0.0.9:40000", "false", "true", "40000"}},
		"accepted, shut down": {calls(t, "shutdown", 0, tcp(true), num(2)), [4]string{"10.0.0.9:40000->10.0.0.1:45000", "true", "true", "45000"}},
		"made, closed":        {calls(t, "close", 0, tcp(false)), [4]string{"10.0.0.1:45000->10.0.0.9:40000", "false", "true", "40000"}},
		"listening, closed":   {calls(t, "close", 0, listening), [4]string{"10.0.0.1:45000", "true", "false", "45000"}},
	} {
		got := fieldsOf(t, names, tt.ev)
		for i, f := range names {
			require.Equal(t, tt.want[i], got[f], "%s: %s", name, f)
		}
	}
}

// TestPeersAreBounded: a full memory of peers begins anew.
func TestPeersAreBounded(t *testing.T) {
	var p peers
	for fd := range int32(maxPeers + 1) {
		require.True(t, p.change(peerOf{fd: fd}, peer{port: 1}))
	}
	require.Len(t, p.last, 1)
	p.forget(peerOf{fd: maxPeers})
	require.Empty(t, p.last)
}

// TestDescriptors: what calls that make and copy descriptors say of them.
func TestDescriptors(t *testing.T) {
	names := []string{"fd.num", "fd.type", "fd.typechar", "fd.name", "evt.arg.res", "evt.rawres", "evt.arg.fd1", "evt.arg.name", "evt.arg.oldfd"}
	made := func(name string, ret int64, result event.Arg, args ...event.Arg) *event.Event {
		ev := calls(t, name, ret, args...)
		ev.Syscall.Result = result
		return ev
	}
	kernel := func(name string) event.Arg {
		return event.Arg{Path: []byte(name), Flags: event.ArgDetached, File: event.File{Inode: 9, Mode: 0o600}}
	}
	tcp := event.Socket{
		Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: unix.IPPROTO_TCP, State: 1, LocalPort: 46904, PeerPort: 39279,
		LocalAddr: ip4(127, 0, 0, 1), PeerAddr: ip4(127, 0, 0, 1),
	}
	file := event.Arg{Path: []byte("/etc/hostname"), File: event.File{Inode: 611, Mode: unix.S_IFREG | 0o644}}
	pipe := event.Arg{Flags: event.ArgDetached, File: event.File{Inode: 12, Mode: unix.S_IFIFO | 0o600}}
	memfd := event.Arg{
		Path: []byte("memfd:secret"), Flags: event.ArgDetached,
		File: event.File{Inode: 13, Mode: unix.S_IFREG | 0o777, Flags: event.FileMemfd},
	}
	for name, c := range map[string]struct {
		ev   *event.Event
		want map[string]string
	}{
		"dup2 of a connection": {made("dup2", 50, event.Arg{Socket: tcp}, num(7), num(50)), map[string]string{
			"fd.num": "50", "fd.type": "ipv4", "fd.typechar": "4", "fd.name": "127.0.0.1:46904->127.0.0.1:39279",
			"evt.arg.res": "<4t>127.0.0.1:46904->127.0.0.1:39279", "evt.rawres": "50", "evt.arg.oldfd": "<4t>127.0.0.1:46904->127.0.0.1:39279",
		}},
		"dup of a file": {made("dup", 8, file, num(3)), map[string]string{
			"fd.num": "8", "fd.type": "file", "fd.typechar": "f", "fd.name": "/etc/hostname",
			"evt.arg.res": "<f>/etc/hostname", "evt.rawres": "8", "evt.arg.oldfd": "<f>/etc/hostname",
		}},
		"dup that fails": {calls(t, "dup", -int64(unix.EBADF), num(33)), map[string]string{
			"fd.num": "-1", "fd.typechar": "o", "fd.name": "", "evt.arg.res": "EBADF", "evt.rawres": "-9", "evt.arg.oldfd": "33",
		}},
		"pipe": {made("pipe2", 0, pipe, event.Arg{Words: [6]uint64{5, 6}}, num(0)), map[string]string{
			"fd.num": "5", "fd.type": "pipe", "fd.typechar": "p", "fd.name": "", "evt.arg.res": "0", "evt.rawres": "0", "evt.arg.fd1": "<p>",
		}},
		"memfd": {made("memfd_create", 4, memfd, str("secret"), num(1)), map[string]string{
			"fd.num": "4", "fd.type": "memfd", "fd.typechar": "m", "fd.name": "secret", "evt.rawres": "4", "evt.arg.name": "secret",
		}},
		"epoll": {made("epoll_create1", 4, kernel("[eventpoll]"), num(0)), map[string]string{
			"fd.num": "4", "fd.type": "eventpoll", "fd.typechar": "l", "fd.name": "", "evt.arg.res": "4", "evt.rawres": "4",
		}},
		"pidfd": {made("pidfd_open", 4, kernel("[pidfd]"), num(4000), num(0)), map[string]string{
			"fd.num": "4", "fd.type": "pidfd", "fd.typechar": "P", "fd.name": "/proc/4000", "evt.rawres": "4",
		}},
		"bpf map": {made("bpf", 4, kernel("bpf-map"), num(0), num(1), num(72)), map[string]string{
			"fd.num": "4", "fd.type": "bpf", "fd.typechar": "b", "fd.name": "", "evt.rawres": "4",
		}},
		"bpf that returns no descriptor": {made("bpf", 0, file, num(1), num(1), num(72)), map[string]string{
			"fd.num": "0", "fd.type": "bpf", "fd.typechar": "b", "fd.name": "", "evt.rawres": "0",
		}},
		"close": {calls(t, "close", 0, event.Arg{Number: 3, Path: file.Path, File: file.File}), map[string]string{
			"fd.num": "3", "fd.type": "file", "fd.typechar": "f", "fd.name": "/etc/hostname", "evt.arg.res": "0", "evt.rawres": "0",
		}},
		"socketpair": {made("socketpair", 0, event.Arg{Socket: event.Socket{Family: unix.AF_UNIX, Type: 1}},
			num(1), num(1), num(0), event.Arg{Words: [6]uint64{5, 6}}), map[string]string{
			"fd.num": "5", "fd.type": "unix", "fd.typechar": "u", "fd.name": "", "evt.arg.res": "0", "evt.rawres": "0", "evt.arg.fd1": "<u>",
		}},
	} {
		require.Equal(t, c.want, fieldsOf(t, names, c.ev), name)
	}
}

// TestStructs: what a structure holds comes under the names of its members.
func TestStructs(t *testing.T) {
	args := func(ev *event.Event) string { return fieldsOf(t, []string{"evt.args"}, ev)["evt.args"] }
	limit := event.Arg{Words: [6]uint64{10, ^uint64(0)}}
	require.Equal(t, "res=0 newcur=10 newmax=-1 oldcur=20 oldmax=30 pid=1 resource=7(RLIMIT_NOFILE)",
		args(calls(t, "prlimit", 0, num(1), num(7), limit, event.Arg{Words: [6]uint64{20, 30}})))
	require.Equal(t, "res=0 cur=10 max=-1 resource=7(RLIMIT_NOFILE)", args(calls(t, "setrlimit", 0, num(7), limit)))
	named := calls(t, "prctl", 0, num(unix.PR_SET_NAME), num(0x7fff), num(0), num(0), num(0))
	require.Contains(t, args(named), "option=15(PR_SET_NAME) arg2_str=tool")
	clone := calls(t, "clone3", 4300, event.Arg{Words: [6]uint64{unix.CLONE_NEWNS}}, num(88))
	require.Contains(t, args(clone), "flags=32(CLONE_NEWNS)")
}

// TestMoves: bytes are sent or received where a descriptor comes before them.
func TestMoves(t *testing.T) {
	for _, tt := range []struct {
		kinds []syscalls.Kind
		want  bool
	}{
		{[]syscalls.Kind{syscalls.KindFD, syscalls.KindBytes}, true},
		{[]syscalls.Kind{syscalls.KindFD, syscalls.KindBytesOut}, true},
		{[]syscalls.Kind{syscalls.KindFD, syscalls.KindMessage}, true},
		{[]syscalls.Kind{syscalls.KindPath, syscalls.KindBytes}, false},
		{[]syscalls.Kind{syscalls.KindBytes}, false},
		{[]syscalls.Kind{syscalls.KindFD, syscalls.KindPath}, false},
		{nil, false},
	} {
		var spec syscalls.Spec
		for _, kind := range tt.kinds {
			spec.Args = append(spec.Args, syscalls.Arg{Kind: kind})
		}
		require.Equal(t, tt.want, moves(&spec), "%v", tt.kinds)
	}
}
