package http2

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
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
	ex.Start, ex.Role, ex.TID = s.Start, event.RoleServer, s.Who.TID
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

// describe prints an exchange on one line: method, target, status, times as
// start+first byte+end, and what is special.
func describe(ex *exchange.Exchange) string {
	f := facts(ex)
	s := fmt.Sprintf("%s %s %d", known(f.Method), known(f.Target), f.Status)
	if len(f.API.Body) > 0 {
		s += fmt.Sprintf(" body=%s", f.API.Body)
	}
	s += fmt.Sprintf(" @%d+%d+%d", ex.Start, ex.FirstByte, ex.End)
	if f.GRPC {
		s += " grpc=" + f.Code.String()
	}
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
		{f.HeadCut, "headcut"},
		{f.CallerGone, "callergone"},
		{f.Upgraded, "upgraded"},
		{f.HeadersUnknown, "unknown"},
		{f.ResponseUnknown, "responseunknown"},
		{f.StreamError != "", f.StreamError},
	} {
		if x.set {
			s += " " + x.name
		}
	}
	return s
}

// known is a dash for what is not.
func known(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

// peer writes the frames of one side.
type peer struct {
	buf     bytes.Buffer
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func newPeer() *peer {
	p := &peer{}
	p.framer = http2.NewFramer(&p.buf, nil)
	p.framer.AllowIllegalWrites = true
	p.encoder = hpack.NewEncoder(&p.block)
	return p
}

// take returns what was written since it was called last.
func (p *peer) take() string {
	defer p.buf.Reset()
	return p.buf.String()
}

// fields encodes header fields, given as names and values in turn.
func (p *peer) fields(list ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(list); i += 2 {
		_ = p.encoder.WriteField(hpack.HeaderField{Name: list[i], Value: list[i+1]})
	}
	return p.block.Bytes()
}

func (p *peer) headers(id uint32, end bool, list ...string) *peer {
	_ = p.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: p.fields(list...), EndStream: end, EndHeaders: true,
	})
	return p
}

// parted writes a header block over three frames, padded and with a priority.
func (p *peer) parted(id uint32, end bool, list ...string) *peer {
	b := p.fields(list...)
	n := len(b) / 3
	_ = p.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: b[:n], EndStream: end, PadLength: 7, Priority: http2.PriorityParam{Weight: 3, StreamDep: 1},
	})
	_ = p.framer.WriteContinuation(id, false, b[n:2*n])
	_ = p.framer.WriteContinuation(id, true, b[2*n:])
	return p
}

func (p *peer) get(id uint32, path string) *peer {
	return p.headers(id, true, ":method", "GET", ":scheme", "http", ":path", path, ":authority", "h")
}

func (p *peer) post(id uint32, path string) *peer {
	return p.headers(id, false, ":method", "POST", ":scheme", "http", ":path", path, ":authority", "h")
}

func (p *peer) call(id uint32, method string) *peer {
	return p.headers(id, false, ":method", "POST", ":scheme", "http", ":path", method, ":authority", "h",
		"content-type", "application/grpc", "te", "trailers")
}

func (p *peer) status(id uint32, status string, end bool) *peer {
	return p.headers(id, end, ":status", status)
}

func (p *peer) accept(id uint32) *peer {
	return p.headers(id, false, ":status", "200", "content-type", "application/grpc")
}

func (p *peer) trailers(id uint32, code string) *peer {
	return p.headers(id, true, "grpc-status", code, "grpc-message", "")
}

func (p *peer) data(id uint32, end bool, body string) *peer {
	_ = p.framer.WriteData(id, end, []byte(body))
	return p
}

// message writes one message of gRPC.
func (p *peer) message(id uint32, end bool, n int) *peer {
	return p.data(id, end, "\x00"+string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})+strings.Repeat("m", n))
}

// rear is how many of the last bytes of a long segment are copied.
const rear = 128

// script feeds a connection. Each call is one segment, one time unit later.
type script struct {
	sink *fakeSink
	p    exchange.Parser
	now  uint64
	c, s *peer // of the client and of the server

	walkers [2]dbtest.Walker // of what the client and the server send
}

func newScript(client, midway bool) *script {
	sink := newSink(client)
	p := New().NewParser(sink)
	p.Reset(sink, midway)
	s := &script{sink: sink, p: p, c: newPeer(), s: newPeer(), walkers: [2]dbtest.Walker{newWalker(), newWalker()}}
	if !midway {
		s.walkers[exchange.Request].Left, s.walkers[exchange.Request].Keep = len(preface), len(preface)
	}
	return s
}

// greet exchanges what a connection begins with.
func (s *script) greet() *script {
	s.c.buf.WriteString(preface)
	_ = s.c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	_ = s.s.framer.WriteSettings()
	_ = s.s.framer.WriteSettingsAck()
	_ = s.c.framer.WriteSettingsAck()
	s.req()
	return s.resp()
}

func (s *script) seg(side exchange.Side, data string, copied int) *script {
	s.now++
	s.walkers[side].Pass(data)
	seg := exchange.Segment{
		Side: side, Start: s.now, End: s.now, Len: uint64(len(data)), Payload: []byte(data[:min(copied, len(data))]),
		Who: exchange.Who{TID: uint32(s.now)},
	}
	if copied == event.MaxPayload && len(data) > copied { // a part of what is copied is the end
		seg.Payload, seg.Tail = seg.Payload[:copied-rear], []byte(data[len(data)-rear:])
	}
	s.p.Segment(&seg)
	return s
}

// req and resp send what the peers have written.
func (s *script) req() *script {
	b := s.c.take()
	return s.seg(exchange.Request, b, event.MaxPayload)
}

func (s *script) resp() *script {
	b := s.s.take()
	return s.seg(exchange.Response, b, event.MaxPayload)
}

// lost loses what the peer of a side has written.
func (s *script) lost(side exchange.Side) *script {
	b := s.c
	if side == exchange.Response {
		b = s.s
	}
	return s.gap(side, uint64(len(b.take())))
}

func (s *script) pause(ns uint64) *script { s.now += ns; s.p.Tick(s.now); return s }

func (s *script) gap(side exchange.Side, n uint64) *script {
	s.p.Gap(side, n, s.now)
	return s
}

func (s *script) close() *script {
	s.now++
	s.p.Close(s.now)
	return s
}
