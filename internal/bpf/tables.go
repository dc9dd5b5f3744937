package bpf

import (
	"slices"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// Sizes of the tables in bpf/lib/calls.h.
const (
	callMax       = 1024
	rowMax        = 256
	rowSocketcall = 255
	socketcallMax = 32
)

// socketcallNumber is the 32-bit x86 call that stands for all network calls.
const socketcallNumber = 102

// tables is what the kernel side has to know about system calls: pure data,
// made from syscalls.Table. A row on the wire is the index in that table; in
// these tables it is one more, so that 0 means none.
type tables struct {
	specs      [rowMax]securitySyscallSpec
	rows       [callMax]uint8
	compat     [callMax]uint8
	socketcall [socketcallMax]uint8
}

// newTables makes the tables for the numbers of goarch.
func newTables(goarch string) *tables {
	t := &tables{}
	for i := range syscalls.Table {
		s := &syscalls.Table[i]
		row := uint8(i + 1)
		t.specs[row] = specOf(s)
		for _, n := range s.Numbers.Native(goarch) {
			t.rows[n] = row
		}
		for _, n := range s.Numbers.Compat(goarch) {
			t.compat[n] = row
		}
		if goarch == "amd64" && s.Numbers.SocketCall != 0 {
			t.socketcall[s.Numbers.SocketCall] = row
			t.compat[socketcallNumber] = rowSocketcall
		}
	}
	return t
}

// specOf is a row as the kernel side interprets it.
func specOf(s *syscalls.Spec) securitySyscallSpec {
	out := securitySyscallSpec{Result: uint8(s.Result)}
	for i, a := range s.Args {
		out.Kinds[i] = uint8(a.Kind)
		switch {
		case a.Kind.Reads():
			out.Flags |= uint8(securitySpecFlagSPEC_ENTER)
			out.Memory |= 1 << i
		case a.Kind == syscalls.KindFD:
			out.Fds |= 1 << i
		case a.Kind.Written():
			out.Written |= 1 << i
		}
	}
	if s.Timed {
		out.Flags |= uint8(securitySpecFlagSPEC_TIMED)
	}
	if s.Identity {
		out.Flags |= uint8(securitySpecFlagSPEC_IDENTITY)
	}
	if interest.HasSocket(s.Name) {
		out.Flags |= uint8(securitySpecFlagSPEC_SOCKET)
	}
	out.Access = accessArg(s)
	out.Text = textArg(s)
	if s.IsExec() {
		out.Flags |= uint8(securitySpecFlagSPEC_EXEC)
	}
	if isShort(&out) {
		out.Flags |= uint8(securitySpecFlagSPEC_SHORT)
	}
	return out
}

// isShort tells whether records of a call have nothing but its registers, one string
// at most and a file that it opened: bpf/lib/syscall_short.h puts those together.
func isShort(s *securitySyscallSpec) bool {
	const more = uint8(securitySpecFlagSPEC_EXEC | securitySpecFlagSPEC_IDENTITY | securitySpecFlagSPEC_SOCKET)
	if s.Flags&more != 0 || s.Fds != 0 || s.Written != 0 {
		return false
	}
	if s.Text == 0 && s.Flags&uint8(securitySpecFlagSPEC_ENTER|securitySpecFlagSPEC_TIMED) != 0 {
		return false
	}
	switch syscalls.Result(s.Result) {
	case syscalls.ResultSocket, syscalls.ResultDescriptor, syscalls.ResultCwd:
		return false
	default:
		return true
	}
}

// textArg is the argument that is a string, plus one, where the call has no
// other memory that is copied; else 0.
func textArg(s *syscalls.Spec) (text uint8) {
	for i, a := range s.Args {
		switch {
		case !a.Kind.Reads():
		case text == 0 && (a.Kind == syscalls.KindPath || a.Kind == syscalls.KindText):
			text = uint8(i + 1)
		default:
			return 0
		}
	}
	return text
}

// wants says which calls are wanted, by row and by number.
type wants struct {
	rows  [rowMax]uint8
	flags [callMax]uint8
}

// wantsOf marks the named calls, and the numbers io that the request capture
// takes, with their flags. Names that the table does not have come back.
func wantsOf(names []string, io map[uint16]uint8, goarch string) (w wants, unknown []string) {
	for _, name := range names {
		i, ok := syscalls.Index(name)
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		w.rows[i+1] = 1
		n := &syscalls.Table[i].Numbers
		for _, nr := range n.Native(goarch) {
			w.flags[nr] |= uint8(securityCallFlagCALL_WANTED)
		}
		for _, nr := range n.Compat(goarch) {
			w.flags[nr] |= uint8(securityCallFlagCALL_WANTED_COMPAT)
		}
		if goarch == "amd64" && n.SocketCall != 0 {
			w.flags[socketcallNumber] |= uint8(securityCallFlagCALL_WANTED_COMPAT)
		}
	}
	for nr, flags := range io {
		w.flags[nr] |= flags
	}
	slices.Sort(unknown)
	return w, unknown
}
