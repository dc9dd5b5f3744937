package bpf

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// elfBase is where the little programs below are loaded.
const elfBase = 0x400000

// elf64 is a static x86-64 program of code and, behind it, data. Code that
// refers to the data finds it at elfBase + elfHeaders + len(code).
func elf64(code, data []byte) []byte {
	le := binary.LittleEndian
	body := append(append([]byte(nil), code...), data...)
	b := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	b = le.AppendUint16(b, 2)                         // executable
	b = le.AppendUint16(b, 62)                        // x86-64
	b = le.AppendUint32(b, 1)                         // version
	b = le.AppendUint64(b, elfBase+elfHeaders)        // entry
	b = le.AppendUint64(b, 64)                        // program headers
	b = le.AppendUint64(b, 0)                         // no sections
	b = le.AppendUint32(b, 0)                         // flags
	for _, v := range []uint16{64, 56, 1, 64, 0, 0} { // sizes and counts
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(b, 1) // load
	b = le.AppendUint32(b, 7) // readable, writable, executable
	for _, v := range []uint64{0, elfBase, elfBase, uint64(elfHeaders + len(body)), uint64(elfHeaders + len(body)), 4096} {
		b = le.AppendUint64(b, v)
	}
	return append(b, body...)
}

const elfHeaders = 64 + 56

// int80 assembles calls by int $0x80 with up to three arguments, and an exit
// with the low byte of the last result.
func int80(calls ...[4]uint32) []byte {
	le := binary.LittleEndian
	var code []byte
	for _, c := range calls {
		for i, mov := range []byte{0xb8, 0xbb, 0xb9, 0xba} { // eax, ebx, ecx, edx
			code = le.AppendUint32(append(code, mov), c[i])
		}
		code = append(code, 0xcd, 0x80)
	}
	code = append(code, 0x89, 0xc3)       // mov %eax, %ebx
	code = append(code, 0xb8, 1, 0, 0, 0) // mov $1, %eax: exit
	return append(code, 0xcd, 0x80)
}

// runELF writes and runs a program and returns its pid.
func runELF(t *testing.T, image []byte) uint32 {
	t.Helper()
	path := filepath.Join(realTempDir(t), "program")
	require.NoError(t, os.WriteFile(path, image, 0o700))
	p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{})
	require.NoError(t, err)
	_, err = p.Wait()
	require.NoError(t, err)
	return uint32(p.Pid)
}

// TestInt80 opens a file as an attacker would who hopes that number 5 is read
// as fstat: by the 32-bit call, from a 64-bit program.
func TestInt80(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("int $0x80 is x86's")
	}
	file := filepath.Join(realTempDir(t), "secret")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	const i386Open, i386Mkdir, i386Socketcall, socketcallSocket = 5, 39, 102, 1
	length := uint32(len(int80([4]uint32{}, [4]uint32{}, [4]uint32{})))
	data := uint32(elfBase+elfHeaders) + length
	// the data: three words for socketcall, then the names
	words := binary.LittleEndian.AppendUint32(nil, unix.AF_INET)
	words = binary.LittleEndian.AppendUint32(words, unix.SOCK_DGRAM)
	words = binary.LittleEndian.AppendUint32(words, unix.IPPROTO_UDP)
	names := slices.Concat(words, []byte(file), []byte{0})
	code := int80(
		[4]uint32{i386Socketcall, socketcallSocket, data, 0},
		[4]uint32{i386Mkdir, 0, 0o700, 0},
		[4]uint32{i386Open, data + 12, unix.O_RDONLY, 0},
	)
	eachMode(t, allSyscalls(), func(t *testing.T, a *Agent) {
		pid := runELF(t, elf64(code, names))
		require.True(t, awaitCompat(t, a, pid, "socket", func(s *event.Syscall) {
			assert.GreaterOrEqual(t, s.Return, int64(0))
			assert.EqualValues(t, unix.AF_INET, s.Args[0].Number)
			assert.EqualValues(t, unix.SOCK_DGRAM, s.Args[1].Number)
			assert.EqualValues(t, unix.IPPROTO_UDP, s.Args[2].Number)
			assert.EqualValues(t, unix.AF_INET, s.Result.Socket.Family)
		}), "this kernel has no 32-bit calls")
		awaitCompat(t, a, pid, "mkdir", func(s *event.Syscall) {
			assert.Equal(t, -int64(unix.EFAULT), s.Return)
			assert.NotZero(t, s.Args[0].Flags&event.ArgUnreadable)
			assert.EqualValues(t, 0o700, s.Args[1].Number)
		})
		awaitCompat(t, a, pid, "open", func(s *event.Syscall) {
			assert.GreaterOrEqual(t, s.Return, int64(0))
			assert.Equal(t, file, string(s.Args[0].Bytes))
			assert.Equal(t, file, string(s.Result.Path))
			assert.EqualValues(t, unix.O_RDONLY, s.Args[1].Number)
		})
	})
}

// awaitCompat waits for a 32-bit call of the process.
func awaitCompat(t *testing.T, a *Agent, pid uint32, name string, check func(s *event.Syscall)) bool {
	t.Helper()
	await(t, a, "32-bit "+name, func(ev *event.Event) bool {
		if ev.Type != event.TypeSyscall || ev.Key.TGID != pid {
			return false
		}
		if ev.Syscall.Name() != name {
			return false
		}
		assert.Equal(t, event.ABI32, ev.Syscall.ABI)
		assert.Zero(t, ev.Flags&(event.FlagNoEnter|event.FlagSelf))
		check(&ev.Syscall)
		return true
	})
	return !t.Failed()
}
