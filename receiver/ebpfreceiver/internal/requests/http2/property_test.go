package http2

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// planned is a request of a random conversation.
type planned struct {
	id     uint32
	path   string
	rpc    bool
	status int // of HTTP, or the code of gRPC
	steps  int // of the response that were taken
	size   int
}

// want is what must be seen of it: method, target, status and code.
func (q *planned) want() string {
	if q.rpc {
		return fmt.Sprintf("POST %s 200 grpc=%d", q.path, q.status)
	}
	return fmt.Sprintf("GET %s %d", q.path, q.status)
}

// conversation makes random frames of both sides.
type conversation struct {
	r    *rand.Rand
	s    *script
	next uint32
	open []*planned
	all  []*planned
	size int // of the largest body
}

func newConversation(r *rand.Rand, s *script, size int) *conversation {
	return &conversation{r: r, s: s, next: 1, size: size}
}

// request writes a request.
func (c *conversation) request() {
	r := c.r
	q := &planned{id: c.next, rpc: r.IntN(2) == 0, path: fmt.Sprintf("/%d/%s", c.next, strings.Repeat("p", r.IntN(40))), size: r.IntN(c.size)}
	if r.IntN(3) == 0 {
		q.path = "/again/" + fmt.Sprint(r.IntN(5))
	}
	c.next += 2
	c.open, c.all = append(c.open, q), append(c.all, q)
	write := c.s.c.headers
	if r.IntN(6) == 0 {
		write = c.s.c.parted
	}
	list := []string{":method", "GET", ":scheme", "http", ":path", q.path, ":authority", "h", "user-agent", fmt.Sprintf("agent/%d", r.IntN(3))}
	if q.rpc {
		list = append(list, "content-type", "application/grpc")
		list[1] = "POST"
	}
	if r.IntN(4) == 0 {
		list = append(list, "x-noise", strings.Repeat("n", r.IntN(300)))
	}
	write(q.id, !q.rpc, list...)
	if q.rpc {
		q.status = r.IntN(17)
		c.s.c.message(q.id, true, r.IntN(c.size))
	} else {
		q.status = 200 + r.IntN(400)
	}
}

// respond takes a step of the response to any open request.
func (c *conversation) respond() {
	r := c.r
	if len(c.open) == 0 {
		return
	}
	i := r.IntN(len(c.open))
	q := c.open[i]
	w := c.s.s
	q.steps++
	switch {
	case q.steps == 1 && r.IntN(8) == 0:
		w.status(q.id, "103", false)
		q.steps--
		return
	case q.steps == 1 && q.rpc:
		w.accept(q.id)
		return
	case q.steps == 1 && q.size == 0:
		w.status(q.id, fmt.Sprint(q.status), true)
	case q.steps == 1:
		w.headers(q.id, false, ":status", fmt.Sprint(q.status), "server", "s", "etag", fmt.Sprint(r.IntN(1000)))
		return
	case q.rpc && q.steps == 2:
		w.message(q.id, false, q.size)
		return
	case q.rpc:
		w.trailers(q.id, fmt.Sprint(q.status))
	case q.steps == 2:
		_ = w.framer.WriteDataPadded(q.id, false, make([]byte, q.size), make([]byte, r.IntN(200)))
		return
	default:
		w.data(q.id, true, "end")
	}
	c.open = slices.Delete(c.open, i, i+1)
}

func (c *conversation) noise() {
	switch c.r.IntN(8) {
	case 0:
		_ = c.s.c.framer.WritePing(false, [8]byte{})
	case 1:
		_ = c.s.s.framer.WriteWindowUpdate(0, 100)
	case 2:
		_ = c.s.c.framer.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 4096})
	case 3:
		c.s.s.encoder.SetMaxDynamicTableSize(uint32(c.r.IntN(5000)))
	}
}

// play talks for so many turns; deliver sends what a side has written.
func (c *conversation) play(turns int, deliver func(side exchange.Side, data string)) {
	for range turns {
		c.noise()
		for range c.r.IntN(4) {
			c.request()
		}
		deliver(exchange.Request, c.s.c.take())
		for range c.r.IntN(9) {
			c.respond()
		}
		deliver(exchange.Response, c.s.s.take())
	}
	for len(c.open) > 0 {
		c.respond()
		if c.r.IntN(3) == 0 {
			deliver(exchange.Response, c.s.s.take())
		}
	}
	deliver(exchange.Response, c.s.s.take())
}

// summary is what does not depend on how the bytes came, and what is said about
// the whole.
func summary(line string) (what string, whole bool) {
	what, rest, _ := strings.Cut(line, " @")
	for i, name := range codes {
		if strings.Contains(rest+" ", " grpc="+name+" ") {
			what += fmt.Sprintf(" grpc=%d", i)
		}
	}
	return what, !strings.Contains(rest, "lost") && !strings.Contains(rest, "unknown") &&
		!strings.Contains(rest, "truncated") && !strings.Contains(rest, "desynchronized") && !strings.Contains(rest, "closed")
}

