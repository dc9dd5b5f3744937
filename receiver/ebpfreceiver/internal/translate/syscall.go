package translate

import (
	"strconv"
	"strings"

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

// kind finds the first argument of a kind; nil when the call has none.
func (c call) kind(k syscalls.Kind) *event.Arg {
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		if c.spec.Args[i].Kind == k {
			return &c.Args[i]
		}
	}
	return nil
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
	l.resolved(attrs, c, a.Resolved)
	l.sockets(attrs, c, a.Name)
	if a.Arguments {
		l.arguments(attrs, c, a)
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
func (l *Logs) arguments(attrs pcommon.Map, c call, a *Activity) {
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		spec, arg := &c.spec.Args[i], &c.Args[i]
		name := argNames.of(c.Index, i)
		l.mark(arg.Flags, name)
		if arg.Flags&event.ArgUnreadable != 0 && arg.Number == 0 && spec.Kind.Reads() {
			continue // NULL
		}
		switch spec.Kind {
		case syscalls.KindNone, syscalls.KindSockaddr, syscalls.KindSockaddrOut, syscalls.KindSockaddrFrom: // told as network.*
		case syscalls.KindInt, syscalls.KindFD, syscalls.KindDirFD, syscalls.KindPID, syscalls.KindSignal, syscalls.KindEnum,
			syscalls.KindDescriptor, syscalls.KindClosing:
			attrs.PutInt(name, int64(arg.Int()))
		case syscalls.KindUint, syscalls.KindUID, syscalls.KindGID, syscalls.KindMode:
			attrs.PutInt(name, int64(uint32(arg.Number)))
		case syscalls.KindInt64, syscalls.KindUint64, syscalls.KindFlags:
			attrs.PutInt(name, int64(arg.Number))
		case syscalls.KindAddress:
			attrs.PutStr(name, "0x"+l.number(arg.Number, 16))
		case syscalls.KindPath:
			attrs.PutStr(name, l.texts.text(arg.Bytes))
		case syscalls.KindText:
			attrs.PutStr(name, l.maskText(a, name, l.texts.text(arg.Bytes)))
		case syscalls.KindOpenHow, syscalls.KindCloneArgs, syscalls.KindRlimit, syscalls.KindRlimitLong,
			syscalls.KindRlimitOut, syscalls.KindRingParams, syscalls.KindFDPair:
			putWords(attrs, c, i)
		case syscalls.KindBytes, syscalls.KindBytesOut, syscalls.KindMessage, syscalls.KindMessageOut, syscalls.KindMessagesOut:
			attrs.PutEmptyBytes(name).FromRaw(l.maskBytes(a, name, arg.Bytes))
		case syscalls.KindStrings:
			putTexts(attrs, name, l.maskArgs(a, name, stringsOf(arg.Bytes)))
		}
	}
	l.renamed(attrs, c, &a.Event.Task)
}

// wordNames are the names of what is in a struct or an array, in its order; a
// leading dash stands for the argument's own name.
var wordNames = map[syscalls.Kind][]string{
	syscalls.KindOpenHow:    {"flags", "mode", "resolve"},
	syscalls.KindCloneArgs:  {"flags"},
	syscalls.KindRlimit:     {"-cur", "-max"},
	syscalls.KindRlimitOut:  {"-cur", "-max"},
	syscalls.KindRlimitLong: {"cur", "max"},
	syscalls.KindRingParams: {"sq_entries", "cq_entries", "flags", "sq_thread_cpu", "sq_thread_idle", "features"},
	syscalls.KindFDPair:     {"-1", "-2"},
}

// putWords writes what a struct holds, unless the call failed before the kernel
// wrote it.
func putWords(attrs pcommon.Map, c call, i int) {
	spec, arg := &c.spec.Args[i], &c.Args[i]
	if arg.Flags&event.ArgUnreadable != 0 || spec.Kind.Written() && c.Return < 0 {
		return
	}
	for n, name := range wordNames[spec.Kind] {
		if rest, own := strings.CutPrefix(name, "-"); own {
			name = spec.Name + rest
		}
		attrs.PutInt(schema.SyscallArgPrefix+name, int64(arg.Words[n]))
	}
}

// renamed tells the name that a thread has given itself.
func (l *Logs) renamed(attrs pcommon.Map, c call, task *event.Task) {
	if c.spec.Name != "prctl" || c.Return != 0 || c.Args[0].Int() != unix.PR_SET_NAME {
		return
	}
	attrs.PutStr(schema.SyscallArgPrefix+"arg2_str", l.texts.text(task.Comm))
}

// markArguments notes cut and late arguments that are told under other names.
func (l *Logs) markArguments(c call) {
	for i := range c.Args[:min(len(c.spec.Args), c.NumArgs)] {
		if c.Args[i].Flags&(event.ArgTruncated|event.ArgLate) != 0 {
			l.mark(c.Args[i].Flags, argNames.of(c.Index, i))
		}
	}
}

// stringsOf splits NUL-terminated texts; the last may have been cut before its
// NUL.
func stringsOf(raw []byte) []string {
	if len(raw) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\x00"), "\x00")
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
