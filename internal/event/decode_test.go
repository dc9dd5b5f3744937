package event

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

// decoded decodes a sample.
func decoded(t *testing.T, name string) *Event {
	t.Helper()
	raw, ok := samples(t)[name]
	require.True(t, ok, name)
	ev := &Event{}
	require.NoError(t, Decode(raw, ev))
	return ev
}

func TestDecodeHeaderAndTask(t *testing.T) {
	ev := decoded(t, "fork")
	assert.Equal(t, Header{
		Type: TypeFork, Len: 32 + 96 + 16 + 48, Time: 1000,
		Key: ProcessKey{Start: 77, TGID: 42}, TID: 43,
	}, ev.Header)
	assert.Equal(t, Task{
		Parent: ProcessKey{Start: 1, TGID: 3}, CgroupID: 2,
		UID: 4, GID: 5, EUID: 6, EGID: 7, LoginUID: 8, Session: 9, TTY: 10, VPID: 11, VTID: 12,
		CgroupHierarchy: 13, MountNS: 14, PIDNS: 15, NetNS: 16, Kthread: true, PGID: 18, Comm: []byte("sh"),
	}, ev.Task)
	assert.Equal(t, Fork{Parent: ProcessKey{Start: 66, TGID: 41}, ParentTID: 40}, ev.Fork)
}

func TestDecodeOpenat(t *testing.T) {
	ev := decoded(t, "openat")
	s := &ev.Syscall
	assert.Equal(t, "openat", s.Name())
	assert.Equal(t, int64(3), s.Return)
	assert.Equal(t, uint64(900), s.Enter)
	assert.Equal(t, 4, s.NumArgs)
	assert.Equal(t, int32(-100), s.Args[0].Int())
	assert.Equal(t, "/etc", string(s.Cwd))
	assert.Equal(t, "/etc", string(s.Args[0].Path), "AT_FDCWD has the working directory's path")
	assert.Equal(t, "passwd", string(s.Arg("name").Bytes))
	assert.Equal(t, uint64(0o2000000), s.Arg("flags").Number)
	assert.Nil(t, s.Arg("nonsense"))
	assert.Equal(t, "/etc/passwd", string(s.Result.Path))
	assert.Equal(t, File{Inode: 737, Device: 8<<20 | 1, Mode: 0o100644, Flags: FileUpper, Directory: 77}, s.Result.File)
	assert.EqualValues(t, 8, s.Result.File.Major())
	assert.EqualValues(t, 1, s.Result.File.Minor())
}

func TestDecodeLateAndStructs(t *testing.T) {
	ev := decoded(t, "openat2")
	assert.Equal(t, FlagLate, ev.Flags)
	assert.Equal(t, ArgLate, ev.Syscall.Args[1].Flags)
	assert.Equal(t, [6]uint64{1, 0o644, 8}, ev.Syscall.Args[2].Words)
	assert.Zero(t, ev.Syscall.Result)
	assert.Nil(t, ev.Syscall.Cwd)
}

func TestDecodeSockets(t *testing.T) {
	s := &decoded(t, "connect").Syscall
	peer := [16]byte{10, 0, 0, 2}
	assert.Equal(t, Socket{Family: afInet, PeerPort: 443, PeerAddr: peer}, s.Args[1].Socket)
	assert.Equal(t, Socket{
		Family: afInet, Type: 1, Protocol: 6, State: 1, LocalPort: 40000, PeerPort: 443,
		LocalAddr: [16]byte{10, 0, 0, 1}, PeerAddr: peer, NetNS: 99,
	}, s.Args[0].Socket)
	s = &decoded(t, "unix connect").Syscall
	assert.Equal(t, "/run/s", string(s.Args[1].Socket.PeerPath))
	assert.Equal(t, "/run/s", string(s.Args[0].Socket.PeerPath))
	assert.Equal(t, "\x00abstract", string(s.Args[0].Socket.LocalPath))
}

