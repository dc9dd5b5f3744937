package endtoend

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// programs returns the ids of all eBPF programs in the kernel, by bpf(2) itself:
// an id stays only as long as somebody holds the program.
func programs(t *testing.T) map[uint32]struct{} {
	t.Helper()
	out := map[uint32]struct{}{}
	attr := struct{ start, next, flags uint32 }{}
	for {
		_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_GET_NEXT_ID, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
		if errors.Is(errno, unix.ENOENT) {
			return out
		}
		require.Zero(t, errno)
		out[attr.next] = struct{}{}
		attr.start = attr.next
	}
}
