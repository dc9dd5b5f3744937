package field

import "github.com/sightglass/sightglass/internal/policy/events"

// act is a set of calls that fields treat alike; every event type belongs to
// some. Asking an event for one is a single bit test.
type act uint32

const (
	actOpen      act = 1 << iota // has open flags and makes a descriptor
	actCreat                     // creat
	actOpenAt                    // open calls whose failure still says "file"
	actAccept                    // accept, accept4
	actConnect                   // connect
	actServe                     // listen, bind
	actSocket                    // socket
	actPair                      // socketpair
	actDirectory                 // its descriptor is the directory of its path
	actExec                      // execve, execveat
	actPtrace                    // ptrace
	actNamed                     // descriptors whose type has the call's name
	actMemfd                     // memfd_create
	actPidfd                     // pidfd_open
	actNode                      // mknod, mknodat: their mode has the type of the file
	actReads                     // reads from its descriptor
	actWrites                    // writes to it
	actWaits                     // makes the thread wait
	actDup                       // dup, dup2, dup3
	actPipe                      // pipe, pipe2
	actClone                     // clone, clone3, fork, vfork
	actExit                      // procexit
	actFlagless                  // has flags in its event and not in its call
)

var actNames = map[act][]string{
	actOpen:      {"open", "openat", "openat2", "open_by_handle_at"},
	actCreat:     {"creat"},
	actOpenAt:    {"openat", "openat2", "creat"},
	actAccept:    {"accept", "accept4"},
	actConnect:   {"connect"},
	actServe:     {"listen", "bind"},
	actSocket:    {"socket"},
	actPair:      {"socketpair"},
	actDirectory: {"unlinkat", "mkdirat", "fchmodat", "fchmodat2", "fchownat", "symlinkat", "mknodat", "newfstatat"},
	actExec:      {"execve", "execveat"},
	actPtrace:    {"ptrace"},
	actNamed:     {"userfaultfd", "bpf"},
	actMemfd:     {"memfd_create"},
	actPidfd:     {"pidfd_open"},
	actNode:      {"mknod", "mknodat"},
	actReads: {
		"read", "pread", "pread64", "readv", "preadv", "recv", "recvfrom", "recvmsg", "recvmmsg", "copy_file_range", "finit_module",
	},
	actWrites: {
		"write", "pwrite", "pwrite64", "writev", "pwritev", "send", "sendto", "sendmsg", "sendmmsg", "copy_file_range",
	},
	actWaits:    {"epoll_wait", "poll", "ppoll", "select", "nanosleep"},
	actDup:      {"dup", "dup2", "dup3"},
	actPipe:     {"pipe", "pipe2"},
	actClone:    {"clone", "clone3", "fork", "vfork"},
	actExit:     {"procexit"},
	actFlagless: {"eventfd", "inotify_init", "fork", "vfork"},
}

// acts has the set of every event type.
var acts = func() []act {
	out := make([]act, events.Count())
	for a, names := range actNames {
		for _, name := range names {
			if e, ok := events.ByName(name); ok {
				out[e.ID] |= a
			}
		}
	}
	return out
}()

// does reports whether the event is one of the calls.
func (c *Context) does(a act) bool { return c.act&a != 0 }
