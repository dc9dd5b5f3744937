package http2

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// FuzzHTTP2 feeds a parser anything. The first byte of the input sets the scene;
// then each operation is two bytes, what and how much, followed by so many
// bytes of payload.
func FuzzHTTP2(f *testing.F) {
	add := func(scene byte, ops ...string) {
		in := []byte{scene}
		for _, op := range ops {
			in = append(in, op[0], byte(len(op)-1))
			in = append(in, op[1:]...)
		}
		f.Add(in)
	}
	const req, resp = "\x00", "\x01"
	c, s := newPeer(), newPeer()
	c.buf.WriteString(preface)
	_ = c.framer.WriteSettings()
	_ = s.framer.WriteSettings()
	hello, welcome := c.take(), s.take()
	ask := c.call(1, "/p.S/M").message(1, true, 3).get(3, "/a").take()
	answer := s.accept(1).message(1, false, 3).status(3, "200", false).trailers(1, "0").data(3, true, "x").take()
	add(0, req+hello, resp+welcome, req+ask, resp+answer)
	add(1, req+hello, resp+welcome, resp+answer, req+ask)
	add(2, req+ask, resp+answer)
	add(0, req+hello, req+ask[:20], req+ask[20:], resp+welcome+answer[:30], resp+answer[30:])
	parted := c.parted(5, true, ":method", "GET", ":path", "/x").take()
	_ = s.framer.WriteRSTStream(5, 2)
	reset := s.take()
	_ = s.framer.WriteGoAway(0, 0, nil)
	add(0, req+hello, req+parted, resp+reset, "\x03"+answer, "\x04a", resp+s.take(), "\x08x")
	add(0, req+hello, resp+welcome, req+ask, "\x13"+answer)
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		s := newScript(in[0]&1 != 0, in[0]&2 != 0)
		for in = in[1:]; len(in) >= 2; {
			op, n := in[0], min(int(in[1]), len(in)-2)
			playFuzzed(s, op, string(in[2:2+n]))
			in = in[2+n:]
			requireBounded(t, s)
		}
		s.close()
		require.Zero(t, s.p.Open())
		require.Zero(t, s.sink.open)
		s.sink.done, s.sink.refuse = nil, false
		fresh := newScript(true, false)
		fresh.sink, fresh.p, fresh.now = s.sink, s.p, s.now
		fresh.p.Reset(s.sink, false)
		fresh.greet()
		fresh.c.get(1, "/a")
		fresh.req()
		fresh.s.status(1, "200", true)
		fresh.resp()
		require.Len(t, s.sink.done, 1, "a parser is as new after Reset")
	})
}

func playFuzzed(s *script, op byte, data string) {
	side := exchange.Side(op & 1)
	switch op >> 1 & 7 {
	case 0:
		s.seg(side, data, len(data))
	case 1: // only a part is copied
		if op&0x10 != 0 {
			s.long(side, data+data+data, len(data)+16)
			return
		}
		s.seg(side, data+data+data, len(data))
	case 2:
		s.gap(side, uint64(len(data))*257)
	case 3:
		s.now++
		s.p.EOF(side, s.now)
	case 4:
		s.gap(side, uint64(len(data)))
	case 5:
		s.pause(1 << (len(data) & 31))
	case 6:
		s.sink.refuse = !s.sink.refuse
	default:
		s.p.Abandon(exchange.Expired)
	}
}

func requireBounded(t *testing.T, s *script) {
	t.Helper()
	p := s.p.(*Parser)
	require.Equal(t, s.sink.open, p.Open())
	require.LessOrEqual(t, p.Open(), maxStreams)
	early, doubts := 0, 0
	for _, st := range p.streams {
		require.NotNil(t, st.ex)
		if st.early {
			early++
		}
		if st.doubt != 0 {
			doubts++
		}
	}
	require.Equal(t, early, p.early)
	require.Equal(t, doubts, p.doubts)
	require.LessOrEqual(t, early, maxEarly)
	for i := range p.sides {
		require.LessOrEqual(t, len(p.sides[i].buf), maxBlock)
		require.LessOrEqual(t, len(p.sides[i].block), maxBlock)
	}
}

func FuzzClassify(f *testing.F) {
	c, s := newPeer(), newPeer()
	for _, seed := range []string{
		preface, preface[:8], c.get(1, "/").take(), s.status(1, "200", true).take(), "", "GET / HTTP/1.1\r\n",
	} {
		f.Add([]byte(seed))
	}
	p := New()
	f.Fuzz(func(t *testing.T, in []byte) {
		verdict := p.Classify(in)
		if len(in) < 8 {
			require.Equal(t, exchange.Foreign, verdict)
		}
	})
}
