package container

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// taskDirOf is a directory with containerd's bundles, as learnt from a shim.
type taskDirOf struct {
	path string
	fd   int // kept open while path leads through it; -1 when it does not
}

// shimClaim is what a process that is named like a shim says about itself. It
// believes nothing yet: any user can start a program by such a name.
type shimClaim struct {
	paths []string // of its control groups
	tasks string   // as seen from its own root
}

// readShim reads the claim of the process whose directory in a proc file
// system is open: of a process of root that lives in the pid namespace of the
// proc file system. The handle belongs to one process for good, so all answers
// are about the same.
func readShim(process string, owner uint32) (claim shimClaim, ok bool) {
	status, err := os.ReadFile(filepath.Join(process, "status"))
	if err != nil || !ownedShim(status, owner) {
		return claim, false
	}
	cwd, err := os.Readlink(filepath.Join(process, "cwd"))
	if err != nil || !filepath.IsAbs(cwd) {
		return claim, false
	}
	claim.tasks = filepath.Dir(filepath.Dir(cwd))
	if filepath.Base(claim.tasks) != taskDir {
		return claim, false
	}
	groups, err := os.ReadFile(filepath.Join(process, "cgroup"))
	if err != nil {
		return claim, false
	}
	for line := range strings.Lines(string(groups)) {
		if parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(parts) == 3 {
			claim.paths = append(claim.paths, parts[2])
		}
	}
	return claim, true
}

// ownedShim reads a status file: all four user ids must be the owner's or
// root's (of a set-user-id program the real one is somebody else's), and the
// process may have one pid only, that of the outermost namespace.
func ownedShim(status []byte, owner uint32) bool {
	var users, outermost bool
	for line := range bytes.Lines(status) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(rest)
		switch string(name) {
		case "Uid":
			users = len(fields) == 4
			for _, f := range fields {
				uid, err := strconv.ParseUint(string(f), 10, 32)
				users = users && err == nil && (uid == 0 || uint32(uid) == owner)
			}
		case "NSpid":
			outermost = len(fields) == 1
		}
	}
	return users && outermost
}

// findTasks opens the directory that a shim tells of. The host's own view of it
// outlives the shim and is preferred; else the shim's is kept open, because
// another process may have its pid one day.
func findTasks(root, process, tasks string, owner uint32) (taskDirOf, error) {
	own, is, err := openTrusted(filepath.Join(process, "root"), tasks, owner)
	if err != nil {
		return taskDirOf{}, err
	}
	host, seen, err := openTrusted(root, tasks, owner)
	if err == nil {
		_ = unix.Close(host)
		if seen.Dev == is.Dev && seen.Ino == is.Ino {
			_ = unix.Close(own)
			return taskDirOf{path: filepath.Join(root, tasks), fd: -1}, nil
		}
	}
	return taskDirOf{path: descriptorPath(own), fd: own}, nil
}

// gone reports whether the directory is no more.
func (d taskDirOf) gone() bool {
	var st unix.Stat_t
	return d.fd >= 0 && (unix.Fstat(d.fd, &st) != nil || st.Nlink == 0)
}

// same reports whether both lead to one directory.
func (d taskDirOf) same(other taskDirOf) bool {
	return d.path == other.path || d.fd >= 0 && other.fd >= 0 && sameDir(d.path, other.path)
}

func (d taskDirOf) close() {
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
	}
}
