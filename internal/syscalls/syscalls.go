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
	KindMode       // permission bits
	KindFlags      // bit set
	KindEnum       // one of a list
	KindSignal     // signal number
	KindDescriptor // descriptor of which only the number is told
)

// Kinds that are memory of the caller, read before the call uses it.
const (
	KindPath        Kind = iota + 32 // NUL-terminated file name
	KindText                         // NUL-terminated text that is no file of this name space
	KindSockaddr                     // struct sockaddr; the next argument is its length
	KindSockaddrOut                  // struct sockaddr that the kernel writes; told from the socket at exit
	KindOpenHow                      // struct open_how of openat2; the next argument is its size
	KindBytes                        // buffer; the next argument is its length
	KindStrings                      // vector of strings that ends with NULL (argv)
	KindRlimit                       // struct rlimit64
	KindRlimitLong                   // struct rlimit, of words as wide as the ABI's
	KindCloneArgs                    // struct clone_args, of which the flags are read
	KindMessage                      // struct msghdr, or an array of struct mmsghdr: the first address and data
	KindClosing                      // descriptor that the call closes: no memory, but what is behind it is read as early
)

// Kinds that are memory that the kernel writes, read when the call has
// succeeded.
const (
	KindFDPair       Kind = iota + 48 // two descriptors (pipe, socketpair)
	KindBytesOut                      // buffer, filled as far as the result says
	KindSockaddrFrom                  // struct sockaddr; the next argument points to its length
	KindMessageOut                    // struct msghdr
	KindRlimitOut                     // struct rlimit64
	KindRingParams                    // struct io_uring_params
	KindMessagesOut                   // array of struct mmsghdr: the first address and data
)

// Arg is one argument of a call, in the order of the call's registers.
type Arg struct {
	Name  string
	Kind  Kind
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
