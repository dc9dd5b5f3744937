package securitypolicyprocessor

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// FuzzProcessor feeds records with random attributes of random types through
// the embedded policies. Whatever comes, nothing breaks, the input is left
// alone, and the counts add up.
func FuzzProcessor(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x02\x00\x10\x00/etc/shadow\x07\x01"))
	f.Add([]byte("\x00\x20\x30\x01\x40\x02\x50\x03\x60\x04\x70\x05\x80\x06"))
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252, 253, 254, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	p := embeddedProcessor(f)
	p.limiter = nil
	w := newWorker(p)
	f.Fuzz(func(t *testing.T, data []byte) {
		ld := randomLogs(&bits{data})
		before := plog.NewLogs()
		ld.CopyTo(before)
		out, some := w.run(p.armed.Load(), ld, time.Unix(0, 0))
		require.Equal(t, before, ld)

		var passed, matched int64
		for i := range w.counts.kept {
			passed += w.counts.kept[i]
		}
		for i := range w.hits {
			matched += w.hits[i].matched
		}
		if some {
			require.EqualValues(t, passed+w.counts.foreign+matched, out.LogRecordCount())
			requireValidDetections(t, out)
		} else {
			require.Zero(t, passed+w.counts.foreign+matched)
		}
	})
}

// requireValidDetections checks that the records that the processor makes hold
// nothing but UTF-8, whatever came in.
func requireValidDetections(t *testing.T, ld plog.Logs) {
	t.Helper()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				if rec.EventName() == schema.EventPolicyMatch {
					require.True(t, utf8.ValidString(rec.Body().Str()))
					require.True(t, utf8.ValidString(fmt.Sprint(rec.Attributes().AsRaw())), "%q", rec.Attributes().AsRaw())
				}
			}
		}
	}
}

// bits hands out data piece by piece, then zeros.
type bits struct{ data []byte }

func (b *bits) take(n int) []byte {
	n = min(n, len(b.data))
	out := b.data[:n]
	b.data = b.data[n:]
	return out
}

func (b *bits) number(below int) int {
	var two [2]byte
	copy(two[:], b.take(2))
	return int(binary.LittleEndian.Uint16(two[:])) % below
}

func (b *bits) text() string { return string(b.take(b.number(40))) }

func randomLogs(b *bits) plog.Logs {
	ld := plog.NewLogs()
	for len(b.data) > 0 {
		rl := ld.ResourceLogs().AppendEmpty()
		for range b.number(4) {
			putRandom(b, rl.Resource().Attributes())
		}
		rec := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		if n := b.number(len(activityEvents) + 1); n < len(activityEvents) {
			rec.SetEventName(activityEvents[n])
		}
		rec.SetTimestamp(pcommon.Timestamp(b.number(1 << 16)))
		rec.Attributes().PutStr(schema.SyscallName, syscalls.Table[b.number(len(syscalls.Table))].Name)
		for range b.number(30) {
			putRandom(b, rec.Attributes())
		}
	}
	return ld
}

// putRandom puts an attribute that policies know, of any type, also a wrong
// one.
func putRandom(b *bits, attrs pcommon.Map) {
	name := field.Attr(b.number(field.NumAttrs())).Name()
	switch b.number(7) {
	case 0:
		attrs.PutInt(name, int64(int16(b.number(1<<16))))
	case 1:
		attrs.PutBool(name, b.number(2) == 1)
	case 2:
		attrs.PutDouble(name, float64(b.number(100)))
	case 3:
		attrs.PutEmptyBytes(name).FromRaw([]byte(b.text()))
	case 4:
		s := attrs.PutEmptySlice(name)
		for range b.number(5) {
			s.AppendEmpty().SetStr(b.text())
		}
	case 5:
		attrs.PutEmptyMap(name)
	default:
		attrs.PutStr(name, b.text())
	}
}
