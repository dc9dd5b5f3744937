package mysql

import (
	"bytes"
	"compress/zlib"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// leastPacked is what is sent as it is, in bytes, by clients and servers.
const leastPacked = 50

var packer = zlib.NewWriter(nil) // costly to make

// frame packs bytes as clients and servers do.
func frame(number byte, text string) string {
	body, plain := text, 0
	if len(text) >= leastPacked {
		var b bytes.Buffer
		packer.Reset(&b)
		_, _ = packer.Write([]byte(text))
		_ = packer.Close()
		if b.Len() < len(text) {
			body, plain = b.String(), len(text)
		}
	}
	n := len(body)
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), number, byte(plain), byte(plain >> 8), byte(plain >> 16)}) + body
}

// frames packs bytes in frames of so many bytes.
func frames(number byte, text string, size int) string {
	var b strings.Builder
	for len(text) > 0 {
		n := min(size, len(text))
		b.WriteString(frame(number, text[:n]))
		text = text[n:]
		number++
	}
	return b.String()
}

func beginPacked(s *script) {
	s.Resp(hello("8.0.36")).Req(identity(plainCaps|capCompress, "shop")).Resp(pkt(2, ok))
}

func TestPacked(t *testing.T) {
	const found = "{SELECT a FROM t WHERE id = ?} in shop rows=1"
	long := query("SELECT a FROM t WHERE id = '" + strings.Repeat("x", 100) + "'")
	for _, tt := range []struct {
		name  string
		bound int
		play  func(*script)
		want  []string
	}{
		{name: "as it is", play: func(s *script) { s.Req(frame(0, one)).Resp(frame(1, oneRow)) }, want: []string{found + " @4+5+5"}},
		{name: "compressed", play: func(s *script) { s.Req(frame(0, long)).Resp(frame(1, oneRow)) }, want: []string{found + " @4+5+5"}},
		{name: "header by itself", play: func(s *script) {
			f := frame(0, long)
			s.Req(f[:packedHeader]).Req(f[packedHeader:]).Resp(frame(1, oneRow))
		}, want: []string{found + " @4+6+6"}},
		{name: "packets over several frames", play: func(s *script) {
			s.Req(frame(0, one)).Resp(frames(1, oneRow, 7)).Req(frame(0, one)).Resp(frames(1, oneRow, 60))
		}, want: []string{found + " @4+5+5", found + " @6+7+7"}},
		{name: "numbers of packets begin anew", play: func(s *script) {
			s.Req(frame(0, one)).Resp(frame(1, run(1, "\x01", column, eof)) + frame(2, run(2, row, row, eof)))
		}, want: []string{strings.Replace(found, "rows=1", "rows=2", 1) + " @4+5+5"}},
		{name: "beyond the copy", bound: 512, play: func(s *script) {
			r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise that hardly shrinks
			text := make([]byte, 9000)
			for i := range text {
				text[i] = 'a' + byte(r.IntN(26))
			}
			s.Req(frame(0, one)).Resp(frame(1, run(1, "\x01", column, eof, textRow(string(text)), eof))).Req(frame(0, one)).Resp(frame(1, oneRow))
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop @4+5+5 hidden", found + " @6+7+7"}},
		{name: "response lost", play: func(s *script) {
			s.Req(frame(0, long)).Gap(exchange.Response, 50).Req(frame(0, long)).Resp(frame(1, oneRow)).Req(frame(0, one)).Resp(frame(1, oneRow))
		}, want: []string{
			"{SELECT a FROM t WHERE id = ?} in shop @4+0+4 response_lost", found + " @5+6+6", found + " @7+8+8",
		}},
		{name: "request lost", play: func(s *script) {
			s.Gap(exchange.Request, 50).Resp(frame(1, oneRow)).Req(frame(0, one)).Resp(frame(1, oneRow))
		}, want: []string{"{SELECT a FROM t WHERE id = ?} rows=1 @5+6+6"}},
		{name: "no frames", play: func(s *script) {
			s.Req("GET / HTTP/1.1\r\n").Resp(oneRow).Pause(2e9).Req(frame(0, one)).Resp(frame(1, oneRow))
		}, want: []string{found + " @2000000006+2000000007+2000000007"}},
		{name: "not compressed as it says", play: func(s *script) {
			f := frame(0, long)
			s.Req(f[:packedHeader] + "\x78\x9c" + strings.Repeat("\xff", len(f)-packedHeader-2)).Resp(frame(1, oneRow))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := dbtest.NewScript(New(), false, false)
			s.Bound = tt.bound
			beginPacked(s)
			tt.play(s)
			require.Equal(t, strings.Join(tt.want, "\n"), s.Text())
			require.Empty(t, s.Opaqued)
			require.Equal(t, s.P.Open(), s.Opened)
		})
	}
}

// What little is copied may claim to be much: only so much is unpacked.
func TestUnpackingIsBounded(t *testing.T) {
	s := dbtest.NewScript(New(), false, false)
	beginPacked(s)
	p := s.P.(*Parser)
	bomb := frame(0, query("SELECT '"+strings.Repeat("x", 1<<20)+"'"))
	s.Req(strings.Repeat(bomb, 20))
	require.LessOrEqual(t, cap(p.proto.unpacked), maxUnpacked)
}

func packedConversation() *dbtest.Conversation {
	c := conversation()
	inner := c.Random
	pack := func(x dbtest.Exchange, size int) dbtest.Exchange {
		x.Request, x.Response = frames(0, x.Request, size), frames(1, x.Response, size)
		return x
	}
	c.Random = func(r *rand.Rand, n int) dbtest.Exchange { return pack(inner(r, n), 20+r.IntN(1500)) }
	c.Begin, c.Last, c.Midway = beginPacked, pack(c.Last, 1000), false
	c.Serial = true // no client with compression is known that does not wait
	return c
}

func TestAnySegmentationPacked(t *testing.T)        { packedConversation().CheckSegmentation(t, 400) }
func TestAnySegmentationPackedBounded(t *testing.T) { packedConversation().CheckBound(t, 400) }
func TestAnyLossPacked(t *testing.T)                { packedConversation().CheckLoss(t, 1000) }
func TestLeftOutPacked(t *testing.T)                { packedConversation().CheckSkip(t, 300) }

func FuzzPacked(f *testing.F) {
	f.Add(dbtest.Input(4, "\x00"+frame(0, one), "\x01"+frame(1, oneRow)))
	f.Add(dbtest.Input(4, "\x00"+frame(0, query(strings.Repeat("SELECT ", 20))), "\x04a", "\x01"+frame(1, oneRow)))
	c := packedConversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
