package critical

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxHashed is the size of the largest file whose content is read, in bytes.
const maxHashed = 2 << 20

// State is what a file is like at one moment. The zero value is that of no file.
type State struct {
	Exists   bool
	Mode     uint32 // type and permission bits, as in stat(2)
	UID, GID uint32
	Size     int64 // bytes
	// Hash is the SHA-256 of the content, in hexadecimal digits; empty when it
	// was not read: of what is no regular file or too large, and beyond the
	// budget.
	Hash string

	id           identity
	mtime, ctime unix.Timespec
}

// same reports whether nothing can have happened to the file in between: every
// change moves the ctime.
func (s *State) same(o *State) bool {
	return s.Exists == o.Exists && s.id == o.id && s.ctime == o.ctime && s.mtime == o.mtime &&
		s.Size == o.Size && s.Mode == o.Mode && s.UID == o.UID && s.GID == o.GID
}

// What a change is about.
const (
	KindCreated = "created"
	KindDeleted = "deleted"
	KindContent = "content"
	KindMode    = "mode"
	KindOwner   = "owner"
)

// kinds says what differs; nothing when the file was only touched.
func kinds(before, after *State) []string {
	switch {
	case !before.Exists && !after.Exists:
		return nil
	case !before.Exists:
		return []string{KindCreated}
	case !after.Exists:
		return []string{KindDeleted}
	}
	var out []string
	hashed := before.Hash != "" && after.Hash != ""
	if before.Size != after.Size || hashed && before.Hash != after.Hash || !hashed && before.mtime != after.mtime {
		out = append(out, KindContent)
	}
	if before.Mode != after.Mode {
		out = append(out, KindMode)
	}
	if before.UID != after.UID || before.GID != after.GID {
		out = append(out, KindOwner)
	}
	return out
}

// look is the state of the file at a path, without its content.
func look(path string) State {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return State{}
	}
	return stateOf(&st)
}

func stateOf(st *unix.Stat_t) State {
	return State{
		Exists: true, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Size: st.Size,
		id:    identity{Major: unix.Major(st.Dev), Minor: unix.Minor(st.Dev), Inode: st.Ino},
		mtime: st.Mtim, ctime: st.Ctim,
	}
}

// read adds the hash of the content to a state that look gave. What has become
// another file since has none. It returns how many bytes it read.
func (s *State) read(path string) (n int64) {
	if s.Mode&unix.S_IFMT != unix.S_IFREG || s.Size > maxHashed {
		return 0
	}
	// Nothing is waited for, and no link is followed; the file keeps its atime.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOATIME|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	if now := stateOf(&st); !now.same(s) {
		return 0
	}
	hash := sha256.New()
	n, err = io.Copy(hash, io.LimitReader(f, maxHashed))
	if err == nil && n == s.Size {
		s.Hash = hex.EncodeToString(hash.Sum(nil))
	}
	return n
}
