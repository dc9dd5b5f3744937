package http1

import (
	"fmt"
	"strings"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// fakeSink collects what a parser finds.
type fakeSink struct {
	client  bool
	open    int
	refuse  bool
	done    []string
	counted map[exchange.Reason]int
	pool    *exchange.Pool
}

func newSink(client bool) *fakeSink {
	return &fakeSink{client: client, counted: map[exchange.Reason]int{}, pool: exchange.NewPool(New())}
}

func (f *fakeSink) New(s *exchange.Segment) *exchange.Exchange {
	if f.refuse {
		return nil
	}
	f.open++
	ex := f.pool.Get()
	ex.Start, ex.Role = s.Start, event.RoleServer
	if f.client {
		ex.Role = event.RoleClient
	}
	return ex
}

func (f *fakeSink) Done(ex *exchange.Exchange) {
	f.open--
	f.done = append(f.done, describe(ex))
	ex.Release()
}

func (f *fakeSink) Drop(ex *exchange.Exchange) { f.open--; ex.Release() }
func (f *fakeSink) Count(why exchange.Reason)  { f.counted[why]++ }
func (f *fakeSink) Opaque(exchange.Form)       {}
func (f *fakeSink) Client() bool               { return f.client }
func (f *fakeSink) text() string               { return strings.Join(f.done, "\n") }

// describe prints an exchange on one line: method, target, status, times as
// start+first byte+end, and what is special.
func describe(ex *exchange.Exchange) string {
	h := facts(ex)
	s := fmt.Sprintf("%s %s %d", h.Method, h.Target, h.Status)
	if len(h.API.Body) > 0 {
		s += fmt.Sprintf(" body=%s", h.API.Body)
	}
	s += fmt.Sprintf(" @%d+%d+%d", ex.Start, ex.FirstByte, ex.End)
	if ex.Class != exchange.Unary {
		s += fmt.Sprintf(" class=%d", ex.Class)
	}
	if ex.Incomplete != exchange.Complete {
		s += " " + ex.Incomplete.String()
	}
	for _, x := range []struct {
		set  bool
		name string
	}{
		{h.HeadCut, "headcut"}, {h.TargetCut, "targetcut"}, {h.CallerGone, "callergone"}, {h.Upgraded, "upgraded"},
	} {
		if x.set {
			s += " " + x.name
		}
	}
	return s
}

// script feeds a connection. Each call is one segment, one time unit later.
type script struct {
	sink *fakeSink
	p    exchange.Parser
	now  uint64
}

func newScript(client, midway bool) *script {
	sink := newSink(client)
	p := New().NewParser(sink)
	p.Reset(sink, midway)
	return &script{sink: sink, p: p}
}

func (s *script) seg(side exchange.Side, data string, copied int) *script {
	s.now++
	payload := []byte(data[:min(copied, len(data))])
	tail := []byte(data[max(0, len(data)-exchange.TailBytes):])
	s.p.Segment(&exchange.Segment{
		Side: side, Start: s.now, End: s.now, Len: uint64(len(data)), Payload: payload, Tail: tail,
	})
	return s
}

func (s *script) req(data string) *script  { return s.seg(exchange.Request, data, 512) }
func (s *script) resp(data string) *script { return s.seg(exchange.Response, data, 512) }

// moved is bytes that the kernel moved by itself.
func (s *script) moved(side exchange.Side, n uint64) *script {
	s.now++
	s.p.Segment(&exchange.Segment{Side: side, Start: s.now, End: s.now, Len: n})
	return s
}

func (s *script) pause(ns uint64) *script { s.now += ns; return s }

func (s *script) gap(side exchange.Side, n uint64) *script {
	s.p.Gap(side, n, s.now)
	return s
}

func (s *script) eof(side exchange.Side) *script {
	s.now++
	s.p.EOF(side, s.now)
	return s
}

func (s *script) close() *script {
	s.now++
	s.p.Close(s.now)
	return s
}
