package container

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Reasons not to read what somebody else may have put there.
var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("too large for a state file")
	errUntrusted  = errors.New("others than root can write there")
)

// readState reads a state file, of which a hostile one must neither block nor
// fill the memory: the file itself may be no link, FIFO or device, and has at
// most maxStateFile bytes.
func readState(file string) ([]byte, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: file, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		_ = unix.Close(fd)
		return nil, &os.PathError{Op: "read", Path: file, Err: errNotRegular}
	}
	f := os.NewFile(uintptr(fd), file)
	defer func() { _ = f.Close() }()
	if st.Size > maxStateFile {
		return nil, &os.PathError{Op: "read", Path: file, Err: errTooLarge}
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxStateFile+1))
	if err == nil && len(raw) > maxStateFile { // it grew
		err = &os.PathError{Op: "read", Path: file, Err: errTooLarge}
	}
	return raw, err
}

// openTrusted opens the directory dir below root, itself not checked, as a
// handle for paths (O_PATH), and reports which directory it is. Each directory
// on the way must belong to root or owner; nobody else may write to it, unless
// only owners can rename there and it is not the last. Links are not followed.
func openTrusted(root, dir string, owner uint32) (fd int, st unix.Stat_t, err error) {
	fd, err = unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, st, err
	}
	names := strings.Split(strings.Trim(dir, "/"), "/")
	for i, name := range names {
		next, err := unix.Openat(fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		_ = unix.Close(fd)
		if err != nil {
			return -1, st, err
		}
		fd = next
		err = unix.Fstat(fd, &st)
		if err == nil && !trusted(&st, owner, i == len(names)-1) {
			err = errUntrusted
		}
		if err != nil {
			_ = unix.Close(fd)
			return -1, st, err
		}
	}
	return fd, st, nil
}

func trusted(st *unix.Stat_t, owner uint32, last bool) bool {
	if st.Uid != 0 && st.Uid != owner {
		return false
	}
	shared := st.Mode&(unix.S_IWGRP|unix.S_IWOTH) != 0
	return !shared || !last && st.Mode&unix.S_ISVTX != 0
}

// descriptorPath is a path that leads to an open descriptor of this process.
func descriptorPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
