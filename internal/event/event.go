// Package event holds the records that the kernel programs write into the ring
// buffers, decoded. Decode is pure: it needs no privileges and no kernel.
//
// Ownership: every []byte inside an Event points into the raw record that was
// decoded or into the Event itself. It is valid until the reader hands out the
// next record or the Event is decoded into again, whichever comes first; copy
// what has to live longer. An Event may be used by one goroutine at a time.
package event

import "github.com/sightglass/sightglass/internal/syscalls"

// Type tells records apart; the values are those of enum event_type in
// bpf/event.h. Readers skip and count the types that they do not know.
type Type uint16

// Types of records.
const (
	TypeSyscall     Type = iota + 1 // a call ended: Task, Syscall
	TypeExec                        // a new program runs: Task (as it is after the exec), Exec
	TypeFork                        // a new process, not a thread: Task (of the child), Fork
	TypeExit                        // the last thread of a process ended: Task, Exit
	TypeCgroupMkdir                 // Cgroup
	TypeCgroupRmdir                 // Cgroup
	TypeProcess                     // a process found by the iterator: Task, Exec
)

// Types of the requests ring.
const (
	TypeData        Type = iota + 64 // bytes moved over a socket
	TypeSocketClose                  // a socket came to its end
)

// Flags of a whole record.
type Flags uint16

// Bits of Flags.
const (
	FlagSelf      Flags = 1 << iota // the agent's own doing
	FlagTruncated                   // something in the record was cut at a bound; the Arg or field says which
	FlagLate                        // an argument was read at exit, because its page was not resident at enter
	FlagNoEnter                     // the entry was not seen (the call began before the agent did): all arguments are late
)

// ProcessKey names a process once and for all until the machine reboots: ids
// are reused, the pair is not.
type ProcessKey struct {
	Start uint64 // start of the thread group's leader, ns since boot
	TGID  uint32 // thread group id, the host's view
}

// Header begins every record.
type Header struct {
	Type  Type
	Flags Flags
	Len   uint32 // bytes of the record, header included
	Time  uint64 // when, ns since boot (CLOCK_BOOTTIME)
	Key   ProcessKey
	TID   uint32 // thread id, the host's view; the one after the exec for an exec
}

// Task is what the kernel knew about the acting thread.
type Task struct {
	UID, GID, EUID, EGID uint32
	LoginUID             uint32 // NoID when unset
	Session              uint32 // audit session; NoID when unset
	TTY                  uint32 // controlling terminal as major<<8|minor (the form of stat's tty_nr); 0 for none
	VPID, VTID           uint32 // ids inside the innermost pid namespace
	CgroupID             uint64
	CgroupHierarchy      uint32 // 0: version 2; else the id of the version 1 hierarchy that CgroupID belongs to
	PGID                 uint32 // process group, the host's view
	MountNS, PIDNS       uint32 // inode numbers of the namespaces
	NetNS                uint32
	Parent               ProcessKey
	Kthread              bool
	Comm                 []byte // without NUL, at most 15 bytes
}

// NoID is an unset login uid or session.
const NoID = ^uint32(0)

// ABI is the convention that a call was made by.
type ABI uint8

// ABIs. The numbers of a call differ between them.
const (
	ABINative ABI = iota // the machine's own 64-bit calls
	ABI32                // 32-bit calls (int $0x80 and 32-bit programs)
	ABIX32               // x32 on x86-64
)

// ArgFlags qualify one argument.
type ArgFlags uint8

// Bits of ArgFlags.
const (
	ArgTruncated  ArgFlags = 1 << iota // cut at the bound, or a path whose beginning is missing
	ArgLate                            // read at exit: the caller could have changed it in between
	ArgUnreadable                      // a pointer that could not be read, NULL included
	ArgDeleted                         // Path is that of a file that has been unlinked
	ArgDetached                        // Path does not begin at the root of the mount name space (pipe, memfd, lazily unmounted, ...)
)

// Arg is one argument of a call. What is filled depends on the kind that
// syscalls.Table gives for it; what could not be told is empty.
type Arg struct {
	Flags  ArgFlags
	Number uint64    // the register, cut to 32 bits unless the kind has 64; see Int
	Bytes  []byte    // KindPath, KindText: as passed, without the final NUL; KindStrings: each with its NUL; KindBytes; data of a message
	Path   []byte    // KindFD, KindDirFD (when a relative path follows), file results: the kernel's path
	File   File      // KindFD, KindClosing, descriptors that a call returned; zero Inode when absent
	Socket Socket    // KindSockaddr, address of a message, KindFD of a socket, descriptors that a call returned
	Words  [6]uint64 // in their order: of KindOpenHow flags, mode, resolve; of a limit current, maximum; of KindCloneArgs flags;
	// of KindRingParams the first six; of KindFDPair the two descriptors
}

// Int is the number as a signed 32-bit one, which descriptors, pids and most
// others are.
func (a *Arg) Int() int32 { return int32(uint32(a.Number)) }

