package event

import (
	"encoding/binary"
	"testing"

	"github.com/sightglass/sightglass/internal/syscalls"
)

// record builds a raw record as the kernel side writes it.
type record struct{ b []byte }

func newRecord(typ Type, flags Flags) *record {
	r := &record{}
	r.u16(uint16(typ)).u16(uint16(flags)).u32(0)
	return r.u64(1000).u64(77).u32(42).u32(43) // time, start, tgid, tid
}

func (r *record) u8(v ...uint8) *record {
	r.b = append(r.b, v...)
	return r
}

func (r *record) u16(v uint16) *record {
	r.b = binary.NativeEndian.AppendUint16(r.b, v)
	return r
}

func (r *record) u32(v ...uint32) *record {
	for _, x := range v {
		r.b = binary.NativeEndian.AppendUint32(r.b, x)
	}
	return r
}

func (r *record) u64(v ...uint64) *record {
	for _, x := range v {
		r.b = binary.NativeEndian.AppendUint64(r.b, x)
	}
	return r
}

// task adds a task whose fields count from 1 in the order of the wire.
func (r *record) task(comm string) *record {
	r.u64(1, 2).u32(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 18)
	var c [16]byte
	copy(c[:], comm)
	return r.u8(c[:]...)
}

// call adds the fixed part of a system call.
func (r *record) call(name string, ret int64, relative uint8, args ...uint64) *record {
	i, ok := syscalls.Index(name)
	if !ok {
		panic("no row " + name)
	}
	r.u64(uint64(ret), 900)
	var regs [6]uint64
	copy(regs[:], args)
	return r.u64(regs[:]...).u16(uint16(i)).u8(uint8(ABINative), relative).u32(0)
}

// extra adds a piece of variable length, padded.
func (r *record) extra(arg, kind uint8, flags ArgFlags, data []byte) *record {
	r.u8(arg, kind).u16(uint16(flags)).u32(uint32(len(data))).u8(data...)
	for len(r.b)%8 != 0 {
		r.u8(0xee)
	}
	return r
}

// file adds the facts of a file, whose directory is 77.
func (r *record) file(arg uint8, inode uint64, dev, mode uint32, flags FileFlags) *record {
	f := (&record{}).u64(inode).u32(dev, mode, uint32(flags), 77)
	return r.extra(arg, extraFile, 0, f.b)
}

// raw finishes the record.
func (r *record) raw() []byte {
	binary.NativeEndian.PutUint32(r.b[4:], uint32(len(r.b)))
	return r.b
}

// names joins path names as the kernel side collects them, file first.
func names(n ...string) []byte {
	var b []byte
	for _, s := range n {
		b = append(append(b, s...), 0)
	}
	return b
}

