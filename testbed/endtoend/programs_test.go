package endtoend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// programs returns the ids of all eBPF programs in the kernel, by bpf(2) itself:
// an id stays only as long as somebody holds the program.
func programs(t *testing.T) []uint32 {
	t.Helper()
	var out []uint32
	attr := struct{ start, next, flags uint32 }{}
	for {
		_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_GET_NEXT_ID, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
		if errors.Is(errno, unix.ENOENT) {
			return out
		}
		require.Zero(t, errno)
		out = append(out, attr.next)
		attr.start = attr.next
	}
}

// programsOf returns the ids of the programs that a process holds, by itself or
// through a link.
func programsOf(t *testing.T, pid int) []uint32 {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	require.NoError(t, err)
	var out []uint32
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // closed meanwhile
		}
		for line := range strings.Lines(string(text)) {
			var id uint32
			if n, _ := fmt.Sscanf(line, "prog_id:%d", &id); n == 1 {
				out = append(out, id)
			}
		}
	}
	return out
}
