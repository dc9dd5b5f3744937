package bpf

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// bytesOf is a struct of the wire as it lies in memory.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// join puts a record together and sets its length.
func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	binary.NativeEndian.PutUint32(b[4:], uint32(len(b)))
	return b
}

func extraOf(part securityEventPart, kind securityEventExtraKind, data []byte) []byte {
	x := securityEventExtra{Arg: uint8(part), Kind: uint8(kind), Len: uint32(len(data))}
	return append(append([]byte(nil), bytesOf(&x)...), data...)
}

var (
	wireHeader = securityEventHeader{Flags: 1, Time: 2, Start: 3, Tgid: 4, Tid: 5}
	wireTask   = securityEventTask{
		ParentStart: 1, CgroupId: 2, ParentTgid: 3, Uid: 4, Gid: 5, Euid: 6, Egid: 7, Loginuid: 8, Session: 9,
		Tty: 10, Vpid: 11, Vtid: 12, CgroupHierarchy: 13, MntNs: 14, PidNs: 15, NetNs: 16, Flags: 1, Pgid: 17,
		Comm: [16]uint8{'c', 'a', 't'},
	}
	wireFile = securityEventFile{Inode: 1, Dev: 2, Mode: 3, Flags: 4, Directory: 5}
)

func decode(t *testing.T, typ event.Type, parts ...[]byte) *event.Event {
	t.Helper()
	h := wireHeader
	h.Type = uint16(typ)
	var ev event.Event
	require.NoError(t, event.Decode(join(append([][]byte{bytesOf(&h)}, parts...)...), &ev))
	assert.Equal(t, event.ProcessKey{Start: 3, TGID: 4}, ev.Key)
	assert.Equal(t, uint32(5), ev.TID)
	assert.Equal(t, uint64(2), ev.Time)
	assert.Equal(t, event.FlagSelf, ev.Flags)
	return &ev
}

// TestWireOfTheObject: what the decoder reads is where the compiled programs
// put it, by the types in their BTF.
func TestWireOfTheObject(t *testing.T) {
	row, _ := syscalls.Index("openat")
	call := securityEventSyscall{
		Ret: -2, Enter: 7, Args: [6]uint64{^uint64(99), 11, 12, 13}, Row: uint16(row), Abi: 1, Relative: 1 << 1,
	}
	ev := decode(t, event.TypeSyscall, bytesOf(&wireTask), bytesOf(&call),
		extraOf(1, securityEventExtraKindEXTRA_BYTES, []byte("passwd\x00")),
		extraOf(securityEventPartPART_CWD, securityEventExtraKindEXTRA_PATH, []byte("etc\x00")),
		extraOf(securityEventPartPART_RESULT, securityEventExtraKindEXTRA_FILE, bytesOf(&wireFile)),
	)
	assert.Equal(t, event.Task{
		Parent: event.ProcessKey{Start: 1, TGID: 3}, CgroupID: 2, UID: 4, GID: 5, EUID: 6, EGID: 7, LoginUID: 8,
		Session: 9, TTY: 10, VPID: 11, VTID: 12, CgroupHierarchy: 13, MountNS: 14, PIDNS: 15, NetNS: 16,
		Kthread: true, PGID: 17, Comm: []byte("cat"),
	}, ev.Task)
	s := &ev.Syscall
	assert.Equal(t, "openat", s.Name())
	assert.Equal(t, int64(-2), s.Return)
	assert.Equal(t, uint64(7), s.Enter)
	assert.Equal(t, event.ABI32, s.ABI)
	assert.Equal(t, "passwd", string(s.Args[1].Bytes))
	assert.Equal(t, "/etc", string(s.Args[0].Path))
	assert.Equal(t, event.File{Inode: 1, Device: 2, Mode: 3, Flags: event.FileMemfd, Directory: 5}, s.Result.File)
}

