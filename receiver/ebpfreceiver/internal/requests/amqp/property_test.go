package amqp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// talk is a conversation over channels 1 and 2, of which the first confirms what
// is published and the second has a consumer. Each thing has a name of its own.
type talk struct {
	r         *rand.Rand
	s         *dbtest.Script
	published uint64
	delivered uint64
	want      []string
}

func open(s *dbtest.Script) {
	confirming(s)
	s.Req(does(2, channelOpen, "\x00")).Resp(does(2, channelOpen+1, openOK))
	s.Req(consume(2, "q", "c", 0)).Resp(does(2, basicConsumeOK, text("c")))
	s.Found, s.Now = nil, 0
}

// noise is a body that holds what looks like the beginnings of frames.
func (k *talk) noise() string {
	return strings.Repeat(ack(1, 1, 0)[:12], k.r.IntN(100)) + strings.Repeat("x", k.r.IntN(30))
}

// turn is what the client and the broker say to each other next.
func (k *talk) turn(n int) (asks, answers, settles string) {
	name := fmt.Sprintf("k%d", n)
	switch k.r.IntN(4) {
	case 0:
		k.published++
		k.want = append(k.want, "publish e:"+name+" send")
		return publish(1, "e", name, k.noise()), ack(1, k.published, 0), ""
	case 1:
		k.delivered++
		k.want = append(k.want, fmt.Sprintf("deliver %s:q process tag=%d", name, k.delivered))
		return "", deliver(2, "c", k.delivered, name, k.noise()), ack(2, k.delivered, 0)
	case 2:
		k.want = append(k.want, "queue.declare "+name)
		return declare(1, name, 0), declared(1, name), ""
	default:
		k.delivered++
		k.want = append(k.want, fmt.Sprintf("get amq.topic:%s:q receive tag=%d", name, k.delivered))
		return get(2, "q"), got(2, k.delivered, name, k.noise()), ""
	}
}

// pieces feeds data in pieces of random lengths.
func (k *talk) pieces(data string, feed func(piece string)) {
	for len(data) > 0 {
		n := 1 + k.r.IntN(min(len(data), 1+k.r.IntN(2000)))
		feed(data[:n])
		data = data[n:]
	}
}

func (k *talk) play(turns int, feed func(side exchange.Side, piece string)) {
	for n := range turns {
		asks, answers, settles := k.turn(n)
		k.pieces(asks, func(piece string) { feed(exchange.Request, piece) })
		k.pieces(answers, func(piece string) { feed(exchange.Response, piece) })
		k.pieces(settles, func(piece string) { feed(exchange.Request, piece) })
	}
}

// whats is what was found, without times and what is not whole.
func whats(s *dbtest.Script) (all []string) {
	for _, line := range s.Found {
		what, _, _ := strings.Cut(line, " @")
		all = append(all, what)
	}
	return all
}

func TestAnySegmentation(t *testing.T) {
	for seed := range uint64(400) {
		for _, bound := range []int{100000, 4096, 400} {
			k := talk{r: rand.New(rand.NewPCG(seed, 1))}
			k.s = dbtest.NewScript(New(), seed%2 == 0, false)
			open(k.s)
			k.play(15, func(side exchange.Side, piece string) { k.s.Seg(side, piece, bound) })
			if bound > 2000 {
				require.Equal(t, k.want, whats(k.s), "seed %d", seed)
				require.Zero(t, k.s.P.Open())
			}
			k.s.Close()
			require.LessOrEqual(t, len(k.s.Found), len(k.want), "seed %d", seed)
			require.Zero(t, k.s.Opened)
		}
	}
}

// newWalker follows one direction as the kernel side does.
func newWalker() dbtest.Walker {
	return dbtest.Walker{Header: headSize, Enter: func(b []byte) (left, keep int) {
		n, _ := frames.Length(b)
		left = int(n)
		switch {
		case b[0] != frameBody:
			return left, int(framing.Keep)
		case left <= 8:
			return left, left
		}
		return left, 0
	}}
}

// talkInLongCalls has both sides say the things of many turns at once, in calls of any
// length, of which the long ones are told as the kernel side tells them. lose says which
// calls are not seen.
func (k *talk) talkInLongCalls(rounds int, lose func() bool) {
	walkers := [2]dbtest.Walker{newWalker(), newWalker()}
	say := func(side exchange.Side, text string) {
		for len(text) > 0 {
			n := 1 + k.r.IntN(min(len(text), 40000))
			part, w := text[:n], &walkers[side]
			switch {
			case lose():
				w.Pass(part)
				k.s.Gap(side, uint64(n))
			case n > event.MaxPayload:
				k.s.Now++
				dbtest.Feed(k.s.P, exchange.Segment{Side: side, Start: k.s.Now, End: k.s.Now}, w.Long(part, event.MaxPayload))
			default:
				w.Pass(part)
				k.s.Seg(side, part, n)
			}
			text = text[n:]
		}
	}
	for round := range rounds {
		var asks, answers, settles strings.Builder
		for n := range 40 {
			ask, answer, settle := k.turn(40*round + n)
			asks.WriteString(ask)
			answers.WriteString(answer)
			settles.WriteString(settle)
		}
		say(exchange.Request, asks.String())
		say(exchange.Response, answers.String())
		say(exchange.Request, settles.String())
	}
}