var codes = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func wanted(c *conversation) (list []string) {
	for _, q := range c.all {
		list = append(list, q.want())
	}
	slices.Sort(list)
	return list
}

// However a conversation is cut into calls, the same exchanges are seen.
func TestAnySegmentation(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newScript(r.IntN(2) == 0, false).greet()
		c := newConversation(r, s, 1+r.IntN(3000))
		c.play(10, func(side exchange.Side, data string) {
			for len(data) > 0 {
				n := 1 + r.IntN(min(len(data), 1+r.IntN(2000)))
				s.seg(side, data[:n], n)
				data = data[n:]
			}
		})
		var got []string
		for _, line := range s.sink.done {
			what, whole := summary(line)
			require.True(t, whole, "seed %d: %s", seed, line)
			got = append(got, what)
		}
		slices.Sort(got)
		require.Equal(t, wanted(c), got, "seed %d", seed)
		require.Zero(t, s.p.Open())
	}
}

// Of long calls the beginnings of frames are enough.
func TestLongSegments(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := newScript(r.IntN(2) == 0, false).greet()
		c := newConversation(r, s, 1+r.IntN(30000))
		c.play(10, func(side exchange.Side, data string) {
			for len(data) > 0 {
				n := 1 + r.IntN(min(len(data), 1+r.IntN(40000)))
				if n > event.MaxPayload {
					s.long(side, data[:n], event.MaxPayload)
				} else {
					s.seg(side, data[:n], n)
				}
				data = data[n:]
			}
		})
		var got []string
		for _, line := range s.sink.done {
			what, whole := summary(line)
			require.True(t, whole, "seed %d: %s", seed, line)
			got = append(got, what)
		}
		slices.Sort(got)
		require.Equal(t, wanted(c), got, "seed %d", seed)
		require.Zero(t, s.p.Open())
	}
}

// Whatever is lost, not copied or was before, no exchange gets the facts of
// another one, none is invented, and the parser finds its way back.
func TestAnyLoss(t *testing.T) {
	complete := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := newScript(r.IntN(2) == 0, true)
		if r.IntN(2) == 0 {
			s = newScript(r.IntN(2) == 0, false).greet()
		}
		c := newConversation(r, s, 1+r.IntN(12000))
		harm := 1 + r.IntN(30)
		skip := r.IntN(4) // turns before the connection is joined
		c.play(12, func(side exchange.Side, data string) {
			if skip--; skip > 0 && s.now == 0 {
				return
			}
			feedLossily(r, s, side, data, harm)
		})
		s.close()
		require.Zero(t, s.p.Open())
		require.Zero(t, s.sink.open)
		checkLossy(t, seed, c)
		for _, line := range s.sink.done {
			if _, whole := summary(line); whole {
				complete++
			}
		}
	}
	require.Greater(t, complete, 1000)
}

// checkLossy looks for mixtures: what is said about one request must be true of
// one and the same. Of requests with the same target, any.
func checkLossy(t *testing.T, seed uint64, c *conversation) {
	t.Helper()
	counted := 0
	for _, n := range c.s.sink.counted {
		counted += n
	}
	require.LessOrEqual(t, len(c.s.sink.done)+counted, len(c.all), "seed %d: invented", seed)
	truth := map[string]map[string]bool{}
	for _, q := range c.all {
		if truth[q.path] == nil {
			truth[q.path] = map[string]bool{}
		}
		truth[q.path][q.want()] = true
	}
	for _, line := range c.s.sink.done {
		what, whole := summary(line)
		fields := strings.Fields(what)
		if fields[1] == "-" {
			require.False(t, whole, line)
			continue
		}
		require.Contains(t, truth, fields[1], "seed %d: %s", seed, line)
		if whole {
			require.Contains(t, truth[fields[1]], what, "seed %d: %s is a mixture", seed, line)
			continue
		}
		if fields[2] == "0" || strings.HasPrefix(fields[1], "/again") {
			continue
		}
		for w := range truth[fields[1]] {
			require.True(t, strings.HasPrefix(w+" ", strings.Join(fields[:3], " ")+" "), "seed %d: %s for %s", seed, line, w)
		}
	}
}

// feedLossily gives data in pieces of which some are lost and some are copied
// in part, one of about every harm calls.
func feedLossily(r *rand.Rand, s *script, side exchange.Side, data string, harm int) {
	for len(data) > 0 {
		k := len(data)
		if r.IntN(2) == 0 {
			k = 1 + r.IntN(k)
		}
		switch r.IntN(3 * harm) {
		case 0:
			s.walkers[side].Pass(data[:k])
			s.gap(side, uint64(k))
		case 1:
			s.seg(side, data[:k], r.IntN(k+1))
		default:
			if k > event.MaxPayload && r.IntN(2) == 0 {
				s.long(side, data[:k], event.MaxPayload)
			} else {
				s.seg(side, data[:k], min(k, event.MaxPayload))
			}
		}
		data = data[k:]
	}
}