func TestWireOfSockets(t *testing.T) {
	row, _ := syscalls.Index("listen")
	call := securityEventSyscall{Row: uint16(row)}
	sock := securityEventSocket{
		Family: 2, Type: 1, Protocol: 6, State: 10, LocalPort: 80, PeerPort: 81, NetNs: 9,
		LocalAddr: [16]uint8{1, 2, 3, 4}, PeerAddr: [16]uint8{5, 6, 7, 8},
	}
	ev := decode(t, event.TypeSyscall, bytesOf(&wireTask), bytesOf(&call),
		extraOf(0, securityEventExtraKindEXTRA_SOCKET, bytesOf(&sock)),
		extraOf(0, securityEventExtraKindEXTRA_UNIX_LOCAL, []byte("l")),
		extraOf(0, securityEventExtraKindEXTRA_UNIX_PEER, []byte("p")),
	)
	assert.Equal(t, event.Socket{
		Family: 2, Type: 1, Protocol: 6, State: 10, LocalPort: 80, PeerPort: 81, NetNS: 9,
		LocalAddr: [16]byte{1, 2, 3, 4}, PeerAddr: [16]byte{5, 6, 7, 8}, LocalPath: []byte("l"), PeerPath: []byte("p"),
	}, ev.Syscall.Args[0].Socket)
}

func TestWireOfProcesses(t *testing.T) {
	exec := securityEventExec{OldTid: 6, Argc: 7, File: wireFile, Ctime: 8, Mtime: 9, Input: 10, Output: 11, Substituted: 12}
	identity := securityEventIdentity{CapInheritable: 1, CapPermitted: 2, CapEffective: 3, PidNsStart: 4, Sid: 5, Vpgid: 6}
	text := func(part securityEventPart, s string) []byte {
		return extraOf(part, securityEventExtraKindEXTRA_BYTES, []byte(s))
	}
	ev := decode(t, event.TypeExec, bytesOf(&wireTask), bytesOf(&exec),
		extraOf(securityEventPartPART_EXE, securityEventExtraKindEXTRA_PATH, []byte("sh\x00bin\x00")),
		text(securityEventPartPART_ARGV, "a\x00b\x00"), text(securityEventPartPART_ENV, "c\x00"),
		extraOf(securityEventPartPART_IDENTITY, securityEventExtraKindEXTRA_IDENTITY, bytesOf(&identity)),
		text(securityEventPartPART_FILENAME, "f\x00"), text(securityEventPartPART_INTERP, "i\x00"))
	assert.Equal(t, event.Exec{
		OldTID: 6, Argc: 7, File: event.File{Inode: 1, Device: 2, Mode: 3, Flags: 4, Directory: 5}, Ctime: 8, Mtime: 9, Input: 10, Output: 11, Substituted: 12, Path: []byte("/bin/sh"),
		Filename: []byte("f"), Interp: []byte("i"), Args: []byte("a\x00b\x00"), Env: []byte("c\x00"),
	}, ev.Exec)
	assert.Equal(t, event.Identity{
		Known: true, CapInheritable: 1, CapPermitted: 2, CapEffective: 3, PIDNSStart: 4, SID: 5, VPGID: 6,
	}, ev.Identity)

	fork := securityEventFork{ParentStart: 6, ParentTgid: 7, ParentTid: 8}
	ev = decode(t, event.TypeFork, bytesOf(&wireTask), bytesOf(&fork))
	assert.Equal(t, event.Fork{Parent: event.ProcessKey{Start: 6, TGID: 7}, ParentTID: 8}, ev.Fork)

	exit := securityEventExit{Code: 1, Signal: 2, Core: 1}
	ev = decode(t, event.TypeExit, bytesOf(&wireTask), bytesOf(&exit))
	assert.Equal(t, event.Exit{Code: 1, Signal: 2, Core: true}, ev.Exit)

	group := securityEventCgroup{Id: 6, Hierarchy: 7, Level: 8}
	ev = decode(t, event.TypeCgroupMkdir, bytesOf(&group), text(securityEventPartPART_CGROUP, "/x\x00"))
	assert.Equal(t, event.Cgroup{ID: 6, Hierarchy: 7, Level: 8, Path: []byte("/x")}, ev.Cgroup)
}
