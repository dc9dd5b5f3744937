package encryption

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// identity tells files apart whatever way they are seen by. The device is no part
// of it: containers see one file of an image through different file systems.
// The time of birth stands for it where the file system knows that.
type identity struct {
	inode  uint64
	birth  int64 // ns since 1970; 0 when not known
	device uint64
}

// version tells whether a file was written to.
type version struct {
	size     uint64
	modified int64
}

// identify tells which file is at a path.
func identify(path string) (id identity, v version, err error) {
	var st unix.Statx_t
	const want = unix.STATX_INO | unix.STATX_SIZE | unix.STATX_MTIME | unix.STATX_BTIME
	if err := unix.Statx(unix.AT_FDCWD, path, 0, want, &st); err != nil {
		return id, v, fmt.Errorf("%s: %w", path, err)
	}
	id.inode = st.Ino
	if st.Mask&unix.STATX_BTIME != 0 {
		id.birth = st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
	} else {
		id.device = uint64(st.Dev_major)<<32 | uint64(st.Dev_minor)
	}
	return id, version{size: st.Size, modified: st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec)}, nil
}

// errReplaced tells that another file stands where a process had its own from.
var errReplaced = errors.New("the file was replaced")

// find returns a path by which the agent reaches a file that a process executes.
func (m *mapping) find(proc string, pid uint32) (string, error) {
	dir := filepath.Join(proc, strconv.FormatUint(uint64(pid), 10))
	if !m.deleted {
		path := dir + "/root" + m.path
		if id, _, err := identify(path); err == nil && id.inode == m.inode {
			return path, nil
		}
	}
	path := filepath.Join(dir, "map_files", m.start+"-"+m.end)
	id, _, err := identify(path)
	switch {
	case err != nil:
		return "", err
	case id.inode != m.inode:
		return "", errReplaced
	default:
		return path, nil
	}
}
