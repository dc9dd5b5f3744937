package container

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hierarchy is one mounted cgroup tree.
type hierarchy struct {
	id    uint32 // kernel's number, 0 for v2
	mount string
}

// hierarchies finds the v2 tree (pure or beside v1) and, where controllers are
// v1, the memory tree, whose ids the kernel side uses when the v2 tree does not
// tell processes apart. The layout is told by statfs, not by names.
func hierarchies(root, proc string) []hierarchy {
	base := filepath.Join(root, "sys/fs/cgroup")
	var out []hierarchy
	for _, mount := range []string{base, filepath.Join(base, "unified")} {
		var st unix.Statfs_t
		if unix.Statfs(mount, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			out = append(out, hierarchy{mount: mount})
			break
		}
	}
	if id, ok := memoryHierarchy(proc); ok {
		out = append(out, hierarchy{id: id, mount: filepath.Join(base, "memory")})
	}
	return out
}

// memoryHierarchy reads the number of the v1 memory hierarchy.
func memoryHierarchy(proc string) (uint32, bool) {
	f, err := os.Open(filepath.Join(proc, "cgroups"))
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		if len(fields) < 2 || fields[0] != "memory" {
			continue
		}
		id, err := strconv.ParseUint(fields[1], 10, 32)
		return uint32(id), err == nil && id != 0
	}
	return 0, false
}

// walk calls add for each cgroup of the tree, parents first, until add returns
// false.
func (h hierarchy) walk(add func(id uint64, path string) bool) {
	_ = filepath.WalkDir(h.mount, func(dir string, d fs.DirEntry, err error) error {
		if err != nil {
			if d != nil && d.IsDir() {
				return filepath.SkipDir // removed meanwhile
			}
			return nil
		}
		if !d.IsDir() {
			return nil
		}
		ino, ok := inode(dir)
		if ok && !add(ino, "/"+strings.TrimPrefix(strings.TrimPrefix(dir, h.mount), "/")) {
			return filepath.SkipAll
		}
		return nil
	})
}

// pathOf reads a process's path in the hierarchy and checks, where it can, that
// it is that of the cgroup id: the process may have moved or its pid may be
// another's by now.
func (h hierarchy) pathOf(proc string, pid uint32, id uint64) (string, bool) {
	raw, err := os.ReadFile(filepath.Join(proc, strconv.FormatUint(uint64(pid), 10), "cgroup"))
	if err != nil {
		return "", false
	}
	prefix := strconv.FormatUint(uint64(h.id), 10) + ":"
	for line := range strings.Lines(string(raw)) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), prefix)
		if !ok {
			continue
		}
		_, path, ok := strings.Cut(rest, ":")
		if !ok {
			return "", false
		}
		path, removed := strings.CutSuffix(path, " (deleted)")
		if removed || strings.HasPrefix(path, "/..") {
			return path, true // nothing to compare with
		}
		ino, ok := inode(filepath.Join(h.mount, path))
		return path, !ok || ino == id
	}
	return "", false
}

func inode(dir string) (uint64, bool) {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return 0, false
	}
	return st.Ino, true
}
