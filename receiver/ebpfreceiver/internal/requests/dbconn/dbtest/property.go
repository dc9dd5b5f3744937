package dbtest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Exchange is a request with its response on the wire, and what is to be found.
type Exchange struct {
	Request, Response string
	Want              string // as What tells it; empty: nothing
}

// Conversation is what the properties are checked with.
type Conversation struct {
	Protocol exchange.Protocol
	Bound    int // of what is copied of a segment
	// Begin is the beginning of a connection, where there is any; the server
	// may speak first.
	Begin func(s *Script)
	// Random returns the n-th exchange of a connection.
	Random func(r *rand.Rand, n int) Exchange
	// Last is one that is always recognised.
	Last Exchange
	// Serial: the client waits for each response.
	Serial bool
	// Namespace is what Begin makes known, and connections that are joined in
	// their midst do not tell.
	Namespace string
	// Midway says that connections need not be seen from their beginning.
	Midway bool
}

// feed gives data to the parser in pieces.
func feed(r *rand.Rand, data string, piece func(data string)) {
	for len(data) > 0 {
		n := 1 + r.IntN(min(len(data), 1+r.IntN(2000)))
		piece(data[:n])
		data = data[n:]
	}
}

// whats is what was found, without times.
func (s *Script) whats(flags bool) (out []string) {
	for _, line := range s.Found {
		i := strings.LastIndex(line, " @")
		what, rest := line[:i], line[i+2:]
		if _, f, has := strings.Cut(rest, " "); has && flags {
			what += " " + f
		}
		out = append(out, what)
	}
	return out
}

// burst makes exchanges that are sent at once.
func (c *Conversation) burst(r *rand.Rand, seed uint64, n int, want *[]string) (requests, responses string) {
	size := 1
	if seed%2 == 1 && !c.Serial {
		size += r.IntN(4)
	}
	var req, resp strings.Builder
	for i := range size {
		x := c.Random(r, 10*n+i)
		if x.Want != "" {
			*want = append(*want, x.Want)
		}
		req.WriteString(x.Request)
		resp.WriteString(x.Response)
	}
	return req.String(), resp.String()
}

// script returns a connection, which is joined in its midst or seen from its
// beginning.
func (c *Conversation) script(r *rand.Rand) *Script {
	midway := c.Midway && r.IntN(2) == 0
	s := NewScript(c.Protocol, r.IntN(2) == 0, midway)
	if !midway && c.Begin != nil {
		c.Begin(s)
	}
	return s
}

// CheckSegmentation checks that however a conversation is cut into calls, the
// same exchanges are seen.
func (c *Conversation) CheckSegmentation(t *testing.T, seeds uint64) {
	t.Helper()
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		s := NewScript(c.Protocol, r.IntN(2) == 0, false)
		if c.Begin != nil {
			c.Begin(s)
		}
		var want []string
		for n := range 12 {
			requests, responses := c.burst(r, seed, n, &want)
			feed(r, requests, func(data string) { s.Seg(exchange.Request, data, len(data)) })
			feed(r, responses, func(data string) { s.Seg(exchange.Response, data, len(data)) })
		}
		require.Equal(t, want, s.whats(true), "seed %d", seed)
		require.Zero(t, s.P.Open())
		require.Zero(t, s.Opened)
	}
}

// CheckBound checks that with only the first bytes of each segment at hand no
// exchange is missed or invented while the client waits for each response; what
// is found is what was sent, or is said to be cut.
func (c *Conversation) CheckBound(t *testing.T, seeds uint64) {
	t.Helper()
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 2))
		s := NewScript(c.Protocol, r.IntN(2) == 0, false)
		if c.Begin != nil {
			c.Begin(s)
		}
		var want []string
		for n := range 12 {
			requests, responses := c.burst(r, 0, n, &want)
			feed(r, requests, func(data string) { s.Seg(exchange.Request, data, c.Bound) })
			feed(r, responses, func(data string) { s.Seg(exchange.Response, data, c.Bound) })
		}
		s.Close()
		got := s.whats(true)
		require.Len(t, got, len(want), "seed %d:\n%s\n%s", seed, strings.Join(want, "\n"), s.Text())
		for i := range want {
			if !said(got[i]) {
				require.Equal(t, want[i], got[i], "seed %d", seed)
			}
		}
	}
}

// said tells whether a description says that the exchange is not whole.
func said(what string) bool {
	for _, word := range []string{
		"hidden", "textcut", "truncated", "desynchronized", "response_lost", "connection_closed", "expired",
	} {
		if strings.HasSuffix(what, word) || strings.Contains(what, word+" ") {
			return true
		}
	}
	return false
}

// CheckLoss checks that whatever is lost or not copied, no exchange gets the
// facts of another one, none is invented, and the parser finds its way back when
// the conversation rests.
func (c *Conversation) CheckLoss(t *testing.T, seeds uint64) {
	t.Helper()
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 3))
		s := c.script(r)
		var want []string
		for n := range 12 {
			requests, responses := c.burst(r, seed, n, &want)
			feedLossily(r, s, exchange.Request, requests)
			feedLossily(r, s, exchange.Response, responses)
		}
		counted := 0
		for _, n := range s.Counted {
			counted += n
		}
		require.LessOrEqual(t, len(s.Found)+s.Opened, len(want), "seed %d: invented\n%s", seed, s.Text())
		require.LessOrEqual(t, counted, 12*5, "seed %d: invented", seed)
		known := map[string]bool{c.bare(c.Last.Want): true}
		for _, w := range want {
			known[c.bare(w)] = true
		}
		for range 2 {
			s.Pause(2e9).Req(c.Last.Request).Resp(c.Last.Response)
		}
		list, plain := s.whats(true), s.whats(false)
		require.NotEmpty(t, list, "seed %d", seed)
		for i := range list {
			if !said(list[i]) {
				require.True(t, known[c.bare(plain[i])] || strings.Contains(plain[i], "UNSEEN"), "seed %d: %s is a mixture of\n%s", seed, s.Found[i], strings.Join(want, "\n"))
			}
		}
		require.Equal(t, c.bare(c.Last.Want), c.bare(list[len(list)-1]), "seed %d: %+v", seed, s.P)
	}
}

// bare is a description without the namespace. What was prepared before it was
// lost sight of has no text, which is said.
func (c *Conversation) bare(what string) string {
	return strings.Replace(what, " in "+c.Namespace, "", 1)
}

// feedLossily gives data in pieces of which some are lost and some are copied in
// part.
func feedLossily(r *rand.Rand, s *Script, side exchange.Side, data string) {
	feed(r, data, func(piece string) {
		switch r.IntN(12) {
		case 0:
			s.Gap(side, uint64(len(piece)))
		case 1:
			s.Seg(side, piece, r.IntN(len(piece)+1))
		case 2:
			s.Moved(side, uint64(len(piece)))
		default:
			s.Seg(side, piece, len(piece))
		}
	})
}