func TestDecodeLocalAndOtherAddresses(t *testing.T) {
	six := append([]byte{afInet6, 0, 0x1f, 0x90, 0, 0, 0, 0}, make([]byte, 15)...)
	six = append(six, 1, 0, 0, 0, 0)
	raw := newRecord(TypeSyscall, 0).task("x").call("bind", 0, 0, 3, 1, 28).extra(1, extraBytes, 0, six).raw()
	var ev Event
	require.NoError(t, Decode(raw, &ev))
	assert.Equal(t, Socket{Family: afInet6, LocalPort: 8080, LocalAddr: [16]byte{15: 1}}, ev.Syscall.Args[1].Socket)
	for _, b := range [][]byte{nil, {2}, {afInet, 0, 1}, {16, 0, 0, 0}} {
		raw = newRecord(TypeSyscall, 0).task("x").call("bind", 0, 0, 3, 1, 28).extra(1, extraBytes, 0, b).raw()
		require.NoError(t, Decode(raw, &ev))
		assert.Zero(t, ev.Syscall.Args[1].Socket.LocalPort)
	}
}

func TestDecodeExec(t *testing.T) {
	ev := decoded(t, "exec")
	assert.Equal(t, Exec{
		OldTID: 44, Argc: 3, File: File{Inode: 9, Device: 1<<20 | 2, Mode: 0o100755, Flags: FileMemfd}, Ctime: 111, Mtime: 222, Input: 333, Output: 444, Substituted: 555,
		Path: []byte("/usr/bin/dash"), Filename: []byte("/bin/sh"), Interp: []byte("/bin/dash"), Cwd: []byte("/"),
		Args: []byte("sh\x00-c\x00ls"), ArgFlag: ArgTruncated, Env: []byte("A=1\x00"),
	}, ev.Exec)
	ev = decoded(t, "process")
	assert.Equal(t, "memfd:x", string(ev.Exec.Path))
	assert.Equal(t, ArgDetached, ev.Exec.PathFlag)
}

// TestDecodeIdentity: the calls that change it tell it, and a fork and an exec.
func TestDecodeIdentity(t *testing.T) {
	for _, name := range []string{"setsid", "exec", "fork"} {
		assert.Equal(t, Identity{
			Known: true, CapInheritable: 1, CapPermitted: 2, CapEffective: 3, PIDNSStart: 4, SID: 5, VPGID: 6,
		}, decoded(t, name).Identity, name)
	}
	assert.Zero(t, decoded(t, "openat").Identity)
}

func TestDecodeMessagesAndLimits(t *testing.T) {
	arg := decoded(t, "sendmsg").Syscall.Arg("data")
	assert.Equal(t, "data", string(arg.Bytes))
	assert.Equal(t, Socket{Family: afInet, PeerPort: 53, PeerAddr: [16]byte{10, 0, 0, 1}}, arg.Socket)
	assert.Equal(t, [6]uint64{10, 20}, decoded(t, "prlimit").Syscall.Args[2].Words)
	assert.Equal(t, [6]uint64{30, 40}, decoded(t, "prlimit").Syscall.Args[3].Words)
	assert.Equal(t, [6]uint64{10, 20}, decoded(t, "setrlimit").Syscall.Args[1].Words)
	assert.Equal(t, [6]uint64{1, 2, 3, 4, 5, 6}, decoded(t, "io_uring_setup").Syscall.Args[1].Words)
	raw := samples(t)["setrlimit"]
	raw[HeaderSize+taskSize+66] = byte(ABI32)
	var ev Event
	require.NoError(t, Decode(raw, &ev))
	assert.Equal(t, [6]uint64{10, 0}, ev.Syscall.Args[1].Words, "32-bit words")
}

func TestDecodeExitAndCgroups(t *testing.T) {
	assert.Equal(t, Exit{Code: 3, Signal: 9, Core: true}, decoded(t, "exit").Exit)
	assert.Equal(t, Cgroup{ID: 123, Hierarchy: 4, Level: 2, Path: []byte("/a/b")}, decoded(t, "mkdir").Cgroup)
	assert.Equal(t, Cgroup{ID: 123, Level: 1}, decoded(t, "rmdir").Cgroup)
}

