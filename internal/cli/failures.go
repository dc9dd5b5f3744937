package cli

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failurePeriod is how often a failure is told while it lasts.
const failurePeriod = time.Minute

// unconnected is how gRPC tells, for each of its connections and at each attempt,
// that nobody answers at an address.
var unconnected = regexp.MustCompile(`grpc: addrConn\.createTransport failed to connect to \{Addr: "([^"]*)".*?\}\. Err: (.*)`)

// exportFailed begins what exporters tell of each batch: that it waits, or is dropped.
const exportFailed = "Exporting failed."

// Fields of what exporters log.
const (
	componentField = "otelcol.component.id"
	signalField    = "otelcol.signal"
	droppedField   = "dropped_items"
	rejectedField  = "rejected_items" // whoever sent them is told
	timesField     = "times"          // ours
)

// tellFailuresOnce has a back end that does not answer told at once, and then once in
// a period for each address, and for each exporter, signal and what became of the
// data, with how often it failed and how many items were dropped or rejected in all. Else gRPC
// tells each attempt of each connection, and exporters each batch. At level debug
// everything passes.
func tellFailuresOnce(period time.Duration) zap.Option {
	return zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return failureCore{Core: core, all: &failures{period: period, open: map[failureKey]*failure{}}}
	})
}

// failureKey is what is told as one.
type failureKey struct{ who, signal, what string }

// failure is what was not told yet.
type failure struct {
	times  int
	lost   string // the field that counts items, empty for none,
	items  int64  // and their sum
	core   zapcore.Core
	last   zapcore.Entry
	fields []zapcore.Field
}

// failures may be used from any goroutine. Those that did not come again for a period
// are forgotten.
type failures struct {
	period time.Duration
	mu     sync.Mutex
	open   map[failureKey]*failure
}

// failureCore is a core that gathers failures.
type failureCore struct {
	zapcore.Core
	who, signal string
	all         *failures
}

// With implements zapcore.Core.
func (c failureCore) With(fields []zapcore.Field) zapcore.Core {
	for i := range fields {
		switch fields[i].Key {
		case componentField:
			c.who = fields[i].String
		case signalField:
			c.signal = fields[i].String
		}
	}
	c.Core = c.Core.With(fields)
	return c
}

// Check implements zapcore.Core.
func (c failureCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == hasEnded {
		c.all.tellRest()
	}
	if c.Enabled(zapcore.DebugLevel) || !strings.HasPrefix(e.Message, exportFailed) && !unconnected.MatchString(e.Message) {
		return c.Core.Check(e, checked)
	}
	if !c.Enabled(e.Level) {
		return checked
	}
	return checked.AddCore(e, c)
}

// Write implements zapcore.Core: it gets failures only.
func (c failureCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	key := failureKey{c.who, c.signal, e.Message}
	if m := unconnected.FindStringSubmatch(e.Message); m != nil {
		e.Message = "No connection to " + m[1] + ", which is tried again: " + strings.TrimSpace(m[2])
		key = failureKey{who: m[1]}
	}
	if c.all.gather(key, c.Core, e, fields) {
		write(c.Core, e, fields)
	}
	return nil
}

// gather is true when the failure is new and to be told now.
func (a *failures) gather(key failureKey, core zapcore.Core, e zapcore.Entry, fields []zapcore.Field) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.open[key]
	if f == nil {
		a.open[key] = &failure{}
		time.AfterFunc(a.period, func() { a.tell(key) })
		return true
	}
	f.times++
	f.core, f.last, f.fields = core, e, slices.Clone(fields)
	if i := slices.IndexFunc(fields, countsItems); i >= 0 {
		f.lost = fields[i].Key
		f.items += fields[i].Integer
	}
	return false
}

// tell tells what came of a failure in a period, and forgets it when nothing came.
func (a *failures) tell(key failureKey) {
	a.mu.Lock()
	f := a.open[key]
	switch {
	case f == nil:
	case f.times == 0:
		delete(a.open, key)
		f = nil
	default:
		a.open[key] = &failure{}
		time.AfterFunc(a.period, func() { a.tell(key) })
	}
	a.mu.Unlock()
	f.tell()
}

// tellRest tells what the end of the program would hide.
func (a *failures) tellRest() {
	a.mu.Lock()
	rest := slices.Collect(maps.Values(a.open))
	clear(a.open)
	a.mu.Unlock()
	for _, f := range rest {
		f.tell()
	}
}

// tell writes a failure that is no longer shared.
func (f *failure) tell() {
	if f == nil || f.times == 0 {
		return
	}
	fields := slices.DeleteFunc(f.fields, countsItems)
	if f.items > 0 {
		fields = append(fields, zap.Int64(f.lost, f.items))
	}
	write(f.core, f.last, append(fields, zap.Int(timesField, f.times)))
}

func countsItems(f zapcore.Field) bool { return f.Key == droppedField || f.Key == rejectedField }

// write has core decide on an entry, and writes it.
func write(core zapcore.Core, e zapcore.Entry, fields []zapcore.Field) {
	if checked := core.Check(e, nil); checked != nil {
		checked.Write(fields...)
	}
}
