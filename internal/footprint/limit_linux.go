package footprint

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// Respect has the garbage collector keep to what this process's control group may
// have, unless GOMEMLIMIT says something else. Without, it lets garbage grow as
// large as what is in use, until the kernel takes the program's own pages away,
// which nearly stops it, or ends the process.
func Respect() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := groupLimit(os.DirFS("/")); limit > 0 {
		debug.SetMemoryLimit(heapOf(limit))
	}
}

// besides is what the group is charged for beside the memory that Go manages, in
// bytes: maps and rings in the kernel, and the pages of the program's file.
const besides = 96 << 20

// heapOf is how much of a limit Go may use.
func heapOf(limit int64) int64 { return max(limit-besides, limit/2) }

// limitFiles are where control groups have their limits, by the controllers of
// their hierarchy in /proc/self/cgroup: that of version 2 has none there.
var limitFiles = []struct{ controllers, root, file string }{
	{"", "sys/fs/cgroup", "memory.max"},
	{"", "sys/fs/cgroup/unified", "memory.max"},
	{"memory", "sys/fs/cgroup/memory", "memory.limit_in_bytes"},
}

// groupLimit is the least limit of this process's group and of those around it,
// in bytes; 0 for none.
func groupLimit(host fs.FS) int64 {
	groups, err := fs.ReadFile(host, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		// 4:memory:/system.slice/sightglass.service
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		for _, l := range limitFiles {
			if l.controllers != f[1] {
				continue
			}
			for group := path.Clean("/" + f[2]); ; group = path.Dir(group) {
				least = min(least, readLimit(host, path.Join(l.root, group, l.file)))
				if group == "/" {
					break
				}
			}
		}
	}
	if least >= unlimited {
		return 0
	}
	return least
}

// unlimited is less than what stands for no limit in version 1, a number of whole
// pages, and more than any machine has.
const unlimited = math.MaxInt64 / 4

// readLimit reads a limit; a file that is not there or says "max" has none.
func readLimit(host fs.FS, file string) int64 {
	text, err := fs.ReadFile(host, file)
	if err != nil {
		return unlimited
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 {
		return unlimited
	}
	return n
}
