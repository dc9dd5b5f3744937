package http1

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// FuzzHTTP1 feeds a parser anything. The first byte of the input sets the scene;
// then each operation is two bytes, what and how much, followed by so many
// bytes of payload.
func FuzzHTTP1(f *testing.F) {
	add := func(scene byte, ops ...string) {
		in := []byte{scene}
		for _, op := range ops {
			in = append(in, op[0], byte(len(op)-1))
			in = append(in, op[1:]...)
		}
		f.Add(in)
	}
	const req, resp = "\x00", "\x01"
	add(0, req+get, resp+ok3)
	add(1, resp+ok3, req+get)
	add(2, resp+"HTTP/1.1 200 OK\r\n", req+get, resp+empty)
	add(0, req+get+getB+get, resp+ok3+empty, resp+ok3)
	add(0, req+"GET /a HT", req+"TP/1.1\r\n\r\n", resp+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", resp+"c\r\n0\r\n\r\n")
	add(0, req+get, "\x02"+ok3, "\x04", "\x05")
	add(0, req+"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n", resp+"HTTP/1.1 101 S\r\n\r\n", req+"junk", "\x06", "\x07")
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
		s.p.Reset(s.sink, false)
		s.sink.done, s.sink.refuse = nil, false
		s.req(get).resp(ok3)
		require.Len(t, s.sink.done, 1, "a parser is as new after Reset")
	})
}

func playFuzzed(s *script, op byte, data string) {
	side := exchange.Side(op & 1)
	switch op >> 1 & 7 {
	case 0:
		s.seg(side, data, len(data))
	case 1:
		s.seg(side, data+data+data, len(data)) // only a part is copied
	case 2:
		s.gap(side, uint64(len(data))*257)
	case 3:
		s.eof(side)
	case 4:
		s.moved(side, uint64(len(data))*1001)
	case 5:
		s.pause(1 << (len(data) & 31))
		s.p.Tick(s.now)
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
	require.LessOrEqual(t, len(p.open), maxOpen)
	require.LessOrEqual(t, len(p.early), maxEarly)
	for _, st := range []*stream{&p.req, &p.resp} {
		require.Less(t, len(st.buf), maxHead+4096)
	}
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{get, ok3, "", "H", "HTTP/1.", "GET", "GET ", "\x16\x03\x01", "PRI * HTTP/2.0\r\n"} {
		f.Add([]byte(s))
	}
	p := New()
	f.Fuzz(func(t *testing.T, in []byte) {
		verdict := p.Classify(in)
		if len(in) == 0 {
			require.Equal(t, exchange.Foreign, verdict)
		}
		if verdict == exchange.IsResponse {
			require.True(t, looksLikeResponse(in))
		}
	})
}
