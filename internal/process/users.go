package process

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// User is one line of a passwd file.
type User struct {
	Name, Home, Shell string
}

// Users names user and group ids by the files of the mount namespace that a
// process lives in. Safe for concurrent use.
type Users struct {
	root, proc string
	now        func() time.Time
	read       func(root string, known userFiles) userFiles

	mu      sync.Mutex
	tables  map[uint32]*userTable // by mount namespace; 0 is the host
	reading atomic.Int32          // readers of containers' files at work
	window  time.Time             // in which waited adds up
	waited  time.Duration         // for containers' files
}

type userTable struct {
	userFiles
	checked time.Time
	asked   uint32         // process whose files were asked for last
	pending chan userFiles // of a reader that was not waited for; else nil
}

// userFiles is what the files of one mount namespace say. The maps are not
// changed once they are here.
type userFiles struct {
	versions [2]fileVersion
	users    map[uint32]User
	groups   map[uint32]string
	gone     bool // the process that was asked for them had ended, or still saw the host's
}

type fileVersion struct {
	inode uint64
	size  int64
	mtime unix.Timespec
}

// Bounds of what is remembered of files that a container's users write.
const (
	maxUserTables = 256
	maxUserFile   = 256 << 10
	maxUsers      = 4096
	userRecheck   = 30 * time.Second
	userRetry     = 200 * time.Millisecond
)

// A container may serve its files itself (FUSE) and never answer. They are read
// in goroutines of their own, for which only so many look-ups wait, and only
// for so long in each userRecheck; afterwards names come when they come.
const (
	maxUserReaders = 4
	maxUserWait    = 20 * time.Millisecond
	maxUserWaits   = 100 * time.Millisecond
)

// NewUsers returns a cache over the host's files below root and those of
// containers through proc.
func NewUsers(root, proc string) *Users {
	return &Users{root: root, proc: proc, now: time.Now, read: readUsers, tables: make(map[uint32]*userTable)}
}

// Lookup names a user id as the process tgid would see it. mountNS is the
// process's mount namespace; 0 means the host's files.
func (u *Users) Lookup(mountNS, tgid, uid uint32) (User, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.table(mountNS, tgid)
	user, ok := t.users[uid]
	if !ok && u.looksAgain(mountNS, t) {
		user, ok = t.users[uid]
	}
	return user, ok
}

// Group names a group id likewise.
func (u *Users) Group(mountNS, tgid, gid uint32) (string, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.table(mountNS, tgid)
	name, ok := t.groups[gid]
	if !ok && u.looksAgain(mountNS, t) {
		name, ok = t.groups[gid]
	}
	return name, ok
}

// looksAgain looks for an id that the host's files do not name: a user may have
// been made a moment ago. Those of containers, which may be slow, wait their turn.
func (u *Users) looksAgain(mountNS uint32, t *userTable) bool {
	now := u.now()
	if mountNS != 0 || now.Sub(t.checked) < userRetry {
		return false
	}
	t.checked, t.userFiles = now, u.read(u.root, t.userFiles)
	return true
}

func (u *Users) table(mountNS, tgid uint32) *userTable {
	now := u.now()
	t, ok := u.tables[mountNS]
	if !ok {
		t = &userTable{}
		u.makeRoom()
		u.tables[mountNS] = t
	}
	if t.pending != nil {
		t.take()
	}
	// A process that has ended says nothing about the files, the next may; one
	// that has not yet entered its container's root does so a moment later.
	age := now.Sub(t.checked)
	fresh := ok && age < userRecheck && (!t.gone || t.asked == tgid && age < userRetry)
	if t.pending != nil || fresh {
		return t
	}
	t.checked, t.asked = now, tgid
	if mountNS == 0 {
		t.userFiles = u.read(u.root, t.userFiles)
		return t
	}
	u.readContainer(t, filepath.Join(u.proc, strconv.FormatUint(uint64(tgid), 10), "root"), now)
	return t
}

