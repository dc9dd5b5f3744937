package http2

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// stream is a request under way.
type stream struct {
	id       uint32
	ex       *exchange.Exchange // never nil
	early    bool               // its response was seen, and its request was not yet
	ended    uint64             // when an early response ended
	answered bool               // the head of its response was
	messages [2]messages        // of gRPC, by side
	lastData uint64             // when the last data of the response was seen
	doubt    uint64             // when bytes were lost that may have ended it; 0 when none were
	doubtWhy exchange.Reason
}

// messages counts the messages of gRPC in a sequence of DATA: each has a byte
// of flags and the length of what follows before it.
type messages struct {
	count uint32
	left  uint32 // bytes of the current one to come
	n     uint8  // bytes of the prefix read so far
	size  uint32 // length, as far as it was read
	lost  bool   // a prefix was not seen
}

const messagePrefix = 5

// data walks over bytes of a body.
func (m *messages) data(seen []byte, unseen uint64) {
	for !m.lost {
		if m.left > 0 {
			n := min(uint64(m.left), uint64(len(seen)))
			seen = seen[n:]
			m.left -= uint32(n)
			n = min(uint64(m.left), unseen)
			if len(seen) == 0 {
				unseen -= n
				m.left -= uint32(n)
			}
			if m.left > 0 {
				return
			}
		}
		if len(seen) == 0 {
			m.lost = unseen > 0
			return
		}
		if m.n > 0 {
			m.size = m.size<<8 | uint32(seen[0])
		}
		m.n++
		seen = seen[1:]
		if m.n == messagePrefix {
			m.count++
			m.left, m.n, m.size = m.size, 0, 0
		}
	}
}

// lingers is how long, in ns, a response has to be idle after a message to be
// taken for one that waits for the next.
const lingers = 1e9

// data takes bytes of the body of either side.
func (st *stream) data(sd *side, seen []byte, unseen uint64, s *exchange.Segment) {
	f := facts(st.ex)
	if sd.which == exchange.Request {
		f.API.AddBody(seen)
	}
	if f.GRPC {
		m := &st.messages[sd.which]
		m.data(seen, unseen)
		f.Streaming = f.Streaming || m.count > 1
	}
	if sd.which == exchange.Response {
		st.linger(s.Start)
		st.lastData = s.End
	}
}

// linger notes that a response is idle between messages.
func (st *stream) linger(now uint64) {
	f, m := facts(st.ex), &st.messages[exchange.Response]
	if f.GRPC && st.lastData != 0 && now > st.lastData+lingers && m.left == 0 && m.n == 0 && !m.lost {
		f.Streaming = true
	}
}

// blind says that bytes of the body could not be read.
func (st *stream) blind(sd *side) {
	if st != nil {
		st.messages[sd.which].lost = true
	}
}

// seen says that a frame of the stream was seen: it has not ended before.
func (st *stream) seen(p *Parser, sd *side) {
	if st.doubt != 0 && sd.which == exchange.Response {
		st.doubt = 0
		p.doubts--
	}
}

// newStream begins to follow a stream; it returns nil when too many are.
func (p *Parser) newStream(id uint32, s *exchange.Segment) *stream {
	if len(p.streams) >= maxStreams {
		p.sink.Count(exchange.Expired)
		return nil
	}
	ex := p.sink.New(s)
	if ex == nil {
		return nil
	}
	return p.follow(id, ex)
}

// follow begins to follow the stream of an exchange.
func (p *Parser) follow(id uint32, ex *exchange.Exchange) *stream {
	var st *stream
	if n := len(p.free); n > 0 {
		st = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		st = new(stream)
	}
	*st = stream{id: id, ex: ex}
	p.streams[id] = st
	return st
}

// forget ends the following of a stream.
func (p *Parser) forget(st *stream) {
	delete(p.streams, st.id)
	for i := range p.sides {
		if p.sides[i].cur == st {
			p.sides[i].cur = nil
		}
	}
	if st.early {
		p.early--
	}
	if st.doubt != 0 {
		p.doubts--
	}
	st.ex = nil
	if len(p.free) < maxFree {
		p.free = append(p.free, st)
	}
}

// drop forgets a response whose request was not seen.
func (p *Parser) drop(st *stream) {
	p.sink.Drop(st.ex)
	p.forget(st)
}

// finish ends the exchange of a stream.
func (p *Parser) finish(st *stream, end uint64, why exchange.Reason) {
	ex, f := st.ex, facts(st.ex)
	ex.End = max(end, ex.Start, ex.FirstByte)
	if why != exchange.Truncated && why != exchange.ResponseLost {
		st.linger(ex.End)
	}
	if why == exchange.Complete && f.Status == 0 && !f.ResponseUnknown {
		why = exchange.ResponseLost // its head was
	}
	if why == exchange.Complete && (f.HeadersUnknown || f.ResponseUnknown) {
		if why = exchange.HeadersUnknown; f.HeadCut {
			why = exchange.Truncated
		}
	}
	ex.Incomplete = why
	f.EndedBy(ex)
	ex.Class = f.Class()
	p.forget(st)
	p.sink.Done(ex)
}

// endStream takes the end of a side of a stream. The response ends it: what the
// client may still send is of no consequence.
func (p *Parser) endStream(sd *side, id uint32, s *exchange.Segment) {
	st := p.streams[id]
	switch {
	case st == nil || sd.which == exchange.Request:
	case st.early:
		st.ended = s.End
	case p.blind:
		p.finish(st, s.End, exchange.ResponseLost)
	default:
		p.finish(st, p.sent(st, s), exchange.Complete)
	}
}

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

// sent tells when the bytes of a response segment were over. A send that cannot
// have waited is over when it begins (see the same in http1).
func (p *Parser) sent(st *stream, s *exchange.Segment) uint64 {
	if !p.sink.Client() && st.ex.Sent <= buffered {
		return s.Start
	}
	return s.End
}

// errorCodes are the names of the error codes (RFC 9113, section 7).
var errorCodes = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// rst takes a RST_STREAM.
func (p *Parser) rst(sd *side, payload []byte, s *exchange.Segment) {
	st := p.streams[sd.frame.stream]
	if st == nil || st.early {
		return
	}
	f := facts(st.ex)
	f.StreamError = "UNKNOWN"
	if len(payload) >= 4 {
		if code := binary.BigEndian.Uint32(payload); code < uint32(len(errorCodes)) {
			f.StreamError = errorCodes[code]
		}
	}
	end := s.End
	if sd.which == exchange.Request {
		f.CallerGone = true
	}
	if p.sink.Client() == (sd.which == exchange.Request) {
		end = s.Start // of the call that sent it
	}
	p.finish(st, end, exchange.StreamReset)
}

// goAway takes a server's word on which requests it will not answer.
func (p *Parser) goAway(sd *side, payload []byte, s *exchange.Segment) {
	if sd.which != exchange.Response || len(payload) < 8 {
		return
	}
	last := binary.BigEndian.Uint32(payload) & (1<<31 - 1)
	for _, id := range p.ids() {
		if id > last && !p.streams[id].early {
			p.finish(p.streams[id], s.End, exchange.ConnectionClosed)
		}
	}
}