// Of long calls the heads of frames are enough, and after a loss they show where to
// go on.
func TestLongCalls(t *testing.T) {
	for seed := range uint64(300) {
		k := talk{r: rand.New(rand.NewPCG(seed, 3))}
		k.s = dbtest.NewScript(New(), false, false)
		open(k.s)
		k.talkInLongCalls(4, func() bool { return false })
		require.ElementsMatch(t, k.want, whats(k.s), "seed %d", seed)
		require.Zero(t, k.s.P.Open())
	}
	for seed := range uint64(300) {
		k := talk{r: rand.New(rand.NewPCG(seed, 4))}
		k.s = dbtest.NewScript(New(), false, false)
		open(k.s)
		k.talkInLongCalls(4, func() bool { return k.r.IntN(4) == 0 })
		k.check(t, seed)
		k.s.Close()
		require.Zero(t, k.s.Opened)
	}
}

// Whatever is lost, nothing gets the facts of another thing, nothing is said to
// have taken time that was not seen to, and the parser finds its way back.
func TestAnyLoss(t *testing.T) {
	for seed := range uint64(3000) {
		k := talk{r: rand.New(rand.NewPCG(seed, 2))}
		k.s = dbtest.NewScript(New(), seed%2 == 0, false)
		open(k.s)
		k.play(20, func(side exchange.Side, piece string) {
			switch k.r.IntN(12) {
			case 0:
				k.s.Gap(side, uint64(len(piece)))
			case 1:
				k.s.Seg(side, piece, k.r.IntN(len(piece)+1))
			case 2:
				k.s.Moved(side, uint64(len(piece)))
			default:
				k.s.Seg(side, piece, len(piece))
			}
		})
		k.check(t, seed)
		k.s.Pause(2e9).Req(declare(3, "last", 0)).Resp(declared(3, "last"))
		k.s.Pause(2e9).Req(declare(3, "last", 0)).Resp(declared(3, "last"))
		require.Contains(t, k.s.Text(), "queue.declare last @", "seed %d", seed)
		require.NotContains(t, k.s.Found[len(k.s.Found)-1], "truncated", "seed %d", seed)
		k.s.Close()
		require.Zero(t, k.s.Opened)
	}
}

// check compares what was found with what was said: what is told as whole was
// said so, and of each name there is no more than was said. What is known of a
// thing that was told in part is less.
func (k *talk) check(t *testing.T, seed uint64) {
	t.Helper()
	said := map[string]bool{}
	for _, w := range k.want {
		said[w] = true
	}
	seen := map[string]bool{}
	for i, what := range whats(k.s) {
		line := k.s.Found[i]
		partial := strings.Contains(line, "class=4") || strings.Contains(line[strings.LastIndex(line, "@"):], " ")
		if partial {
			continue
		}
		require.False(t, seen[what], "seed %d: %s is told twice", seed, what)
		seen[what] = true
		require.True(t, said[what], "seed %d: %s is not what was said:\n%s", seed, line, strings.Join(k.want, "\n"))
	}
}

func FuzzAMQP(f *testing.F) {
	f.Add(true, []byte(publish(1, "a", "b", "body")), []byte(ack(1, 1, 0)), []byte(get(1, "q")), []byte(got(1, 2, "k", "body")), uint16(0))
	f.Add(false, []byte(consume(1, "q", "c", 0)), []byte(does(1, basicConsumeOK, text("c"))), []byte(ack(1, 1, 1)), []byte(deliver(1, "c", 1, "k", "x")), uint16(99))
	f.Add(false, []byte(declare(1, "q", 4)), []byte(closes(1, channelClose, 404)), []byte(closes(0, connectionClose, 200)), []byte(heartbeatFrame), uint16(7))
	f.Fuzz(func(t *testing.T, client bool, a, b, c, d []byte, gap uint16) {
		for _, midway := range []bool{false, true} {
			s := dbtest.NewScript(New(), client, midway)
			if !midway {
				confirming(s)
			}
			s.Req(string(a)).Resp(string(b)).Gap(exchange.Side(gap&1), uint64(gap)).Req(string(c)).Resp(string(d))
			s.Seg(exchange.Request, string(c), len(c)/2).Seg(exchange.Response, string(d), len(d)/2)
			s.P.Tick(s.Now + uint64(gap)*1e9)
			s.EOF(exchange.Side(gap & 1))
			require.Equal(t, s.Opened, s.P.Open())
			s.Close()
			require.Zero(t, s.P.Open())
			require.Zero(t, s.Opened)
			s.Reset(false)
			confirming(s)
			s.Req(publish(1, "a", "b", "")).Resp(ack(1, 1, 0))
			require.Equal(t, []string{"publish a:b send @1+2+2"}, s.Found, "a parser is as new after Reset")
		}
	})
}
