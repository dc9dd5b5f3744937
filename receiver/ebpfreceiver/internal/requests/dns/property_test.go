package dns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// what is the part of a line that does not depend on times.
func what(line string) string {
	name, rest, _ := strings.Cut(line, " @")
	_, outcome, _ := strings.Cut(rest, " ")
	return name + " " + outcome
}

// lookups makes n lookups, and what must be seen of them.
func lookups(r *rand.Rand, n int) (asked, answered [][]byte, want []string) {
	for i := range n {
		name := fmt.Sprintf("host%d.%s.example.", i, strings.Repeat("x", r.IntN(50)+1))
		id := uint16(r.IntN(1 << 16))
		k := r.IntN(4)
		asked = append(asked, query(id, name))
		answered = append(answered, answer(id, name, k))
		line := "A " + strings.TrimSuffix(name, ".")
		if k == 0 {
			line += " NXDOMAIN"
		} else {
			line += " NOERROR alias." + strings.TrimSuffix(name, ".")
		}
		for i := range k {
			line += fmt.Sprintf(" 10.0.0.%d/60", i)
		}
		want = append(want, line)
	}
	return asked, answered, want
}

func feed(r *rand.Rand, s *script, side exchange.Side, messages [][]byte, step func(piece []byte)) {
	var all []byte
	for _, m := range messages {
		all = append(all, framed(m)...)
	}
	for len(all) > 0 {
		n := 1 + r.IntN(len(all))
		if step != nil {
			step(all[:n])
		} else {
			s.seg(side, false, all[:n], n)
		}
		all = all[n:]
	}
}

// However messages over TCP are cut into calls, the same lookups are seen.
func TestAnySegmentation(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newScript(r.IntN(2) == 0, false)
		asked, answered, want := lookups(r, 1+r.IntN(20))
		feed(r, s, exchange.Request, asked, nil)
		r.Shuffle(len(answered), func(i, j int) { answered[i], answered[j] = answered[j], answered[i] })
		feed(r, s, exchange.Response, answered, nil)
		var got []string
		for _, line := range s.sink.done {
			got = append(got, what(line))
		}
		slices.Sort(got)
		slices.Sort(want)
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// Whatever is lost, no lookup gets the answer to another one, and none is
// invented.
func TestAnyLoss(t *testing.T) {
	whole := 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := newScript(r.IntN(2) == 0, r.IntN(2) == 0)
		total := map[string]bool{}
		n := 0
		for range 10 {
			asked, answered, want := lookups(r, 1+r.IntN(4))
			n += len(want)
			for _, w := range want {
				total[w] = true
			}
			for _, turn := range []struct {
				side exchange.Side
				list [][]byte
			}{{exchange.Request, asked}, {exchange.Response, answered}} {
				feed(r, s, turn.side, turn.list, func(piece []byte) {
					switch r.IntN(10) {
					case 0:
						s.p.Gap(turn.side, uint64(len(piece)), s.now)
					case 1:
						s.seg(turn.side, false, piece, r.IntN(len(piece)+1))
					default:
						s.seg(turn.side, false, piece, len(piece))
					}
				})
			}
		}
		s.p.Close(s.now)
		require.Zero(t, s.sink.open)
		require.LessOrEqual(t, len(s.sink.done)+s.sink.counted[exchange.RequestLost], n, "seed %d: invented", seed)
		for _, line := range s.sink.done {
			if strings.Contains(line, "lost") || strings.Contains(line, "closed") || strings.HasSuffix(line, " cut") {
				continue
			}
			require.True(t, total[what(line)], "seed %d: %s is a mixture", seed, line)
			whole++
		}
	}
	require.Greater(t, whole, 500)
}

// FuzzDNS feeds a parser anything. The first byte of the input sets the scene;
// then each operation is two bytes, what and how much, followed by so many
// bytes of payload.
func FuzzDNS(f *testing.F) {
	add := func(scene byte, ops ...string) {
		in := []byte{scene}
		for _, op := range ops {
			in = append(in, op[0], byte(len(op)-1))
			in = append(in, op[1:]...)
		}
		f.Add(in)
	}
	q, a := string(query(7, "a.example.")), string(answer(7, "a.example.", 2))
	add(0, "\x00"+q, "\x01"+a)
	add(1, "\x02"+string(framed([]byte(q))), "\x03"+string(framed([]byte(a))))
	add(3, "\x02"+string(framed([]byte(q)))[:9], "\x02"+string(framed([]byte(q)))[9:], "\x05abc", "\x07"+a)
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		s := newScript(in[0]&1 != 0, in[0]&2 != 0)
		for in = in[1:]; len(in) >= 2; {
			op, n := in[0], min(int(in[1]), len(in)-2)
			playFuzzed(s, op, in[2:2+n])
			in = in[2+n:]
			p := s.p.(*Parser)
			require.Equal(t, s.sink.open, p.Open())
			require.LessOrEqual(t, p.Open(), maxOpen)
			for i := range p.sides {
				require.LessOrEqual(t, len(p.sides[i].buf), maxMessage)
			}
		}
		s.p.Close(s.now)
		require.Zero(t, s.sink.open)
		s.p.Reset(s.sink, false)
		s.sink.done, s.sink.refuse = nil, false
		s.ask(query(1, "a.")).answer(answer(1, "a.", 1))
		require.Len(t, s.sink.done, 1, "a parser is as new after Reset")
	})
}

func playFuzzed(s *script, op byte, data []byte) {
	side := exchange.Side(op & 1)
	switch op >> 1 & 7 {
	case 0:
		s.seg(side, true, data, len(data))
	case 1:
		s.seg(side, false, data, len(data))
	case 2:
		s.seg(side, op&0x80 != 0, append(slices.Clip(data), data...), len(data))
	case 3:
		s.p.Gap(side, uint64(len(data)), s.now)
	case 4:
		s.p.EOF(side, s.now)
	case 5:
		s.now += 1 << (len(data) & 31)
		s.p.Tick(s.now)
	case 6:
		s.sink.refuse = !s.sink.refuse
	default:
		s.p.Abandon(exchange.Expired)
	}
}
