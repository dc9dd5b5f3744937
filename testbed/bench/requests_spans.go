package main

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

// spanCounts counts the spans of one server, seen from either end. The back end
// is a server on this machine too, whose spans are of no interest.
type spanCounts struct {
	mu   sync.Mutex
	port int64
	ends [2]int // server, client
	all  int    // of whomever
	at   time.Time
	from time.Time // when the first span of the server's end begins
}

// count begins anew.
func (c *spanCounts) count(port int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.port, c.ends, c.all, c.from = int64(port), [2]int{}, 0, time.Time{}
}

func (c *spanCounts) take(data ptrace.Traces, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range data.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				c.all++
				c.one(span)
			}
		}
	}
	c.at = at
}

func (c *spanCounts) one(span ptrace.Span) {
	switch kind := span.Kind(); {
	case kind == ptrace.SpanKindServer && number(span.Attributes(), schema.NetworkLocalPort) == c.port:
		c.ends[0]++
		if begin := span.StartTimestamp().AsTime(); c.from.IsZero() || begin.Before(c.from) {
			c.from = begin
		}
	case kind == ptrace.SpanKindClient && number(span.Attributes(), schema.NetworkPeerPort) == c.port:
		c.ends[1]++
	}
}

func number(m pcommon.Map, key string) int64 {
	v, ok := m.Get(key)
	if !ok {
		return -1
	}
	return v.Int()
}

// quiet is how long nothing has to come for all to have come.
const quiet = 1500 * time.Millisecond

// settle waits for so many spans, and then for more than there should be.
func (c *spanCounts) settle(want int) int {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(serverPoll) {
		c.mu.Lock()
		n, last := c.ends[0]+c.ends[1], c.at
		c.mu.Unlock()
		if n >= want && time.Since(last) > settle || time.Since(last) > quiet {
			break
		}
	}
	s, cl := c.both()
	return s + cl
}

// total is the number of spans of whomever.
func (c *spanCounts) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// first is when the first request began, as the server's end tells; zero when none
// did.
func (c *spanCounts) first() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from
}

// both returns the spans seen from the server and from the client.
func (c *spanCounts) both() (servers, clients int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ends[0], c.ends[1]
}
