package syscalls

import "strconv"

var kindNames = map[Kind]string{
	KindNone: "none", KindInt: "number", KindUint: "number", KindInt64: "number", KindUint64: "number",
	KindAddress: "address", KindFD: "descriptor", KindDirFD: "directory", KindPID: "pid", KindUID: "uid",
	KindGID: "gid", KindMode: "mode", KindFlags: "flags", KindEnum: "enum", KindSignal: "signal",
	KindPath: "path", KindText: "text", KindSockaddr: "address of a socket",
	KindSockaddrOut: "address of a socket (out)", KindOpenHow: "struct open_how", KindBytes: "bytes",
	KindFDPair: "two descriptors (out)", KindStrings: "strings", KindDescriptor: "descriptor's number",
	KindRlimit: "struct rlimit64", KindRlimitLong: "struct rlimit", KindCloneArgs: "struct clone_args",
	KindMessage: "message", KindClosing: "descriptor that is closed", KindBytesOut: "bytes (out)",
	KindSockaddrFrom: "address of a socket (out)", KindMessageOut: "message (out)", KindRlimitOut: "struct rlimit64 (out)",
	KindRingParams: "struct io_uring_params (out)", KindMessagesOut: "messages (out)",
}

// String is the kind as the documentation calls it.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return "kind " + strconv.Itoa(int(k))
}

var resultNames = map[Result]string{
	ResultCode: "0", ResultCount: "number", ResultFile: "descriptor of a file",
	ResultSocket: "descriptor of a socket", ResultDescriptor: "descriptor", ResultPID: "pid",
	ResultCwd: "0, with the new working directory",
}

// String is the result as the documentation calls it.
func (r Result) String() string {
	if s, ok := resultNames[r]; ok {
		return s
	}
	return "result " + strconv.Itoa(int(r))
}
