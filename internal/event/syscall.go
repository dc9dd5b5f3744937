package event

import "github.com/sightglass/sightglass/internal/syscalls"

// atFDCWD stands for the working directory where a directory's descriptor is
// expected.
const atFDCWD = -100

// Results with which the kernel asks itself to restart a call after a signal.
// Whether it does depends on the signal's handler: the program sees EINTR, or a
// second record follows.
const (
	errRestartSys    = -512
	errRestartNoIntr = -513
	errRestartNoHand = -514
	errRestartBlock  = -516
	errIntr          = -4
)

// decodeSyscall decodes the call's fixed part and its extras.
func (ev *Event) decodeSyscall(b []byte) error {
	if len(b) < syscallSize {
		return ErrShort
	}
	s := &ev.Syscall
	*s = Syscall{
		Return: int64(ne.Uint64(b)),
		Enter:  ne.Uint64(b[8:]),
		Index:  ne.Uint16(b[64:]),
		ABI:    ABI(b[66]),
	}
	if int(s.Index) >= len(syscalls.Table) {
		return ErrUnknownCall
	}
	switch s.Return {
	case errRestartSys, errRestartNoIntr, errRestartNoHand, errRestartBlock:
		s.Return = errIntr
	}
	spec := s.Spec()
	s.NumArgs = len(spec.Args)
	for i := range spec.Args {
		s.Args[i].Number = number(spec.Args[i].Kind, ne.Uint64(b[16+8*i:]))
	}
	return ev.decodeSyscallExtras(b[syscallSize:], b[67])
}

// number cuts a register to the width of its kind: the upper half of a 32-bit
// argument is whatever the caller left there.
func number(k syscalls.Kind, v uint64) uint64 {
	switch k {
	case syscalls.KindInt64, syscalls.KindUint64, syscalls.KindAddress:
		return v
	case syscalls.KindNone:
		return 0
	default:
		if k >= syscalls.KindPath {
			return v // a pointer
		}
		return uint64(uint32(v))
	}
}

func (ev *Event) decodeSyscallExtras(b []byte, relative uint8) error {
	for {
		x, rest, ok, err := nextExtra(b)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		b = rest
		ev.syscallExtra(&x)
	}
	ev.Syscall.shareCwd(relative)
	return nil
}

// shareCwd gives AT_FDCWD arguments their directory, which the wire holds once.
func (s *Syscall) shareCwd(relative uint8) {
	if s.Cwd == nil {
		return
	}
	for i, a := range s.Spec().Args {
		if a.Kind == syscalls.KindDirFD && s.Args[i].Int() == atFDCWD && relative&(2<<i) != 0 {
			s.Args[i].Path = s.Cwd
			s.Args[i].Flags |= s.CwdFlag
		}
	}
}

func (ev *Event) syscallExtra(x *extra) {
	s := &ev.Syscall
	switch {
	case x.arg == partIdentity:
		ev.Identity.decode(x)
	case x.arg == partCwd:
		if x.kind == extraPath {
			s.Cwd, s.CwdFlag = ev.path(x.data, x.flags), x.flags
		}
	case x.arg == partResult:
		ev.argExtra(x, &s.Result, syscalls.KindFD, false)
	case int(x.arg) < s.NumArgs:
		a := &s.Spec().Args[x.arg]
		ev.argExtra(x, &s.Args[x.arg], a.Kind, a.Local)
	}
}

// argExtra puts one extra where its kind belongs.
func (ev *Event) argExtra(x *extra, a *Arg, k syscalls.Kind, local bool) {
	a.Flags |= x.flags
	switch x.kind {
	case extraBytes:
		if x.flags&ArgUnreadable == 0 {
			a.memory(k, x.data, local, ev.Syscall.ABI)
		}
	case extraAddress:
		a.Socket.sockaddr(x.data, local)
	case extraPath:
		a.Path = ev.path(x.data, x.flags)
	case extraFile:
		decodeFile(x.data, &a.File)
	case extraSocket:
		decodeSocket(x.data, &a.Socket)
	case extraUnixLocal:
		a.Socket.LocalPath = unixPath(x.data)
	case extraUnixPeer:
		a.Socket.PeerPath = unixPath(x.data)
	}
}

// memory takes over what was copied from the caller.
func (a *Arg) memory(k syscalls.Kind, b []byte, local bool, abi ABI) {
	switch k {
	case syscalls.KindPath, syscalls.KindText:
		a.Bytes = text(b)
	case syscalls.KindSockaddr, syscalls.KindSockaddrFrom:
		a.Socket.sockaddr(b, local)
	case syscalls.KindOpenHow, syscalls.KindRlimit, syscalls.KindRlimitOut, syscalls.KindCloneArgs:
		a.wide(b)
	case syscalls.KindRlimitLong:
		if abi == ABINative {
			a.wide(b)
		} else {
			a.narrow(b, 2)
		}
	case syscalls.KindFDPair:
		a.narrow(b, 2)
	case syscalls.KindRingParams:
		a.narrow(b, len(a.Words))
	default:
		a.Bytes = b
	}
}

// wide takes 64-bit words.
func (a *Arg) wide(b []byte) {
	for i := 0; i < len(a.Words) && 8*i+8 <= len(b); i++ {
		a.Words[i] = ne.Uint64(b[8*i:])
	}
}

// narrow takes n 32-bit words.
func (a *Arg) narrow(b []byte, n int) {
	for i := 0; i < min(n, len(a.Words)) && 4*i+4 <= len(b); i++ {
		a.Words[i] = uint64(ne.Uint32(b[4*i:]))
	}
}