// readContainer has files read that a container may hold back, and waits for
// them if there is time left for that.
func (u *Users) readContainer(t *userTable, root string, now time.Time) {
	if u.reading.Load() >= maxUserReaders {
		return
	}
	u.reading.Add(1)
	pending, known := make(chan userFiles, 1), t.userFiles
	go func() {
		defer u.reading.Add(-1)
		if known.gone = sameDir(root, u.root); !known.gone {
			known = u.read(root, known)
		}
		pending <- known
	}()
	t.pending = pending
	if now.Sub(u.window) >= userRecheck {
		u.window, u.waited = now, 0
	}
	wait := min(maxUserWait, maxUserWaits-u.waited)
	if wait <= 0 {
		return
	}
	began := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case t.userFiles = <-pending:
		t.pending = nil
	case <-timer.C:
	}
	u.waited += time.Since(began)
}

// take takes what a reader has found, if it is ready.
func (t *userTable) take() {
	select {
	case t.userFiles = <-t.pending:
		t.pending = nil
	default:
	}
}

// makeRoom forgets the table that was checked first when there are too many.
func (u *Users) makeRoom() {
	for len(u.tables) >= maxUserTables {
		var oldest uint32
		first := true
		for ns, t := range u.tables {
			if first || t.checked.Before(u.tables[oldest].checked) {
				oldest, first = ns, false
			}
		}
		delete(u.tables, oldest)
	}
}

// sameDir tells whether two paths lead to one directory. A runtime's process has
// the host's root in its container's mount namespace until it changes its root.
func sameDir(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// readUsers reads the files again if they have changed. When they cannot be
// read, for the process has ended, what was known stays.
func readUsers(root string, known userFiles) userFiles {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if known.gone = err != nil; known.gone {
		return known
	}
	defer func() { _ = unix.Close(dir) }()
	if raw, ok := readInRoot(dir, "etc/passwd", &known.versions[0]); ok {
		known.users = parsePasswd(raw)
	}
	if raw, ok := readInRoot(dir, "etc/group", &known.versions[1]); ok {
		known.groups = parseGroup(raw)
	}
	return known
}

// readInRoot reads a file that may belong to a hostile container: links are
// resolved inside its root, and only regular files are read. It returns false
// when the file is the known version or cannot be read.
func readInRoot(dir int, name string, known *fileVersion) ([]byte, bool) {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, false
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, false
	}
	version := fileVersion{inode: st.Ino, size: st.Size, mtime: st.Mtim}
	if version == *known {
		return nil, false
	}
	raw, err := io.ReadAll(io.LimitReader(fdReader(fd), maxUserFile))
	if err != nil {
		return nil, false
	}
	*known = version
	return raw, true
}

// fdReader reads a descriptor that somebody else closes.
type fdReader int

func (f fdReader) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(f), p)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// parsePasswd reads name:password:uid:gid:comment:home:shell lines. The first
// line of a uid counts.
func parsePasswd(raw []byte) map[uint32]User {
	users := make(map[uint32]User)
	eachLine(raw, 7, func(f []string) bool {
		uid, err := strconv.ParseUint(f[2], 10, 32)
		if _, seen := users[uint32(uid)]; err == nil && !seen {
			users[uint32(uid)] = User{Name: bound(f[0]), Home: bound(f[5]), Shell: bound(f[6])}
		}
		return len(users) < maxUsers
	})
	return users
}

// parseGroup reads name:password:gid:members lines.
func parseGroup(raw []byte) map[uint32]string {
	groups := make(map[uint32]string)
	eachLine(raw, 4, func(f []string) bool {
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if _, seen := groups[uint32(gid)]; err == nil && !seen {
			groups[uint32(gid)] = bound(f[0])
		}
		return len(groups) < maxUsers
	})
	return groups
}

// eachLine calls f with the first n fields of each line that has them.
func eachLine(raw []byte, n int, f func([]string) bool) {
	for sc := bufio.NewScanner(bytes.NewReader(raw)); sc.Scan(); {
		fields := strings.SplitN(strings.TrimSpace(sc.Text()), ":", n+1)
		if len(fields) < n || fields[0] == "" || fields[0][0] == '#' {
			continue
		}
		if !f(fields) {
			return
		}
	}
}
