// Package critical knows the host's most important files by their inodes. The
// kernel's path of an open file is the one it was opened by: another hard link,
// a bind mount, or the volume of a container give the same file another path,
// and only the inode is the same.
package critical

import (
	"bytes"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// patterns are the files that policies name, below the host's root.
var patterns = []string{
	"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/passwd", "/etc/group", "/etc/sudoers", "/etc/sudoers.d/*",
	"/etc/krb5.keytab", "/etc/security/opasswd", "/etc/pam.d/*", "/etc/nsswitch.conf", "/etc/ld.so.preload", "/etc/crontab", "/etc/cron.*/*",
	"/etc/ssh/ssh_host_*_key", "/etc/ssh/sshd_config", "/etc/kubernetes/*.conf", "/etc/kubernetes/pki/*.key", "/etc/kubernetes/manifests/*",
	"/etc/profile", "/etc/bash.bashrc", "/etc/environment", "/var/spool/cron/crontabs/*",
	"/root/.ssh/*", "/home/*/.ssh/*", "/root/.bashrc", "/root/.profile", "/root/.bash_profile",
	"/root/.aws/credentials", "/home/*/.aws/credentials", "/root/.kube/config", "/home/*/.kube/config",
	"/var/lib/kubelet/pki/*", "/var/lib/kubelet/kubeconfig", "/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/token",
}

// Bounds of what is known and how old it can be.
const (
	maxFiles = 1024
	interval = 10 * time.Second
)

// identity is what all paths of one file share.
type identity struct {
	major, minor uint32
	inode        uint64
}

// Files finds the name of a file. Safe for concurrent use.
type Files struct {
	root  string
	names atomic.Pointer[map[identity][]byte]
}

// New returns the files below a root that is seen at a path, "/" on the host.
// It knows none before Refresh or Run.
func New(root string) *Files { return &Files{root: root} }

// Run looks for the files until quit is closed: they are replaced by others
// when somebody edits them. It calls looked after each look.
func (f *Files) Run(quit <-chan struct{}, looked func()) {
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

// Refresh looks for the files now.
func (f *Files) Refresh() {
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
			f.add(names, path)
		}
	}
	f.names.Store(&names)
}

// add notes a regular file. A symbolic link is not followed: what it leads to
// has a name of its own.
func (f *Files) add(names map[identity][]byte, path string) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return
	}
	id := identity{major: unix.Major(st.Dev), minor: unix.Minor(st.Dev), inode: st.Ino}
	if _, ok := names[id]; !ok {
		name, err := filepath.Rel(f.root, path)
		if err == nil {
			names[id] = []byte("/" + name)
		}
	}
}

// Inodes are the inode numbers of the files, in no order.
func (f *Files) Inodes() []uint64 {
	names := f.names.Load()
	if names == nil {
		return nil
	}
	inodes := make([]uint64, 0, len(*names))
	for id := range *names {
		inodes = append(inodes, id.inode)
	}
	return inodes
}

// Name is the path, below the host's root, of the file that was opened by
// another one; nil when it is none of the known, or was opened by that path. The
// bytes are not to be changed.
func (f *Files) Name(file *event.File, path []byte) []byte {
	names := f.names.Load()
	if names == nil || file.Inode == 0 {
		return nil
	}
	id := identity{major: file.Major(), minor: file.Minor(), inode: file.Inode}
	name := (*names)[id]
	if name == nil || bytes.Equal(name, path) || !f.still(name, id) {
		return nil
	}
	return name
}

// still tells whether a name leads to a file now. When accounts are edited their
// files are replaced, and the next new file, often another of them, gets the
// inode number of the one that was removed: a stale name would hide it. The
// kernel is asked for what it has in memory, so that no file server is waited
// for.
func (f *Files) still(name []byte, id identity) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, filepath.Join(f.root, string(name)),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &st)
	return err == nil && id == identity{major: st.Dev_major, minor: st.Dev_minor, inode: st.Ino}
}
