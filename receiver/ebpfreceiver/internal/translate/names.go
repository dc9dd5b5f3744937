package translate

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// eventNames are the event names of system calls that are more than a call.
var eventNames = map[string]string{
	"open": schema.EventFileOpen, "openat": schema.EventFileOpen, "openat2": schema.EventFileOpen,
	"creat": schema.EventFileOpen, "open_by_handle_at": schema.EventFileOpen,

	"unlink": schema.EventFileChange, "unlinkat": schema.EventFileChange, "rename": schema.EventFileChange,
	"renameat": schema.EventFileChange, "renameat2": schema.EventFileChange, "link": schema.EventFileChange,
	"linkat": schema.EventFileChange, "symlink": schema.EventFileChange, "symlinkat": schema.EventFileChange,
	"mkdir": schema.EventFileChange, "mkdirat": schema.EventFileChange, "rmdir": schema.EventFileChange,
	"chmod": schema.EventFileChange, "fchmod": schema.EventFileChange, "fchmodat": schema.EventFileChange,
	"fchmodat2": schema.EventFileChange, "chown": schema.EventFileChange, "lchown": schema.EventFileChange,
	"fchown": schema.EventFileChange, "fchownat": schema.EventFileChange, "mknod": schema.EventFileChange,
	"mknodat": schema.EventFileChange, "truncate": schema.EventFileChange, "truncate64": schema.EventFileChange,
	"ftruncate": schema.EventFileChange, "ftruncate64": schema.EventFileChange,
	"setxattr": schema.EventFileChange, "lsetxattr": schema.EventFileChange, "fsetxattr": schema.EventFileChange,

	"connect": schema.EventNetworkConnect, "accept": schema.EventNetworkAccept, "accept4": schema.EventNetworkAccept,
	"bind": schema.EventNetworkListen, "listen": schema.EventNetworkListen,
}

// byRow are the event names by row of the syscall table.
var byRow = func() []string {
	names := make([]string, len(syscalls.Table))
	for i := range syscalls.Table {
		names[i] = schema.EventSyscall
		if n, ok := eventNames[syscalls.Table[i].Name]; ok {
			names[i] = n
		}
	}
	return names
}()

// SyscallEventName is the event name of a system call.
func SyscallEventName(s *event.Syscall) string {
	if int(s.Index) >= len(byRow) {
		return schema.EventSyscall
	}
	name := byRow[s.Index]
	if name == schema.EventNetworkListen && !Listens(s) {
		return schema.EventSyscall
	}
	return name
}

// Listens tells whether a call has made a server's socket: a listen that
// succeeded, or a bind of UDP to a port. The binds of streams come before their
// listen or make a client, and those of other families serve nobody.
func Listens(s *event.Syscall) bool {
	if s.Return < 0 {
		return false
	}
	if s.Name() == "listen" {
		return true
	}
	c := call{Syscall: s, spec: s.Spec()}
	addr := c.kind(syscalls.KindSockaddr)
	if s.Name() != "bind" || addr == nil || addr.Socket.LocalPort == 0 {
		return false // a client that lets the kernel choose, or no network at all
	}
	socket, _, ok := socketOf(c)
	return ok && transport(&socket) == "udp"
}
