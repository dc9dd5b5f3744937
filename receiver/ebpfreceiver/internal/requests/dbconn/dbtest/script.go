// Package dbtest plays conversations to the parsers of databases. It is used by
// tests only.
package dbtest

import (
	"fmt"
	"strings"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Sink collects what a parser finds.
type Sink struct {
	Found   []string // exchanges, described by Describe
	Counted map[exchange.Reason]int
	Opaqued []exchange.Form
	Opened  int // not given back
	Refuse  bool

	client bool
	pool   *exchange.Pool
}

// New implements exchange.Sink.
func (f *Sink) New(s *exchange.Segment) *exchange.Exchange {
	if f.Refuse {
		return nil
	}
	f.Opened++
	ex := f.pool.Get()
	ex.Start, ex.Role = s.Start, event.RoleServer
	if f.client {
		ex.Role = event.RoleClient
	}
	return ex
}

// Done implements exchange.Sink.
func (f *Sink) Done(ex *exchange.Exchange) {
	f.Opened--
	f.Found = append(f.Found, Describe(ex))
	ex.Release()
}

// Drop implements exchange.Sink.
func (f *Sink) Drop(ex *exchange.Exchange) { f.Opened--; ex.Release() }

// Count implements exchange.Sink.
func (f *Sink) Count(why exchange.Reason) { f.Counted[why]++ }

// Opaque implements exchange.Sink.
func (f *Sink) Opaque(form exchange.Form) { f.Opaqued = append(f.Opaqued, form) }

// Client implements exchange.Sink.
func (f *Sink) Client() bool { return f.client }

// What describes what does not depend on how the bytes came: the operation, its
// outcome, and what is special.
func What(f *dbfacts.Facts) string {
	var words []string
	add := func(set bool, word string) {
		if set {
			words = append(words, word)
		}
	}
	add(f.Prepares, "PREPARE")
	add(f.BatchHidden, "BATCH(?)")
	add(f.Batch > 1 && !f.BatchHidden, fmt.Sprintf("BATCH(%d)", f.Batch))
	add(f.Unseen, "UNSEEN")
	switch {
	case f.Mixed:
		words = append(words, "MIXED")
	case f.Statement != nil:
		words = append(words, "{"+f.Statement.Text+"}")
		add(f.Statement.Truncated, "textcut")
	}
	add(len(f.Operation) > 0, string(f.Operation))
	add(len(f.Collection) > 0, "on "+string(f.Collection))
	add(len(f.Text) > 0, "{"+string(f.Text)+"}")
	add(len(f.Procedure) > 0, "procedure="+string(f.Procedure))
	add(len(f.Namespace) > 0, "in "+string(f.Namespace))
	add(f.HasRows, fmt.Sprintf("rows=%d", f.Rows))
	add(len(f.Status) > 0, "error="+string(f.Status))
	add(len(f.SQLState) > 0, "sqlstate="+string(f.SQLState))
	add(len(f.TraceParent) > 0, "parent="+string(f.TraceParent))
	add(f.Class != exchange.Unary, fmt.Sprintf("class=%d", f.Class))
	return strings.Join(words, " ")
}

// Tell describes facts of another kind than databases': as What does, and what
// is not whole. Tests of such protocols set it.
var Tell func(exchange.Facts) (what, flaws string)

// Describe prints an exchange on one line: What, the times as start+first
// byte+end, and what is not whole.
func Describe(ex *exchange.Exchange) string {
	f, ok := ex.Facts.(*dbfacts.Facts)
	if !ok {
		what, flaws := Tell(ex.Facts)
		if ex.Class != exchange.Unary {
			what += fmt.Sprintf(" class=%d", ex.Class)
		}
		s := fmt.Sprintf("%s @%d+%d+%d", what, ex.Start, ex.FirstByte, ex.End)
		if ex.Incomplete != exchange.Complete {
			s += " " + ex.Incomplete.String()
		}
		return s + flaws
	}
	s := fmt.Sprintf("%s @%d+%d+%d", What(f), ex.Start, ex.FirstByte, ex.End)
	if ex.Incomplete != exchange.Complete {
		s += " " + ex.Incomplete.String()
	}
	if f.Hidden {
		s += " hidden"
	}
	if f.NamespaceHidden {
		s += " namespacehidden"
	}
	if f.RowsHidden {
		s += " rowshidden"
	}
	if f.TextCut {
		s += " textcut"
	}
	if f.CallerGone {
		s += " callergone"
	}
	return s
}

// Script feeds a connection. Each call is one segment, one time unit later.
type Script struct {
	*Sink
	P     exchange.Parser
	Now   uint64
	Bound int // of what is copied of a segment; 0: all
}

// NewScript returns a connection of a protocol.
func NewScript(p exchange.Protocol, client, midway bool) *Script {
	s := &Script{Sink: &Sink{Counted: map[exchange.Reason]int{}, client: client, pool: exchange.NewPool(p)}}
	s.P = p.NewParser(s.Sink)
	s.Reset(midway)
	return s
}

// Reset begins a new connection.
func (s *Script) Reset(midway bool) { s.P.Reset(s.Sink, midway) }

// Text is what was found, a line for each exchange.
func (s *Script) Text() string { return strings.Join(s.Found, "\n") }

// Seg is a segment of which copied bytes are at hand.
func (s *Script) Seg(side exchange.Side, data string, copied int) *Script {
	s.Now++
	tail := exchange.TailBytes
	if copied == event.MaxPayload && len(data) > copied { // as the kernel does where every segment counts
		tail, copied = Rear, copied-Rear
	}
	s.P.Segment(&exchange.Segment{
		Side: side, Start: s.Now, End: s.Now, Len: uint64(len(data)),
		Payload: []byte(data[:min(copied, len(data))]), Tail: []byte(data[max(0, len(data)-tail):]),
	})
	return s
}

// Rear is how many of the last bytes of a segment are copied that is longer than
// event.MaxPayload, in place of as many of the first ones.
const Rear = 128

func (s *Script) bounded(side exchange.Side, data string) *Script {
	if s.Bound > 0 {
		return s.Seg(side, data, s.Bound)
	}
	return s.Seg(side, data, len(data))
}

// Req is a segment of the client.
func (s *Script) Req(data string) *Script { return s.bounded(exchange.Request, data) }

// Resp is a segment of the server.
func (s *Script) Resp(data string) *Script { return s.bounded(exchange.Response, data) }

// Moved is bytes of which nothing but the number is known.
func (s *Script) Moved(side exchange.Side, n uint64) *Script {
	s.Now++
	s.P.Segment(&exchange.Segment{Side: side, Start: s.Now, End: s.Now, Len: n})
	return s
}

// Gap is bytes that were not seen.
func (s *Script) Gap(side exchange.Side, n uint64) *Script {
	s.P.Gap(side, n, s.Now)
	return s
}

// Pause lets time pass.
func (s *Script) Pause(ns uint64) *Script { s.Now += ns; return s }

// EOF ends a side.
func (s *Script) EOF(side exchange.Side) *Script {
	s.Now++
	s.P.EOF(side, s.Now)
	return s
}

// Close ends the connection.
func (s *Script) Close() *Script {
	s.Now++
	s.P.Close(s.Now)
	return s
}

// Refused tells whether the parser finds that the connection is not of its
// protocol.
func (s *Script) Refused() bool { return s.P.(exchange.Refuser).Refused() }
