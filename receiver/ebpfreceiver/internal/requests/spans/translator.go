// Package spans turns exchanges into spans after the semantic conventions
// 1.44. What every exchange has is written here, what only its protocol knows
// by the protocol's facts (Describer).
package spans

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Describer is what the facts of a protocol do to become part of a span.
type Describer interface {
	// Describe names the span and sets the attributes, the parent and the
	// status that the protocol knows of. It returns false when too little is
	// known of the request for a span.
	Describe(ex *exchange.Exchange, w *Writer) bool
}

// Translator makes spans. It is used by one goroutine; the zero value is not
// usable.
type Translator struct {
	random      *rand.ChaCha8
	texts       texts
	shared      shared
	addrs       addrs
	connections connections
	scratch     []byte
	pieces      pieces
	routes      routes
	written     uint64 // bytes of texts, in all spans so far
	writer      Writer // of the span that is being made
	// patterns come before routes that are inferred.
	patterns Patterns
	probes   Patterns
}

// UseRoutes sets the configured routes of HTTP.
func (t *Translator) UseRoutes(p Patterns) { t.patterns = p }

// UseProbes sets the paths of HTTP whose requests are health checks.
func (t *Translator) UseProbes(p Patterns) { t.probes = p }

// NewTranslator returns a translator whose ids come from seed.
func NewTranslator(seed [32]byte) *Translator {
	return &Translator{
		random: rand.NewChaCha8(seed),
		texts:  texts{seed: maphash.MakeSeed()},
		pieces: pieces{form: formOf()},
		routes: newRoutes(),
	}
}

// Append adds the span of ex to dst. wallOffset is what has to be added to a
// time since boot to get a wall clock time, both in ns. It returns false, and
// adds nothing, when too little is known of the request.
func (t *Translator) Append(dst ptrace.SpanSlice, ex *exchange.Exchange, wallOffset int64) bool {
	facts, ok := ex.Facts.(Describer)
	if !ok || ex.Incomplete == exchange.RequestLost {
		return false
	}
	span := dst.AppendEmpty()
	w := &t.writer
	*w = Writer{t: t, span: span, attrs: span.Attributes()}
	w.list = t.pieces.begin(w.attrs)
	if !facts.Describe(ex, w) {
		last := dst.Len() - 1
		n := 0
		dst.RemoveIf(func(ptrace.Span) bool { n++; return n > last })
		return false
	}
	span.SetStartTimestamp(wall(ex.Start, wallOffset))
	span.SetEndTimestamp(wall(max(ex.End, ex.Start), wallOffset))
	w.ids(ex)
	w.network(ex)
	w.request(ex)
	t.pieces.end(w.list)
	return true
}

// Written is how many bytes the texts of all spans have that were made so far.
func (t *Translator) Written() uint64 { return t.written }

func wall(ns uint64, offset int64) pcommon.Timestamp {
	return pcommon.Timestamp(int64(ns) + offset)
}

// valid is s with what is not UTF-8 replaced: one such byte of a request would
// make a back end refuse the whole batch. It costs no allocation when there is
// nothing to replace.
func valid(s string) string {
	if utf8.ValidString(s) { // looks at eight bytes at a time
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

var classNames = [...]string{
	exchange.Unary:  schema.ClassUnary,
	exchange.Stream: schema.ClassStream,
	exchange.Wait:   schema.ClassWait,
	exchange.Probe:  schema.ClassProbe,
	exchange.OneWay: schema.ClassOneWay,
}

// request writes what every protocol has.
func (w *Writer) request(ex *exchange.Exchange) {
	switch {
	case w.span.Kind() != ptrace.SpanKindUnspecified:
	case ex.Role == event.RoleClient:
		w.span.SetKind(ptrace.SpanKindClient)
	default:
		w.span.SetKind(ptrace.SpanKindServer)
	}
	w.peer(ex)
	class := ex.Class
	if class == exchange.Unary && w.probe {
		class = exchange.Probe
	}
	w.Text(schema.RequestClass, classNames[class])
	if ex.FirstByte >= ex.Start && ex.FirstByte != 0 {
		w.float(schema.RequestTimeToFirstByte, float64(ex.FirstByte-ex.Start)/1e9)
	}
	if ex.Incomplete != exchange.Complete {
		w.Text(schema.RequestIncomplete, ex.Incomplete.String())
	}
	if ex.RoleGuessed {
		w.Text(schema.RequestRole, "guessed")
	}
}
