// Package critical knows the host's most important files by their inodes. The
// kernel's path of an open file is the one it was opened by: another hard link,
// a bind mount, or the volume of a container give the same file another path,
// and only the inode is the same.
package critical

import (
	"bytes"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/realpath"
)

// patterns are the files that policies name, below the host's root.
var patterns = []string{
	"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/passwd", "/etc/group", "/etc/sudoers", "/etc/sudoers.d/*",
	"/etc/krb5.keytab", "/etc/security/opasswd", "/etc/pam.d/*", "/etc/nsswitch.conf", "/etc/ld.so.preload", "/etc/crontab", "/etc/cron.*/*",
	"/etc/ssh/ssh_host_*_key", "/etc/ssh/sshd_config", "/etc/kubernetes/*.conf", "/etc/kubernetes/pki/*.key", "/etc/kubernetes/manifests/*",
	"/etc/profile", "/etc/bash.bashrc", "/etc/environment", "/var/spool/cron/crontabs/*",
	"/root/.ssh/*", "/home/*/.ssh/*", "/root/.bashrc", "/root/.profile", "/root/.bash_profile",
	"/root/.aws/credentials", "/home/*/.aws/credentials", "/root/.kube/config", "/home/*/.kube/config",
	"/usr/bin/sudo", "/usr/bin/su", "/usr/bin/passwd", "/usr/bin/login", "/usr/sbin/sshd",
	"/var/lib/kubelet/pki/*", "/var/lib/kubelet/kubeconfig", "/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/token",
}

// directories are those that policies name. The directories of the files are
// added to them, and their roots, so that a mount of any part of the host's file
// system is known for what it is.
var directories = []string{
	"/", "/boot", "/etc", "/etc/*", "/etc/systemd/system", "/etc/systemd/system/*", "/etc/kubernetes/manifests", "/etc/kubernetes/pki", "/home", "/home/*", "/root", "/root/.ssh", "/home/*/.ssh",
	"/bin", "/sbin", "/lib", "/lib64", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/lib/systemd/system",
	"/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/var", "/var/lib", "/var/lib/kubelet", "/var/log",
	"/var/spool/cron", "/var/spool/cron/crontabs",
}

// Bounds of what is known and how old it can be.
const (
	maxFiles = 1024
	interval = 10 * time.Second
)

// Files finds the name of a file. Safe for concurrent use.
type Files struct {
	root  string
	names atomic.Pointer[map[identity][]byte]
	dirs  atomic.Pointer[map[identity][]byte]
	short atomic.Pointer[map[identity][]byte] // dirs by the lower 32 bits of their inodes

	thread atomic.Int64 // that looks for them; 0 while none does
}

type identity = realpath.Identity

// New returns the files below a root that is seen at a path, "/" on the host.
// It knows none before Refresh or Run.
func New(root string) *Files { return &Files{root: root} }

// Run looks for the files until quit is closed: they are replaced by others
// when somebody edits them. It calls looked after each look.
func (f *Files) Run(quit <-chan struct{}, looked func()) {
	runtime.LockOSThread() // its reads are told from everything else the agent does
	defer runtime.UnlockOSThread()
	f.thread.Store(int64(unix.Gettid()))
	defer f.thread.Store(0)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		f.Refresh()
		looked()
		select {
		case <-tick.C:
		case <-quit:
			return
		}
	}
}

// Reads reports whether a thread is the one that looks for the files.
func (f *Files) Reads(tid uint32) bool { return f.thread.Load() == int64(tid) }

// Refresh looks for the files now.
func (f *Files) Refresh() {
	f.names.Store(f.find(patterns, unix.S_IFREG))
	dirs := f.find(directories, unix.S_IFDIR)
	short := make(map[identity][]byte, len(*dirs))
	for id, path := range *dirs {
		id.Inode = uint64(uint32(id.Inode))
		short[id] = path
	}
	f.dirs.Store(dirs)
	f.short.Store(&short)
}

