package spans

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Writer fills one span, with valid UTF-8 whatever it is given. It is handed to a Describer and must not be kept.
type Writer struct {
	probe  bool // the path is that of a health check
	t      *Translator
	span   ptrace.Span
	attrs  pcommon.Map
	list   *[]attribute // behind attrs; nil when pdata writes them
	keys   uint64       // of what attrs holds: a bit of each, by bitOf
	parent bool
}

// Name sets the span's name.
func (w *Writer) Name(s string) { w.span.SetName(valid(s)) }

// Kind sets the span's kind, where it is not that of the process' role.
func (w *Writer) Kind(k ptrace.SpanKind) { w.span.SetKind(k) }

// Text sets an attribute. Of a value that is likely to be seen again it should be
// the same string each time, not another one with the same bytes.
func (w *Writer) Text(key, value string) { w.text(key, w.t.shared.of(value)) }

// text sets an attribute to a text that is known to be valid, and never changes.
func (w *Writer) text(key string, box *string) {
	w.t.written += uint64(len(*box))
	if w.addable(key) {
		add(w.list, key, w.t.pieces.form.text, unsafe.Pointer(box))
	} else {
		w.attrs.PutStr(key, *box)
	}
}

// integer sets an attribute to a number that never changes.
func (w *Writer) integer(key string, box *int64) {
	if w.addable(key) {
		add(w.list, key, w.t.pieces.form.integer, unsafe.Pointer(box))
	} else {
		w.attrs.PutInt(key, *box)
	}
}

// addable tells whether an attribute may be added to the list as it is: there is
// room, and no other has its key.
func (w *Writer) addable(key string) bool {
	bit := bitOf(key)
	held := w.keys & bit
	w.keys |= bit
	if w.list == nil || len(*w.list) == cap(*w.list) {
		return false
	}
	return held == 0 || !slices.ContainsFunc(*w.list, func(a attribute) bool { return a.key == key })
}

// bitOf is one of 64 bits. Few of the keys that a span has share one.
func bitOf(key string) uint64 {
	n := uint(len(key))
	if n == 0 {
		return 1
	}
	return 1 << ((n*7 + uint(key[n-1])*5 + uint(key[n/2])) % 64)
}

// Bytes sets an attribute whose value is likely to be seen again; an empty
// value sets none.
func (w *Writer) Bytes(key string, value []byte) {
	if len(value) != 0 {
		w.text(key, w.t.shared.of(w.t.texts.intern(value)))
	}
}

// Unique sets an attribute whose value is not likely to be seen again; an
// empty value sets none.
func (w *Writer) Unique(key string, value []byte) {
	if len(value) != 0 {
		w.text(key, place(&w.t.pieces.texts, valid(string(value)), pieceTexts))
	}
}

// Int sets an attribute.
func (w *Writer) Int(key string, value int64) {
	w.integer(key, place(&w.t.pieces.integers, value, pieceNumbers))
}

func (w *Writer) float(key string, value float64) {
	if w.addable(key) {
		add(w.list, key, w.t.pieces.form.float, unsafe.Pointer(place(&w.t.pieces.floats, value, pieceNumbers)))
	} else {
		w.attrs.PutDouble(key, value)
	}
}

// Bool sets an attribute.
func (w *Writer) Bool(key string, value bool) {
	w.keys |= bitOf(key)
	w.attrs.PutBool(key, value)
}

// List sets an attribute to a list of texts.
func (w *Writer) List(key string, values ...string) {
	w.keys |= bitOf(key)
	list := w.attrs.PutEmptySlice(key)
	for _, v := range values {
		list.AppendEmpty().SetStr(valid(v))
	}
}

// Intern returns b as a string that shares memory with earlier equal ones.
func (w *Writer) Intern(b []byte) string { return w.t.texts.intern(b) }

// Address prints an IP address of a family.
func (w *Writer) Address(family uint16, a *[16]byte) string { return w.t.address(family, a) }

// Scratch returns an empty buffer. It is valid until Scratch is called again;
// give it back with Keep to spare the next caller the allocation.
func (w *Writer) Scratch() []byte { return w.t.scratch[:0] }

// Keep takes back a buffer that began as Scratch.
func (w *Writer) Keep(b []byte) { w.t.scratch = b }

// Failed sets the status to Error; the code or the error type says why.
func (w *Writer) Failed() { w.span.Status().SetCode(ptrace.StatusCodeError) }

// Parent makes the span a child of a span elsewhere.
func (w *Writer) Parent(trace [16]byte, span [8]byte, flags byte, state string) {
	w.span.SetTraceID(trace)
	w.span.SetParentSpanID(span)
	// Bits 8 and 9 of the flags: it is known that the parent is remote.
	w.span.SetFlags(uint32(flags) | 1<<8 | 1<<9)
	if state != "" {
		w.span.TraceState().FromRaw(valid(state))
	}
	w.parent = true
}

// localParent makes the span a child of another one of the same process.
func (w *Writer) localParent(c *exchange.Context) {
	w.span.SetTraceID(c.Trace)
	w.span.SetParentSpanID(c.Span)
	w.span.SetFlags(uint32(c.Flags) | 1<<8) // it is known that the parent is not remote
	if c.State != "" {
		w.span.TraceState().FromRaw(valid(c.State))
	}
	w.parent = true
}

// ids gives the span its id, unless its children know it already, and its
// trace's. The parent that a request names counts more than the one that was
// inferred: it is a span of the same service in between.
func (w *Writer) ids(ex *exchange.Exchange) {
	if w.span.SetSpanID(ex.Span); w.span.SpanID().IsEmpty() {
		w.span.SetSpanID(w.t.spanID())
	}
	if !w.parent && ex.Parent.Valid() {
		w.localParent(&ex.Parent)
	}
	if !w.parent && ex.Span != [8]byte{} {
		w.span.SetTraceID(ex.Trace)
		return
	}
	if !w.parent {
		var id [16]byte
		binary.LittleEndian.PutUint64(id[:], w.t.nonzero())
		binary.LittleEndian.PutUint64(id[8:], w.t.nonzero())
		w.span.SetTraceID(id)
	}
}

func (t *Translator) spanID() (id [8]byte) {
	binary.LittleEndian.PutUint64(id[:], t.nonzero())
	return id
}

// nonzero returns random bits that are not all zero, which would be an invalid
// id.
func (t *Translator) nonzero() uint64 {
	for {
		if v := t.random.Uint64(); v != 0 {
			return v
		}
	}
}
