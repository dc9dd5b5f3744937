package events

// Kind says what an argument is and with that how its raw and its resolved
// text are made.
type Kind uint8

// The kinds of arguments.
const (
	KindFD    Kind = iota + 1 // descriptor; resolved: <type>name
	KindErrno                 // result; resolved: name of the error
	KindPID                   // process; resolved: its comm
	KindI8                    // decimal numbers
	KindI16
	KindI32
	KindI64
	KindU8
	KindU16
	KindU32
	KindU64
	KindHex32 // upper case hexadecimal
	KindHex64
	KindHexI32
	KindOct32  // octal with leading zero
	KindFlags  // bits, resolved by the argument's Set; 32 bits wide
	KindFlags8 // the same, narrower
	KindFlags16
	KindEnum // exactly one of the Set's values
	KindMode // permission bits
	KindUID  // user; resolved: its name
	KindGID
	KindPath   // of a file; resolved: absolute
	KindText   // plain text
	KindBytes  // data; shown with dots
	KindAddr   // socket address
	KindTuple  // both ends of a socket
	KindSignal // number; resolved: its name
	KindRelTime
	KindAbsTime
	KindDyn // number whose meaning depends on other arguments
	KindFDList
	KindSigSet
)

// Base is the base in which the number that an argument of this kind is gets
// printed, where its own type is kept.
func (k Kind) Base() int {
	switch k {
	case KindHex32, KindHex64, KindHexI32, KindFlags, KindFlags8, KindFlags16:
		return 16
	case KindOct32, KindMode:
		return 8
	default:
		return 10
	}
}

var kindNames = map[string]Kind{
	"fd": KindFD, "errno": KindErrno, "pid": KindPID, "i8": KindI8, "i16": KindI16, "i32": KindI32, "i64": KindI64, "u8": KindU8,
	"u16": KindU16, "u32": KindU32, "u64": KindU64, "hex32": KindHex32, "hex64": KindHex64, "hexi32": KindHexI32,
	"oct32": KindOct32, "flags": KindFlags, "flags8": KindFlags8, "flags16": KindFlags16, "enum": KindEnum, "mode": KindMode,
	"uid": KindUID, "gid": KindGID, "path": KindPath, "text": KindText, "bytes": KindBytes, "addr": KindAddr,
	"tuple": KindTuple, "sig": KindSignal, "reltime": KindRelTime, "abstime": KindAbsTime, "dyn": KindDyn,
	"fdlist": KindFDList, "sigset": KindSigSet,
}