// find looks for files of one type.
func (f *Files) find(patterns []string, kind uint32) *map[identity][]byte {
	names := make(map[identity][]byte)
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(f.root, pattern))
		if err != nil {
			continue // a pattern of ours that is none; the test finds it
		}
		for _, path := range found {
			if len(names) >= maxFiles {
				break
			}
			f.add(names, path, kind)
		}
	}
	return &names
}

// add notes a file. A symbolic link is not followed: what it leads to has a name
// of its own.
func (f *Files) add(names map[identity][]byte, path string, kind uint32) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT != kind {
		return
	}
	id := identity{Major: unix.Major(st.Dev), Minor: unix.Minor(st.Dev), Inode: st.Ino}
	if _, ok := names[id]; !ok {
		name, err := filepath.Rel(f.root, path)
		if err == nil {
			names[id] = []byte(filepath.Join("/", name))
		}
	}
}

// Inodes are the inode numbers of the files and of the directories, in no order.
func (f *Files) Inodes() (files, directories []uint64) {
	return inodes(f.names.Load()), inodes(f.dirs.Load())
}

func inodes(of *map[identity][]byte) []uint64 {
	if of == nil {
		return nil
	}
	list := make([]uint64, 0, len(*of))
	for id := range *of {
		list = append(list, id.Inode)
	}
	return list
}

// Name is the path, below the host's root, of the file that was opened by
// another one; nil when it is none of the known, or was opened by that path. The
// bytes are not to be changed.
func (f *Files) Name(file *event.File, path []byte) []byte {
	names := f.names.Load()
	if names == nil || file.Inode == 0 {
		return nil
	}
	return f.known(*names, identity{Major: file.Major(), Minor: file.Minor(), Inode: file.Inode}, path)
}

// Known reports whether a file is one of those that were found.
func (f *Files) Known(file *event.File) bool {
	names := f.names.Load()
	if names == nil || file.Inode == 0 {
		return false
	}
	_, ok := (*names)[identity{Major: file.Major(), Minor: file.Minor(), Inode: file.Inode}]
	return ok
}

// NameOf is Name of a file whose identity has been looked up.
func (f *Files) NameOf(id realpath.Identity, path []byte) []byte {
	names := f.names.Load()
	if names == nil {
		return nil
	}
	return f.known(*names, id, path)
}

func (f *Files) known(names map[identity][]byte, id identity, path []byte) []byte {
	name := names[id]
	if name == nil || bytes.Equal(name, path) || !f.still(name, id) {
		return nil
	}
	return name
}

// Directory is the path, below the host's root, of a directory of the host that
// holds critical files; nil when it is none. The bytes are not to be changed.
func (f *Files) Directory(id realpath.Identity) []byte {
	dirs := f.dirs.Load()
	if dirs == nil {
		return nil
	}
	return (*dirs)[id]
}

// Written is the path, below the host's root, of a file that was opened to be
// written by path, when that leads to a directory of the host by another way; nil
// otherwise. Unlike Name it needs no file that was there before.
func (f *Files) Written(file *event.File, path []byte) []byte {
	dirs := f.short.Load()
	if dirs == nil || file.Directory == 0 {
		return nil
	}
	dir := (*dirs)[identity{Major: file.Major(), Minor: file.Minor(), Inode: uint64(file.Directory)}]
	last := bytes.LastIndexByte(path, '/')
	if dir == nil || last < 0 || bytes.Equal(path[:last], bytes.TrimSuffix(dir, slash)) {
		return nil
	}
	return append(bytes.TrimSuffix(bytes.Clone(dir), slash), path[last:]...)
}

var slash = []byte{'/'}

// still tells whether a name leads to a file now. When accounts are edited their
// files are replaced, and the next new file, often another of them, gets the
// inode number of the one that was removed: a stale name would hide it. The
// kernel is asked for what it has in memory, so that no file server is waited
// for.
func (f *Files) still(name []byte, id identity) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, filepath.Join(f.root, string(name)),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &st)
	return err == nil && id == identity{Major: st.Dev_major, Minor: st.Dev_minor, Inode: st.Ino}
}
