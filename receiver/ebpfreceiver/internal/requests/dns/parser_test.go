package dns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// fakeSink collects what a parser finds.
type fakeSink struct {
	client    bool
	localPort uint16
	open      int
	refuse    bool
	done      []string
	counted   map[exchange.Reason]int
	pool      *exchange.Pool
}

func newSink(client bool) *fakeSink {
	return &fakeSink{client: client, localPort: 40000, counted: map[exchange.Reason]int{}, pool: exchange.NewPool(New())}
}

func (f *fakeSink) New(s *exchange.Segment) *exchange.Exchange {
	if f.refuse {
		return nil
	}
	f.open++
	ex := f.pool.Get()
	ex.Start, ex.Role, ex.LocalPort, ex.PeerPort = s.Start, event.RoleServer, f.localPort, 53
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

// describe prints an exchange on one line.
func describe(ex *exchange.Exchange) string {
	f := facts(ex)
	s := fmt.Sprintf("%s %s @%d+%d+%d", typeName(f.Type), f.Question, ex.Start, ex.FirstByte, ex.End)
	if f.Answered {
		s += " " + rcodeNames[f.RCode]
	}
	for i := range f.Answers {
		if a := &f.Answers[i]; a.Addr.IsValid() {
			s += fmt.Sprintf(" %v/%d", a.Addr, a.TTL)
		} else {
			s += " " + string(f.Name(a))
		}
	}
	if f.AnswersCut {
		s += " cut"
	}
	if ex.Incomplete != exchange.Complete {
		s += " " + ex.Incomplete.String()
	}
	return s
}

func question(name string, qtype dnsmessage.Type) dnsmessage.Question {
	return dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: qtype, Class: dnsmessage.ClassINET}
}

// query makes a query for addresses.
func query(id uint16, name string) []byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{question(name, dnsmessage.TypeA)},
	}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// answer makes a response with an alias and so many addresses.
func answer(id uint16, name string, addrs int) []byte {
	q := question(name, dnsmessage.TypeA)
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, Response: true, RecursionDesired: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	alias := dnsmessage.MustNewName("alias." + name)
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}
	if addrs > 0 {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.CNAMEResource{CNAME: alias}})
	}
	head.Name = alias
	for i := range addrs {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: head, Body: &dnsmessage.AResource{A: [4]byte{10, 0, byte(i >> 8), byte(i)}},
		})
	}
	if addrs == 0 {
		m.RCode = dnsmessage.RCodeNameError
	}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// script feeds a parser. Each call is one segment, one time unit later.
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

func (s *script) seg(side exchange.Side, datagram bool, data []byte, copied int) *script {
	s.now++
	s.p.Segment(&exchange.Segment{
		Side: side, Start: s.now, End: s.now, Len: uint64(len(data)), Payload: data[:min(copied, len(data))], Datagram: datagram,
	})
	return s
}

func (s *script) ask(b []byte) *script    { return s.seg(exchange.Request, true, b, len(b)) }
func (s *script) answer(b []byte) *script { return s.seg(exchange.Response, true, b, len(b)) }

// framed is a message as it is sent over TCP.
func framed(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }

