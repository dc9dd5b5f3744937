package translate

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// call is one system call on its way into a record.
type call struct {
	*event.Syscall
	spec *syscalls.Spec
}

// arg finds an argument by name; nil when the call has none.
func (c call) arg(name string) *event.Arg {
	if i := c.spec.ArgIndex(name); i >= 0 && i < c.NumArgs {
		return &c.Args[i]
	}
	return nil
}

// kind finds the first argument of a kind, and its position.
func (c call) kind(k syscalls.Kind) (*event.Arg, int) {
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		if c.spec.Args[i].Kind == k {
			return &c.Args[i], i
		}
	}
	return nil, -1
}

// syscall writes a call: its result, its arguments and what they stand for.
func (l *Logs) syscall(attrs pcommon.Map, a *Activity) {
	sc := &a.Event.Syscall
	if int(sc.Index) >= len(syscalls.Table) {
		return
	}
	c := call{Syscall: sc, spec: &syscalls.Table[sc.Index]}
	attrs.PutStr(schema.SyscallName, c.spec.Name)
	attrs.PutInt(schema.SyscallReturn, sc.Return)
	if sc.Return < 0 && sc.Return > -maxErrno {
		attrs.PutStr(schema.ErrorType, errorName(sc.Return))
	}
	switch sc.ABI {
	case event.ABI32:
		attrs.PutStr(schema.SyscallABI, "x86")
	case event.ABIX32:
		attrs.PutStr(schema.SyscallABI, "x32")
	case event.ABINative:
	}
	if c.spec.Timed && sc.Enter != 0 && a.Event.Time >= sc.Enter {
		attrs.PutInt(schema.SyscallDuration, int64(a.Event.Time-sc.Enter))
	}
	l.files(attrs, c, a.Arguments)
	l.sockets(attrs, c, a.Name)
	if a.Arguments {
		l.arguments(attrs, c)
	} else {
		l.markArguments(c)
	}
}

// maxErrno is the kernel's: greater negative results are no errors.
const maxErrno = 4095

func errorName(ret int64) string {
	if name := unix.ErrnoName(unix.Errno(-ret)); name != "" {
		return name
	}
	return strconv.FormatInt(-ret, 10)
}

// arguments writes each argument under its own name.
func (l *Logs) arguments(attrs pcommon.Map, c call) {
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		spec, arg := &c.spec.Args[i], &c.Args[i]
		name := argNames.of(c.Index, i)
		l.mark(arg.Flags, name)
		if arg.Flags&event.ArgUnreadable != 0 && arg.Number == 0 && spec.Kind.Reads() {
			continue // NULL
		}
		switch spec.Kind {
		case syscalls.KindNone, syscalls.KindSockaddr, syscalls.KindSockaddrOut: // told as network.*
		case syscalls.KindInt, syscalls.KindFD, syscalls.KindDirFD, syscalls.KindPID, syscalls.KindSignal, syscalls.KindEnum:
			attrs.PutInt(name, int64(arg.Int()))
		case syscalls.KindUint, syscalls.KindUID, syscalls.KindGID, syscalls.KindMode:
			attrs.PutInt(name, int64(uint32(arg.Number)))
		case syscalls.KindInt64, syscalls.KindUint64, syscalls.KindFlags:
			attrs.PutInt(name, int64(arg.Number))
		case syscalls.KindAddress:
			attrs.PutStr(name, "0x"+l.number(arg.Number, 16))
		case syscalls.KindPath, syscalls.KindText:
			attrs.PutStr(name, l.texts.text(arg.Bytes))
		case syscalls.KindOpenHow:
			attrs.PutInt(schema.SyscallArgPrefix+"flags", int64(arg.Words[howFlags]))
			attrs.PutInt(schema.SyscallArgPrefix+"mode", int64(arg.Words[howMode]))
			attrs.PutInt(schema.SyscallArgPrefix+"resolve", int64(arg.Words[howResolve]))
		case syscalls.KindFDPair:
			attrs.PutInt(name+"1", int64(int32(arg.Words[0])))
			attrs.PutInt(name+"2", int64(int32(arg.Words[1])))
		case syscalls.KindBytes:
			attrs.PutEmptyBytes(name).FromRaw(append([]byte(nil), arg.Bytes...))
		case syscalls.KindStrings:
			putStrings(attrs, name, arg.Bytes)
		}
	}
}

// Words of openat2's structure.
const (
	howFlags = iota
	howMode
	howResolve
)

// markArguments notes cut and late arguments that are told under other names.
func (l *Logs) markArguments(c call) {
	for i := range c.Args[:min(len(c.spec.Args), c.NumArgs)] {
		if c.Args[i].Flags&(event.ArgTruncated|event.ArgLate) != 0 {
			l.mark(c.Args[i].Flags, argNames.of(c.Index, i))
		}
	}
}

// putStrings writes NUL-terminated texts as a list.
func putStrings(attrs pcommon.Map, name string, raw []byte) {
	s := attrs.PutEmptySlice(name)
	start := 0
	for i, b := range raw {
		if b == 0 {
			s.AppendEmpty().SetStr(valid(string(raw[start:i])))
			start = i + 1
		}
	}
	if start < len(raw) {
		s.AppendEmpty().SetStr(valid(string(raw[start:])))
	}
}

// argumentNames are the attribute names of all arguments, made once.
type argumentNames [][]string

func (n argumentNames) of(row uint16, arg int) string { return n[row][arg] }

var argNames = func() argumentNames {
	n := make(argumentNames, len(syscalls.Table))
	for row := range syscalls.Table {
		for _, a := range syscalls.Table[row].Args {
			n[row] = append(n[row], schema.SyscallArgPrefix+a.Name)
		}
	}
	return n
}()
