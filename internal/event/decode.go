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
)

// HeaderSize is the number of bytes of the header on the wire.
const HeaderSize = 32

// DecodeHeader reads the header alone, for readers that only sort records.
func DecodeHeader(raw []byte, h *Header) error {
	if len(raw) < HeaderSize {
		return ErrShort
	}
	h.Type = Type(binary.NativeEndian.Uint16(raw))
	h.Flags = Flags(binary.NativeEndian.Uint16(raw[2:]))
	h.Len = binary.NativeEndian.Uint32(raw[4:])
	h.Time = binary.NativeEndian.Uint64(raw[8:])
	h.Key.Start = binary.NativeEndian.Uint64(raw[16:])
	h.Key.TGID = binary.NativeEndian.Uint32(raw[24:])
	h.TID = binary.NativeEndian.Uint32(raw[28:])
	if h.Len < HeaderSize || int(h.Len) > len(raw) {
		return ErrShort
	}
	return nil
}