func TestDatagrams(t *testing.T) {
	tests := []struct {
		name string
		play func(*script)
		want []string
	}{
		{"one lookup", func(s *script) { s.ask(query(1, "A.Example.")).answer(answer(1, "A.Example.", 2)) }, []string{
			"A a.example @1+2+2 NOERROR alias.a.example 10.0.0.0/60 10.0.0.1/60",
		}},
		{"two at once, answered in another order", func(s *script) {
			s.ask(query(1, "a.")).ask(query(2, "b.")).answer(answer(2, "b.", 1)).answer(answer(1, "a.", 0))
		}, []string{"A b @2+3+3 NOERROR alias.b 10.0.0.0/60", "A a @1+4+4 NXDOMAIN"}},
		{"asked again", func(s *script) {
			s.ask(query(1, "a.")).ask(query(1, "a.")).answer(answer(1, "a.", 0)).answer(answer(1, "a.", 0))
		}, []string{"A a @1+3+3 NXDOMAIN"}},
		{"the answer to another question", func(s *script) {
			s.ask(query(1, "a.")).answer(answer(1, "evil.", 1)).answer(answer(1, "a.", 0))
		}, []string{"A a @1+3+3 NXDOMAIN"}},
		{"more answers than are kept", func(s *script) {
			s.ask(query(1, "a.")).answer(answer(1, "a.", 17))
		}, []string{"A a @1+2+2 NOERROR alias.a" + strings.Join(func() (l []string) {
			for i := range 15 {
				l = append(l, fmt.Sprintf(" 10.0.0.%d/60", i))
			}
			return l
		}(), "") + " cut"}},
		{"an answer that is not all there", func(s *script) {
			b := answer(1, "a.", 3)
			s.ask(query(1, "a.")).seg(exchange.Response, true, b, len(b)-1)
		}, []string{"A a @1+2+2 NOERROR alias.a 10.0.0.0/60 10.0.0.1/60 cut"}},
		{"not answered", func(s *script) {
			s.ask(query(1, "a."))
			s.p.Tick(20e9)
		}, []string{"A a @1+0+20000000000 expired"}},
		{"not answered before the socket was closed", func(s *script) {
			s.ask(query(1, "a."))
			s.p.Close(9)
		}, []string{"A a @1+0+9 connection_closed"}},
		{"asked again over TCP, all that was asked at once", func(s *script) {
			b := answer(1, "a.", 0)
			b[2], b[3] = b[2]|2, 0 // truncated
			s.ask(query(1, "a.")).ask(query(2, "a.")).ask(query(3, "b.")).answer(b)
			s.p.Tick(20e9)
		}, []string{"A a @1+4+4 NOERROR cut", "A b @3+0+20000000000 expired"}},
		{"asked again over TCP, after all answers", func(s *script) {
			b := answer(1, "a.", 0)
			b[2], b[3] = b[2]|2, 0
			s.ask(query(1, "a.")).ask(query(2, "a.")).answer(b).answer(answer(2, "a.", 0))
		}, []string{"A a @1+3+3 NOERROR cut", "A a @2+4+4 NXDOMAIN"}},
		{"not DNS", func(s *script) { s.ask([]byte("hello, this is something else")) }, nil},
		{"an update", func(s *script) {
			b := query(1, "a.")
			b[2] |= 5 << 3
			s.ask(b)
		}, nil},
		{"mDNS", func(s *script) {
			s.sink.localPort = 5353
			s.ask(query(1, "a."))
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(true, false)
			tt.play(s)
			require.Equal(t, strings.Join(tt.want, "\n"), strings.Join(s.sink.done, "\n"))
			require.Zero(t, s.sink.open)
			require.Empty(t, s.sink.counted)
		})
	}
}

func TestResponseWithoutQuery(t *testing.T) {
	s := newScript(true, false)
	s.answer(answer(1, "a.", 1))
	require.Equal(t, map[exchange.Reason]int{exchange.RequestLost: 1}, s.sink.counted)
	s = newScript(true, true)
	s.answer(answer(1, "a.", 1))
	require.Empty(t, s.sink.counted, "it may have been asked before")
}

func TestNames(t *testing.T) {
	name := func(b string, at int) string {
		got, _, ok := appendName(nil, []byte(b), at)
		if !ok {
			return "bad"
		}
		return string(got)
	}
	require.Equal(t, "a.bc", name("\x01A\x02bC\x00", 0))
	require.Empty(t, name("\x00", 0))
	require.Equal(t, "x.a", name("\x01a\x00\x01x\xc0\x00", 3))
	require.Equal(t, `a\.b\000\255`, name("\x05a.b\x00\xff\x00", 0))
	for _, b := range []string{"\xc0\x00", "\x01a\xc0\x00", "\x01a", "\x40a\x00", "\x80", "\xc0", "", strings.Repeat("\x01a", 200) + "\x00"} {
		require.Equal(t, "bad", name(b, 0), "%q", b)
	}
	require.Equal(t, "bad", name("\x01a\xc0\x04\xc0\x02", 2), "forward")
}

func TestClassify(t *testing.T) {
	p := New()
	for _, tt := range []struct {
		b    []byte
		want exchange.Verdict
	}{
		{query(7, "a."), exchange.IsRequest},
		{answer(7, "a.", 1), exchange.IsResponse},
		{framed(query(7, "a.")), exchange.IsRequest},
		{framed(answer(7, "a.", 1)), exchange.IsResponse},
		{framed(query(7, "a."))[:2], exchange.Foreign},
		{[]byte("GET / HTTP/1.1\r\n"), exchange.Foreign},
		{[]byte("\x00\x00\x01\xd1\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00body"), exchange.Foreign}, // a length of four bytes
		{nil, exchange.Foreign},
	} {
		require.Equal(t, tt.want, p.Classify(tt.b), "%q", tt.b)
	}
	for i, s := range p.Signatures() {
		b := [][]byte{query(7, "a."), answer(7, "a.", 1), framed(query(7, "a.")), framed(answer(7, "a.", 1))}[i]
		require.True(t, s.Matches(b), "signature %d", i)
	}
}
