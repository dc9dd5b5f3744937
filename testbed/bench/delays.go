package main

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// delay is how late the records of one kind were at two points of their way.
type delay struct {
	read    []time.Duration // kernel timestamp to the receiver's reading
	arrival []time.Duration // kernel timestamp to the back end
}

// delays notes when records arrive at the back end.
type delays struct {
	mu   sync.Mutex
	seen map[string]*delay // by event name; spans are "span"
}

func (d *delays) logs(ld plog.Logs, now time.Time) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				d.note(rec.EventName(), rec.Timestamp(), rec.ObservedTimestamp(), now)
			}
		}
	}
}

func (d *delays) traces(td ptrace.Traces, now time.Time) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				d.note("span", span.EndTimestamp(), 0, now)
			}
		}
	}
}

// note adds one record; a record without a time of its own is not counted.
func (d *delays) note(name string, at, observed pcommon.Timestamp, now time.Time) {
	if at == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.seen[name]
	if k == nil {
		k = &delay{}
		if d.seen == nil {
			d.seen = map[string]*delay{}
		}
		d.seen[name] = k
	}
	k.arrival = append(k.arrival, now.Sub(at.AsTime()))
	if observed != 0 {
		k.read = append(k.read, observed.AsTime().Sub(at.AsTime()))
	}
}

// take returns what has arrived since the last call.
func (d *delays) take() map[string]*delay {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.seen
	d.seen = nil
	return out
}
