package spans

import (
	"encoding/binary"

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
	parent bool
}

// Name sets the span's name.
func (w *Writer) Name(s string) { w.span.SetName(valid(s)) }

// Kind sets the span's kind, where it is not that of the process' role.
func (w *Writer) Kind(k ptrace.SpanKind) { w.span.SetKind(k) }

// Text sets an attribute.
func (w *Writer) Text(key, value string) { w.known(key, valid(value)) }

// known sets an attribute to a text that is known to be valid.
func (w *Writer) known(key, value string) {
	w.t.written += uint64(len(value))
	if !w.t.pieces.text(w.list, key, value) {
		w.attrs.PutStr(key, value)
	}
}

// Bytes sets an attribute whose value is likely to be seen again; an empty
// value sets none.
func (w *Writer) Bytes(key string, value []byte) {
	if len(value) != 0 {
		w.known(key, w.t.texts.intern(value))
	}
}

// Unique sets an attribute whose value is not likely to be seen again; an
// empty value sets none.
func (w *Writer) Unique(key string, value []byte) {
	if len(value) != 0 {
		w.Text(key, string(value))
	}
}

// Int sets an attribute.
func (w *Writer) Int(key string, value int64) {
	if !w.t.pieces.integer(w.list, key, value) {
		w.attrs.PutInt(key, value)
	}
}

func (w *Writer) float(key string, value float64) {
	if !w.t.pieces.float(w.list, key, value) {
		w.attrs.PutDouble(key, value)
	}
}

// Bool sets an attribute.
func (w *Writer) Bool(key string, value bool) { w.attrs.PutBool(key, value) }

// List sets an attribute to a list of texts.
func (w *Writer) List(key string, values ...string) {
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
