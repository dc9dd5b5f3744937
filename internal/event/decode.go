package event

import (
	"encoding/binary"
	"errors"
)

// Errors of Decode.
var (
	// ErrUnknownType means that a newer kernel side wrote the record; it can
	// be skipped.
	ErrUnknownType = errors.New("event: unknown record type")
	// ErrShort means that the record ends before what its header promises.
	ErrShort = errors.New("event: record too short")
	// ErrUnknownCall means that the record's row is not in this build's table.
	ErrUnknownCall = errors.New("event: unknown system call")
)

// HeaderSize is the number of bytes of the header on the wire.
const HeaderSize = 32

// Sizes of the wire's structs (bpf/event.h).
const (
	taskSize    = 96
	syscallSize = 72
	execSize    = 72
	fileSize    = 24
	socketSize  = 48
	forkSize    = 16
	exitSize    = 8
	cgroupSize  = 16
	extraSize   = 8

	identitySize = 40
)

// ne is the byte order of the wire.
var ne = binary.NativeEndian

// DecodeHeader reads the header alone, for readers that only sort records.
func DecodeHeader(raw []byte, h *Header) error {
	if len(raw) < HeaderSize {
		return ErrShort
	}
	h.Type = Type(ne.Uint16(raw))
	h.Flags = Flags(ne.Uint16(raw[2:]))
	h.Len = ne.Uint32(raw[4:])
	h.Time = ne.Uint64(raw[8:])
	h.Key.Start = ne.Uint64(raw[16:])
	h.Key.TGID = ne.Uint32(raw[24:])
	h.TID = ne.Uint32(raw[28:])
	if h.Len < HeaderSize || int(h.Len) > len(raw) {
		return ErrShort
	}
	return nil
}

// Decode fills ev from one record of either ring. It allocates nothing once ev
// has seen a record with paths as long. Errors are ErrUnknownType,
// ErrUnknownCall and ErrShort; ev is then undefined.
func Decode(raw []byte, ev *Event) error {
	if err := DecodeHeader(raw, &ev.Header); err != nil {
		return err
	}
	body := raw[HeaderSize:ev.Len:ev.Len]
	ev.paths = ev.paths[:0]
	switch ev.Type {
	case TypeSyscall, TypeExec, TypeProcess, TypeFork, TypeExit:
		if len(body) < taskSize {
			return ErrShort
		}
		decodeTask(body[:taskSize], &ev.Task)
		ev.Identity = Identity{}
		return ev.decodeActivity(body[taskSize:])
	case TypeCgroupMkdir, TypeCgroupRmdir:
		return ev.decodeCgroup(body)
	case TypeData, TypeSocketClose:
		err := decodeRequest(body, &ev.Request)
		if ev.Type == TypeSocketClose {
			ev.Request.decodeSocketClose()
		}
		return err
	default:
		return ErrUnknownType
	}
}

// decodeActivity decodes what follows the task.
func (ev *Event) decodeActivity(body []byte) error {
	switch ev.Type {
	case TypeSyscall:
		return ev.decodeSyscall(body)
	case TypeFork:
		return ev.decodeFork(body)
	case TypeExit:
		return ev.decodeExit(body)
	default:
		return ev.decodeExec(body)
	}
}

func decodeTask(b []byte, t *Task) {
	_ = b[taskSize-1]
	t.Parent.Start = ne.Uint64(b)
	t.CgroupID = ne.Uint64(b[8:])
	t.Parent.TGID = ne.Uint32(b[16:])
	t.UID = ne.Uint32(b[20:])
	t.GID = ne.Uint32(b[24:])
	t.EUID = ne.Uint32(b[28:])
	t.EGID = ne.Uint32(b[32:])
	t.LoginUID = ne.Uint32(b[36:])
	t.Session = ne.Uint32(b[40:])
	t.TTY = ne.Uint32(b[44:])
	t.VPID = ne.Uint32(b[48:])
	t.VTID = ne.Uint32(b[52:])
	t.CgroupHierarchy = ne.Uint32(b[56:])
	t.MountNS = ne.Uint32(b[60:])
	t.PIDNS = ne.Uint32(b[64:])
	t.NetNS = ne.Uint32(b[68:])
	t.Kthread = ne.Uint32(b[72:])&1 != 0
	t.PGID = ne.Uint32(b[76:])
	t.Comm = text(b[80:96])
}

// text is b up to its first NUL.
func text(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}
