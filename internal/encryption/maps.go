package encryption

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// mapping is a part of a file that a process may execute.
type mapping struct {
	start, end string // addresses, as /proc/PID/map_files has them
	inode      uint64
	path       string // as the process sees it
	deleted    bool
}

// maxMappings bounds what is read of one process.
const maxMappings = 65536

// executableFiles reads the files that a process executes from its
// /proc/PID/maps, each once.
func executableFiles(maps io.Reader) []mapping {
	var all []mapping
	seen := map[uint64]bool{}
	lines := bufio.NewScanner(maps)
	for n := 0; lines.Scan() && n < maxMappings; n++ {
		m, ok := parseMapping(lines.Text())
		if ok && !seen[m.inode] {
			seen[m.inode] = true
			all = append(all, m)
		}
	}
	return all
}

// deletedMark ends the path of a file that was removed or replaced.
const deletedMark = " (deleted)"

// parseMapping reads a line: START-END PERMISSIONS OFFSET DEVICE INODE PATH.
func parseMapping(line string) (m mapping, ok bool) {
	addresses, rest, _ := strings.Cut(line, " ")
	permissions, rest, _ := strings.Cut(rest, " ")
	if len(permissions) < 3 || permissions[2] != 'x' {
		return m, false
	}
	_, rest, _ = strings.Cut(rest, " ") // offset
	_, rest, _ = strings.Cut(rest, " ") // device
	inode, rest, _ := strings.Cut(rest, " ")
	m.path = strings.TrimLeft(rest, " ")
	if !strings.HasPrefix(m.path, "/") {
		return m, false
	}
	var err error
	if m.inode, err = strconv.ParseUint(inode, 10, 64); err != nil || m.inode == 0 {
		return m, false
	}
	m.start, m.end, ok = strings.Cut(addresses, "-")
	m.path, m.deleted = strings.CutSuffix(m.path, deletedMark)
	return m, ok
}