func TestDecodePaths(t *testing.T) {
	for _, c := range []struct {
		names []byte
		flags ArgFlags
		want  string
	}{
		{nil, 0, "/"},
		{names("a"), 0, "/a"},
		{names("c", "b", "a"), ArgDeleted, "/a/b/c"},
		{names("c", "b"), ArgTruncated, "b/c"},
		{names("memfd:x"), ArgDetached, "memfd:x"},
		{names(""), ArgDetached, ""},
		{nil, ArgDetached, ""},
		{[]byte("no end"), 0, "/no en"}, // a record that is not ours does no harm
	} {
		var ev Event
		assert.Equal(t, c.want, string(ev.path(c.names, c.flags)), "%q", c.names)
	}
}

// TestPathsOfOneRecord: earlier paths stay when later ones make the buffer grow.
func TestPathsOfOneRecord(t *testing.T) {
	var ev Event
	a := ev.path(names("b", "a"), 0)
	long := make([]byte, 5000)
	for i := range long {
		long[i] = 'x'
	}
	b := ev.path(append(long, 0), 0)
	assert.Equal(t, "/a/b", string(a))
	assert.Len(t, b, 5001)
}

func TestDecodeRestartedCalls(t *testing.T) {
	var ev Event
	for ret, want := range map[int64]int64{-512: -4, -513: -4, -514: -4, -516: -4, -515: -515, -4: -4, -11: -11, 5: 5} {
		require.NoError(t, Decode(newRecord(TypeSyscall, 0).task("x").call("accept", ret, 0, 3).raw(), &ev))
		assert.Equal(t, want, ev.Syscall.Return)
	}
}

// TestDecodeWidths: only the bits that a kind has are kept of a register.
func TestDecodeWidths(t *testing.T) {
	var ev Event
	const junk = 0xabcd_0000_0000
	require.NoError(t, Decode(newRecord(TypeSyscall, 0).task("x").
		call("ptrace", 0, 0, junk|16, junk|7, junk|1, junk|2).raw(), &ev))
	s := &ev.Syscall
	assert.Equal(t, uint64(16), s.Arg("request").Number)
	assert.Equal(t, int32(7), s.Arg("pid").Int())
	assert.Equal(t, uint64(junk|1), s.Arg("addr").Number)
}

func TestDecodeErrors(t *testing.T) {
	var ev Event
	for name, raw := range samples(t) {
		for n := range raw {
			err := Decode(raw[:n], &ev)
			require.ErrorIs(t, err, ErrShort, "%s cut to %d bytes", name, n)
		}
	}
	require.ErrorIs(t, Decode(newRecord(999, 0).raw(), &ev), ErrUnknownType)
	raw := newRecord(TypeSyscall, 0).task("x").call("kill", 0, 0, 1, 9).raw()
	raw[32+96+64] = 0xff // the row
	raw[32+96+65] = 0xff
	require.ErrorIs(t, Decode(raw, &ev), ErrUnknownCall)
}

// TestDecodeLeavesNothingBehind: a record does not show what another one had.
func TestDecodeLeavesNothingBehind(t *testing.T) {
	var ev Event
	require.NoError(t, Decode(samples(t)["openat"], &ev))
	require.NoError(t, Decode(newRecord(TypeSyscall, 0).task("x").call("kill", 0, 0, 1, 9).raw(), &ev))
	assert.Zero(t, ev.Syscall.Result)
	assert.Nil(t, ev.Syscall.Cwd)
	assert.Nil(t, ev.Syscall.Args[1].Bytes)
}

func TestDecodeAllocatesNothing(t *testing.T) {
	all := samples(t)
	var ev Event
	for name, raw := range all {
		require.NoError(t, Decode(raw, &ev))
		n := alloctest.PerRun(100, func() { _ = Decode(raw, &ev) })
		assert.Zero(t, n, name)
	}
}

func FuzzDecode(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		var ev Event
		err := Decode(raw, &ev)
		if string(raw) != before {
			t.Fatal("the record was changed")
		}
		if err != nil {
			return
		}
		if int(ev.Len) > len(raw) {
			t.Fatalf("length %d of %d", ev.Len, len(raw))
		}
		if ev.Type == TypeSyscall {
			_ = ev.Syscall.Name()
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"openat", "exec", "connect"} {
		raw := samples(b)[name]
		b.Run(name, func(b *testing.B) {
			var ev Event
			b.ReportAllocs()
			for b.Loop() {
				if err := Decode(raw, &ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
