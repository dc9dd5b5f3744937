package dns

import (
	"net/netip"
	"time"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Facts of one lookup. The slices are its own.
type Facts struct {
	Question   []byte // name that was asked for, in lower case, without the final dot
	Type       uint16
	RCode      uint8
	Answered   bool
	Datagram   bool     // UDP
	AnswersCut bool     // there are more answers, or they were not copied
	Answers    []Answer // addresses and names, in the order of the response
	names      []byte   // of Answers

	id        uint16
	abandoned bool // the client asks again over TCP, whether or not this is answered
}

// Answer is an address or, if that is the zero value, a name.
type Answer struct {
	Addr       netip.Addr
	TTL        uint32 // s
	begin, end int    // of the name in Facts.names
}

var (
	_ exchange.Facts  = (*Facts)(nil)
	_ spans.Describer = (*Facts)(nil)
)

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	*f = Facts{Question: f.Question[:0], Answers: f.Answers[:0], names: f.names[:0]}
}

// Name is the name of an answer, empty for an address.
func (f *Facts) Name(a *Answer) []byte { return f.names[a.begin:a.end] }

// Teach tells a table which addresses the process that asked was given.
func (f *Facts) Teach(t *names.Table, ex *exchange.Exchange) {
	if ex.Role != event.RoleClient || f.RCode != 0 || !f.Answered {
		return
	}
	for i := range f.Answers {
		if a := &f.Answers[i]; a.Addr.IsValid() {
			t.Add(names.Asker{Process: ex.Owner, NetNS: ex.NetNS}, a.Addr, f.Question, time.Duration(a.TTL)*time.Second, ex.End)
		}
	}
}

// errTimeout is the error type of a lookup that was not answered.
const errTimeout = "timeout"

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if len(f.Question) == 0 && f.Type == 0 {
		return false
	}
	client := ex.Role == event.RoleClient
	kind := typeName(f.Type)
	w.Name("DNS " + kind)
	question := f.Question
	if len(question) == 0 {
		question = []byte(".")
	}
	w.Bytes(schema.DNSQuestionName, question)
	w.Text(schema.DNSQuestionType, kind)
	f.answers(w)
	w.Text(schema.NetworkProtocolName, "dns")
	w.Text(schema.NetworkTransport, map[bool]string{true: "udp", false: "tcp"}[f.Datagram])
	if client {
		w.Text(schema.ServerAddress, w.Address(ex.Family, &ex.PeerAddr))
		w.Int(schema.ServerPort, int64(ex.PeerPort))
	} else {
		w.Text(schema.ClientAddress, w.Address(ex.Family, &ex.PeerAddr))
	}
	f.outcome(client, w)
	return true
}

func (f *Facts) answers(w *spans.Writer) {
	if len(f.Answers) == 0 {
		return
	}
	var list [maxAnswers]string
	for i := range f.Answers {
		a := &f.Answers[i]
		if !a.Addr.IsValid() {
			list[i] = w.Intern(f.Name(a))
			continue
		}
		addr := a.Addr.As16()
		list[i] = w.Address(familyInet6, &addr)
	}
	w.List(schema.DNSAnswers, list[:len(f.Answers)]...)
	if f.AnswersCut {
		w.List(schema.Truncated, schema.DNSAnswers)
	}
}

// familyInet6 is AF_INET6.
const familyInet6 = 10

// rcodeServFail is the code for what is the server's fault.
const rcodeServFail = 2

// outcome writes how it ended. That a name does not exist is an answer as good
// as any on the side of the server.
func (f *Facts) outcome(client bool, w *spans.Writer) {
	switch {
	case !f.Answered && client:
		w.Text(schema.ErrorType, errTimeout)
		w.Failed()
	case f.RCode != 0:
		w.Text(schema.ErrorType, rcodeNames[f.RCode&0xf])
		if client || f.RCode == rcodeServFail {
			w.Failed()
		}
	}
}
