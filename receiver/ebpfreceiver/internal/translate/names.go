package translate

import (
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
	"fchmodat2": schema.EventFileChange,

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

// SyscallEventName is the event name for a row of the syscall table.
func SyscallEventName(row uint16) string {
	if int(row) < len(byRow) {
		return byRow[row]
	}
	return schema.EventSyscall
}
