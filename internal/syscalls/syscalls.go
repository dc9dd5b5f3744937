// Package syscalls is the list of system calls that Sightglass captures: their
// names, their numbers on each ABI, and the kind of every argument. The kernel
// programs, the decoder, the attributes, the documentation and the tests are
// all driven by Table: a new call is one new row.
package syscalls

// Kind says what an argument is, and with that how the kernel side fetches it
// and how it is rendered. The values are the wire's: bpf/event.h has the same.
type Kind uint8

// Kinds that are the register itself.
const (
	KindNone    Kind = iota // no argument
	KindInt                 // signed 32-bit number
	KindUint                // unsigned 32-bit number
	KindInt64               // signed 64-bit number
	KindUint64              // unsigned 64-bit number
	KindAddress             // pointer or opaque word, rendered in hex
	KindFD                  // descriptor; the kernel's path or the socket behind it comes along
	KindDirFD               // descriptor that a path argument is relative to, or AT_FDCWD
	KindPID                 // process, thread or group id as the caller wrote it
	KindUID
	KindGID
	KindMode   // permission bits
	KindFlags  // bit set; Arg.Set names the table
	KindEnum   // one of a list; Arg.Set names the table
	KindSignal // signal number
)

// Kinds that are memory of the caller.
const (
	KindPath        Kind = iota + 32 // NUL-terminated file name
	KindText                         // NUL-terminated text that is no file of this name space
	KindSockaddr                     // struct sockaddr, read at enter; the next argument is its length
	KindSockaddrOut                  // struct sockaddr that the kernel writes; told from the socket at exit
	KindOpenHow                      // struct open_how of openat2; the next argument is its size
	KindBytes                        // buffer read at enter; the next argument is its length
	KindFDPair                       // two descriptors that the kernel wrote (pipe, socketpair)
	KindStrings                      // vector of strings that ends with NULL (argv)
)

// Set names the table that turns the bits or the value of an argument into
// words.
type Set uint8

// The tables of names.
const (
	SetNone Set = iota
	SetOpen
	SetUnlinkAt
	SetLinkAt
	SetChmodAt
	SetExecAt
	SetRename
	SetMount
	SetClone
	SetFamily
	SetSocketType
	SetAccept
	SetPtrace
	SetResolve
)

// Arg is one argument of a call, in the order of the call's registers.
type Arg struct {
	Name  string
	Kind  Kind
	Set   Set
	Local bool // KindSockaddr: the caller's own address, not the peer's
}

// Result says what a return value that is not negative means.
type Result uint8

// Meanings of a return value.
const (
	ResultCode       Result = iota // 0
	ResultCount                    // a number
	ResultFile                     // descriptor of a file that the call opened
	ResultSocket                   // descriptor of a socket that the call made or accepted
	ResultDescriptor               // any other descriptor
	ResultPID                      // process or thread id
	ResultCwd                      // 0, and the working directory has changed
)

// MaxArgs is the number of registers that carry arguments.
const MaxArgs = 6