// samples are raw records of every type: the seed of the fuzzer and what the
// allocation test decodes.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	inet := (&record{}).u16(afInet).u16(1).u16(6).u8(1, 0).u16(40000).u16(443).u32(99)
	inet.u8(10, 0, 0, 1).u8(make([]byte, 12)...).u8(10, 0, 0, 2).u8(make([]byte, 12)...)
	identity := (&record{}).u64(1, 2, 3, 4).u32(5, 6)
	message := (&record{}).u16(afInet).u8(0, 53, 10, 0, 0, 1).u8(make([]byte, 8)...)
	return map[string][]byte{
		"setsid": newRecord(TypeSyscall, 0).task("sh").call("setsid", 5, 0).
			extra(partIdentity, extraIdentity, 0, identity.b).raw(),
		"sendmsg": newRecord(TypeSyscall, 0).task("dig").call("sendmsg", 4, 0, 3, 0xbeef, 0).
			extra(1, extraAddress, 0, message.b).extra(1, extraBytes, 0, []byte("data")).raw(),
		"prlimit": newRecord(TypeSyscall, 0).task("sh").call("prlimit", 0, 0, 1, 7, 0xbeef, 0xf00d).
			extra(2, extraBytes, 0, (&record{}).u64(10, 20).b).extra(3, extraBytes, 0, (&record{}).u64(30, 40).b).raw(),
		"setrlimit": newRecord(TypeSyscall, 0).task("sh").call("setrlimit", 0, 0, 7, 0xbeef).
			extra(1, extraBytes, 0, (&record{}).u64(10, 20).b).raw(),
		"io_uring_setup": newRecord(TypeSyscall, 0).task("x").call("io_uring_setup", 3, 0, 4, 0xbeef).
			extra(1, extraBytes, 0, (&record{}).u32(1, 2, 3, 4, 5, 6).b).raw(),
		"openat": newRecord(TypeSyscall, 0).task("cat").
			call("openat", 3, 1<<1, uint64(1<<64-100), 0xdead0000, 0o2000000, 0).
			extra(1, extraBytes, 0, []byte("passwd\x00")).
			extra(partCwd, extraPath, 0, names("etc")).
			extra(partResult, extraPath, 0, names("passwd", "etc")).
			file(partResult, 737, 8<<20|1, 0o100644, FileUpper).raw(),
		"openat2": newRecord(TypeSyscall, FlagLate).task("x").
			call("openat2", -2, 0, 5, 1, 2, 24).
			extra(1, extraBytes, ArgLate, []byte("/nowhere\x00")).
			extra(2, extraBytes, 0, (&record{}).u64(1, 0o644, 8).b).raw(),
		"connect": newRecord(TypeSyscall, FlagSelf).task("curl").
			call("connect", -115, 0, 7, 0xbeef, 16).
			extra(1, extraBytes, 0, []byte{afInet, 0, 1, 187, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0}).
			extra(0, extraSocket, 0, inet.b).raw(),
		"unix connect": newRecord(TypeSyscall, 0).task("psql").
			call("connect", 0, 0, 7, 0xbeef, 16).
			extra(1, extraBytes, 0, append([]byte{afUnix, 0}, "/run/s\x00junk"...)).
			extra(0, extraUnixPeer, 0, []byte("/run/s\x00")).
			extra(0, extraUnixLocal, 0, []byte("\x00abstract")).raw(),
		"exec": newRecord(TypeExec, FlagTruncated).task("sh").
			u32(44, 3).u64(9).u32(1<<20|2, 0o100755, uint32(FileMemfd), 0).u64(111, 222, 333, 444, 555).
			extra(partIdentity, extraIdentity, 0, identity.b).
			extra(partExe, extraPath, 0, names("dash", "bin", "usr")).
			extra(partCwd, extraPath, 0, nil).
			extra(partArgv, extraBytes, ArgTruncated, []byte("sh\x00-c\x00ls")).
			extra(partFilename, extraBytes, 0, []byte("/bin/sh\x00")).
			extra(partInterp, extraBytes, 0, []byte("/bin/dash\x00")).
			extra(partEnv, extraBytes, 0, []byte("A=1\x00")).raw(),
		"process": newRecord(TypeProcess, 0).task("init").
			u32(1, 0).u64(5).u32(0, 0, 0, 0).u64(0, 0, 0, 0, 0).
			extra(partExe, extraPath, ArgDetached, names("memfd:x")).raw(),
		"fork": newRecord(TypeFork, 0).task("sh").u64(66).u32(41, 40).
			extra(partIdentity, extraIdentity, 0, identity.b).raw(),
		"exit":  newRecord(TypeExit, 0).task("sh").u8(3, 9, 1, 0, 0, 0, 0, 0).raw(),
		"mkdir": newRecord(TypeCgroupMkdir, 0).u64(123).u32(4, 2).extra(partCgroup, extraBytes, 0, []byte("/a/b\x00")).raw(),
		"rmdir": newRecord(TypeCgroupRmdir, 0).u64(123).u32(0, 1).raw(),
		"data":  newRecord(TypeData, 0).u8(make([]byte, requestFixed)...).raw(),
		"close": newRecord(TypeSocketClose, 0).u8(make([]byte, requestFixed)...).raw(),
	}
}