// File is the kernel's view of an open file.
type File struct {
	Inode  uint64
	Device uint32 // major<<20 | minor
	Mode   uint32 // type and permission bits
	Flags  FileFlags
	// Directory is, of a file that was opened to be written, the inode of its
	// directory, which is on the same device; the lower 32 bits. 0 when unknown.
	Directory uint32
}

// Major and Minor are the parts of Device.
func (f *File) Major() uint32 { return f.Device >> 20 }

// Minor is the minor part of Device.
func (f *File) Minor() uint32 { return f.Device & (1<<20 - 1) }

// FileFlags qualify a file.
type FileFlags uint32

// Bits of FileFlags.
const (
	FileUpper    FileFlags = 1 << iota // overlayfs: it lies in the writable layer, not in the image
	FileLower                          // overlayfs: it is the image's
	FileMemfd                          // it exists in memory only
	FileDeleted                        // no name leads to it any more
	FileCreated                        // this call made it
	FileWritable                       // of an executable: the user who runs it may write or change it
)

// Socket is one socket or one socket address. An address argument fills only
// Family and the local or peer half that it stands for.
type Socket struct {
	Family              uint16 // AF_*; 0 when absent
	Type                uint16 // SOCK_*; 0 when unknown
	Protocol            uint16 // IPPROTO_*
	State               uint8  // kernel's TCP_* state number
	Bound               bool   // the program chose the local port
	Accepted            bool   // TCP: a listening socket made it
	LocalPort, PeerPort uint16
	LocalAddr, PeerAddr [16]byte // IPv4 in the first 4 bytes; network order
	NetNS               uint32   // inode number
	LocalPath, PeerPath []byte   // unix: as bound; begins with NUL when abstract
}

// Syscall is a call that ended.
type Syscall struct {
	Index   uint16 // of the row in syscalls.Table
	ABI     ABI
	NumArgs int
	Return  int64  // negative errno on failure
	Enter   uint64 // when it began, ns since boot; 0 unless the row is Timed and the entry was seen
	Args    [6]Arg // the first NumArgs are valid, in the order of the table
	Result  Arg    // of a call that succeeded: the opened file, the socket, or the new working directory (Path)
	Cwd     []byte // kernel's path of the working directory; present when a relative path begins there
	CwdFlag ArgFlags
}

// Name is the call's name.
func (s *Syscall) Name() string { return syscalls.Table[s.Index].Name }

// Spec is the call's row.
func (s *Syscall) Spec() *syscalls.Spec { return &syscalls.Table[s.Index] }

// Arg is the named argument, nil when the call has none of that name.
func (s *Syscall) Arg(name string) *Arg {
	if i := s.Spec().ArgIndex(name); i >= 0 {
		return &s.Args[i]
	}
	return nil
}

// Exec is a program that was started, or, in a TypeProcess record, one that was
// running when the agent started (then Args and Env are empty: they are read
// from /proc).
type Exec struct {
	OldTID uint32 // thread that called exec; it takes the leader's id
	Argc   uint32
	File   File   // the executable
	Ctime  uint64 // last change of its inode, ns since 1970
	Mtime  uint64 // last change of its content
	Input  uint64 // inode of the pipe that is descriptor 0; 0 when it is none
	Output uint64 // likewise descriptor 1
	// Substituted is likewise descriptor 63, which is bash's first <(...).
	Substituted uint64
	Path        []byte // kernel's path of the executable
	PathFlag    ArgFlags
	Filename    []byte // as passed to execve
	Interp      []byte // what really runs when it differs from Filename (script interpreter)
	Cwd         []byte
	CwdFlag     ArgFlags
	Args        []byte // argv, each with its NUL; at most 4096 bytes
	ArgFlag     ArgFlags
	Env         []byte // environment; only when switched on
	EnvFlag     ArgFlags
}

// Identity is what only execs and few calls change, as it is after them. It
// comes with execs, forks, processes found by the iterator, and the calls of
// rows with Identity.
type Identity struct {
	Known                                      bool
	CapInheritable, CapPermitted, CapEffective uint64 // bit sets as in capability.h
	PIDNSStart                                 uint64 // start of the pid namespace's first process, ns since boot
	SID, VPGID                                 uint32 // session and process group inside the innermost pid namespace; 0 when they are not of it
}

// Fork is a new process.
type Fork struct {
	ParentTID uint32     // thread that forked
	Parent    ProcessKey // process that forked; Task.Parent is its reaper's view and may differ with CLONE_PARENT
}

// Exit is the end of a process.
type Exit struct {
	Code   uint8 // exit status when Signal is 0
	Signal uint8 // signal that ended it
	Core   bool  // a core was dumped
}

// Cgroup is a control group that was made or removed.
type Cgroup struct {
	ID        uint64
	Hierarchy uint32 // 0: version 2
	Level     uint32
	Path      []byte // from the root of its hierarchy
}

// Event is any one record. Only the fields named at its Type are filled.
type Event struct {
	Header
	Task Task
	// Identity is of any of the types that have a Task.
	Identity Identity
	Syscall  Syscall
	Exec     Exec
	Fork     Fork
	Exit     Exit
	Cgroup   Cgroup
	Request  Request

	paths []byte // where kernel paths are put together
}
