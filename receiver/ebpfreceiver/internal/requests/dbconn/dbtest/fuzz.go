package dbtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Input makes an input of Fuzz of segments: each begins with "\x00" for the
// client's or "\x01" for the server's.
func Input(scene byte, ops ...string) []byte {
	in := []byte{scene}
	for _, op := range ops {
		in = append(in, op[0], byte(len(op)-1))
		in = append(in, op[1:]...)
	}
	return in
}

// Fuzz feeds a parser anything. The first byte of the input sets the scene; then
// each operation is two bytes, what and how much, followed by so many bytes.
func (c *Conversation) Fuzz(t *testing.T, in []byte) {
	t.Helper()
	if len(in) == 0 {
		return
	}
	s := NewScript(c.Protocol, in[0]&1 != 0, in[0]&2 != 0)
	if in[0]&4 != 0 && c.Begin != nil {
		c.Begin(s)
	}
	for in = in[1:]; len(in) >= 2; {
		op, n := in[0], min(int(in[1]), len(in)-2)
		s.playFuzzed(op, string(in[2:2+n]))
		in = in[2+n:]
		require.Equal(t, s.Opened, s.P.Open())
		require.LessOrEqual(t, s.P.Open(), dbconn.MaxOpen)
	}
	s.Close()
	require.Zero(t, s.P.Open())
	require.Zero(t, s.Opened)
	s.Reset(false)
	s.Found, s.Refuse = nil, false
	if c.Begin != nil {
		c.Begin(s)
	}
	s.Req(c.Last.Request).Resp(c.Last.Response)
	require.Len(t, s.Found, 1, "a parser is as new after Reset")
}

func (s *Script) playFuzzed(op byte, data string) {
	side := exchange.Side(op & 1)
	if skipper, ok := s.P.(exchange.Skipper); ok && op&0x10 != 0 {
		skipper.Skip(s.Now)
	}
	switch op >> 1 & 7 {
	case 0:
		s.Seg(side, data, len(data))
	case 1:
		s.Seg(side, data+data+data, len(data)) // only a part is copied
	case 2:
		s.Gap(side, uint64(len(data))*257)
	case 3:
		s.EOF(side)
	case 4:
		s.Moved(side, uint64(len(data))*1001)
	case 5:
		s.Pause(1 << (len(data) & 31))
		s.P.Tick(s.Now)
	case 6:
		s.Refuse = !s.Refuse
	default:
		s.P.Abandon(exchange.Expired)
	}
}
