package syscalls

import "slices"

// n lists numbers; it keeps the rows below short.
func n(numbers ...uint16) []uint16 { return numbers }

// Arguments that many rows share.
var (
	argPath     = Arg{Name: "path", Kind: KindPath}
	argName     = Arg{Name: "name", Kind: KindPath}
	argFilename = Arg{Name: "filename", Kind: KindPath}
	argOldPath  = Arg{Name: "oldpath", Kind: KindPath}
	argNewPath  = Arg{Name: "newpath", Kind: KindPath}
	argLinkPath = Arg{Name: "linkpath", Kind: KindPath}
	argTarget   = Arg{Name: "target", Kind: KindText}
	argFD       = Arg{Name: "fd", Kind: KindFD}
	argDirFD    = Arg{Name: "dirfd", Kind: KindDirFD}
	argMode     = Arg{Name: "mode", Kind: KindMode}
	argFlags    = Arg{Name: "flags", Kind: KindFlags}
	argArgv     = Arg{Name: "argv", Kind: KindStrings}
	argUID      = Arg{Name: "uid", Kind: KindUID}
	argGID      = Arg{Name: "gid", Kind: KindGID}
	argPID      = Arg{Name: "pid", Kind: KindPID}
	argSignal   = Arg{Name: "sig", Kind: KindSignal}
	argEnvp     = Arg{Name: "envp", Kind: KindAddress}
	argAddrLen  = Arg{Name: "addrlen", Kind: KindInt}
	argAddrPtr  = Arg{Name: "addrlen", Kind: KindAddress}
	argAddr     = Arg{Name: "addr", Kind: KindSockaddr}
	argAddrOut  = Arg{Name: "addr", Kind: KindSockaddrOut}
)

// Table lists the captured calls. A call's position is its index in records of
// the same build; nothing may depend on it beyond that. Arguments have the
// names by which rules know them (evt.arg.NAME).
var Table = slices.Concat(processRows, fileRows, networkRows, descriptorRows, systemRows)
