package dbtest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// CheckSkip checks that the exchanges between others that were left out whole are
// what they are by themselves, or said not to be. The first one behind may not be
// recognised.
func (c *Conversation) CheckSkip(t *testing.T, seeds uint64) {
	t.Helper()
	found, sent := 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 4))
		s := NewScript(c.Protocol, r.IntN(2) == 0, false)
		if c.Begin != nil {
			c.Begin(s)
		}
		var want, left []string
		skips := false
		for n := range 20 {
			if n > 0 && r.IntN(3) == 0 {
				c.burst(r, 0, n, &left)
				skips = true
				continue
			}
			if skips {
				s.P.(exchange.Skipper).Skip(s.Now)
				skips = false
			}
			requests, responses := c.burst(r, 0, n, &want)
			feed(r, requests, func(data string) { s.Seg(exchange.Request, data, len(data)) })
			feed(r, responses, func(data string) { s.Seg(exchange.Response, data, len(data)) })
		}
		require.Zero(t, s.Opened, "seed %d", seed)
		at := 0
		for _, what := range s.whats(true) {
			if said(what) {
				continue
			}
			for at < len(want) && c.bare(want[at]) != c.bare(what) && !strings.Contains(what, "UNSEEN") {
				at++
			}
			require.Less(t, at, len(want), "seed %d: %s was not sent, or not there, but\n%q", seed, what, want)
			at++
		}
		found, sent = found+len(s.Found), sent+len(want)
	}
	require.Greater(t, found, sent*3/4) // less what comes before it is known that the client waits for answers
	t.Logf("%d of %d", found, sent)
}

// CheckOverrun checks that of a client that asks on while answers are owed nothing is
// told after exchanges were left out, until it has rested; and all from then on.
func (c *Conversation) CheckOverrun(t *testing.T) {
	t.Helper()
	for _, client := range []bool{false, true} {
		s := NewScript(c.Protocol, client, false)
		if c.Begin != nil {
			c.Begin(s)
		}
		ask, answer := func() { s.Req(c.Last.Request) }, func() { s.Resp(c.Last.Response) }
		ask()
		for range 10 {
			ask()
			answer()
		}
		require.Len(t, s.Found, 10)
		s.P.(exchange.Skipper).Skip(s.Now)
		before := len(s.Found) // what was owed has lost its answer
		for range 20 {
			ask()
			answer()
		}
		answer()
		require.Len(t, s.Found, before, "an answer was taken for that to another request")
		s.Pause(2e9)
		for range 5 {
			ask()
			answer()
		}
		require.Len(t, s.Found, before+5)
		require.Equal(t, c.bare(c.Last.Want), c.bare(s.whats(true)[before+4]))
	}
}
