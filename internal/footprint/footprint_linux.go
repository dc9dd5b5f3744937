package footprint

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// Trim collects the garbage, and gives back what is free and the pages of the
// program's own file. The kernel reads those that are used after all again.
func Trim() {
	debug.FreeOSMemory()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	giveBack(maps, exe)
}

// giveBack lets the kernel take the code and constants of exe out of memory.
func giveBack(maps []byte, exe string) {
	for _, m := range readOnlyMappings(maps, exe) {
		// a hint: kernels that cannot (before 5.4) refuse it
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.begin, m.end-m.begin, unix.MADV_PAGEOUT)
	}
}

// mapping is a range of addresses.
type mapping struct{ begin, end uintptr }

// readOnlyMappings are the parts of exe that are mapped unchangeably, out of
// the text of /proc/self/maps: code and constants.
func readOnlyMappings(maps []byte, exe string) []mapping {
	var found []mapping
	for line := range bytes.Lines(maps) {
		// begin-end perms offset dev inode path
		f := bytes.Fields(line)
		if len(f) != 6 || string(f[5]) != exe || f[1][0] != 'r' || f[1][1] != '-' {
			continue
		}
		begin, end, ok := bytes.Cut(f[0], []byte{'-'})
		if !ok {
			continue
		}
		b, err1 := strconv.ParseUint(string(begin), 16, 64)
		e, err2 := strconv.ParseUint(string(end), 16, 64)
		if err1 == nil && err2 == nil && b < e {
			found = append(found, mapping{begin: uintptr(b), end: uintptr(e)})
		}
	}
	return found
}
