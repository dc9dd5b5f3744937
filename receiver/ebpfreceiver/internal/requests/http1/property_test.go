package http1

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// message is one request with its response on the wire.
type message struct {
	request, response string
	want              string // method, target and status
}

// randomMessage makes an exchange with any framing that HTTP/1.1 has for kept
// connections.
func randomMessage(r *rand.Rand, n int) message {
	method := []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PURGE"}[r.IntN(6)]
	target := fmt.Sprintf("/%d?%s", n, strings.Repeat("q", r.IntN(60)))
	m := message{}
	head := method + " " + target + " HTTP/1.1\r\nHost: h\r\n"
	if method == "POST" || method == "PUT" {
		m.request = head + randomBody(r)
	} else {
		m.request = head + "\r\n"
	}
	status := []int{200 + r.IntN(400), 204, 304}[max(0, r.IntN(6)-3)]
	if r.IntN(8) == 0 {
		m.response = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	}
	m.response += fmt.Sprintf("HTTP/1.1 %d S\r\nServer: s\r\n", status)
	switch {
	case status == 204 || status == 304:
		m.response += "\r\n"
	case method == "HEAD":
		m.response += "Content-Length: 99\r\n\r\n"
	default:
		m.response += randomBody(r)
	}
	m.want = fmt.Sprintf("%s %s %d", method, target, status)
	return m
}

// randomBody is the end of a head and a body.
func randomBody(r *rand.Rand) string {
	noise := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("ab\r\n0GET HTTP/1."[r.IntN(15)])
		}
		return b.String()
	}
	if r.IntN(2) == 0 {
		body := noise(r.IntN(1500))
		return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	var b strings.Builder
	b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	for range r.IntN(4) {
		chunk := noise(1 + r.IntN(700))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}

// feedRandomly gives data to the parser in pieces. copied says how many bytes
// of a piece the kernel would copy.
func feedRandomly(r *rand.Rand, s *script, side exchange.Side, data string, copied func(piece string) int) {
	for len(data) > 0 {
		n := 1 + r.IntN(min(len(data), 1+r.IntN(2000)))
		s.seg(side, data[:n], copied(data[:n]))
		data = data[n:]
	}
}

func everything(piece string) int { return len(piece) }

// summary is what does not depend on how the bytes came.
func summary(s *script) []string {
	var out []string
	for _, line := range s.sink.done {
		what, rest, _ := strings.Cut(line, " @")
		if _, flags, has := strings.Cut(rest, " "); has {
			what += " " + flags
		}
		out = append(out, what)
	}
	return out
}

// However a conversation is cut into calls, the same exchanges are seen.
func TestAnySegmentation(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newScript(r.IntN(2) == 0, false)
		var want []string
		for n := range 12 {
			burst := 1
			if seed%2 == 1 {
				burst += r.IntN(4)
			}
			var requests, responses string
			for i := range burst {
				m := randomMessage(r, 10*n+i)
				requests += m.request
				responses += m.response
				want = append(want, m.want)
			}
			feedRandomly(r, s, exchange.Request, requests, everything)
			feedRandomly(r, s, exchange.Response, responses, everything)
		}
		require.Equal(t, want, summary(s), "seed %d", seed)
		require.Zero(t, s.p.Open())
	}
}

// The same when the kernel copies only as much as it is told to: the heads and
// what lies before the bound.
func TestAnySegmentationBounded(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := newScript(r.IntN(2) == 0, false)
		var want []string
		for n := range 12 {
			m := randomMessage(r, n)
			want = append(want, m.want)
			for _, side := range []struct {
				side exchange.Side
				data string
			}{{exchange.Request, m.request}, {exchange.Response, m.response}} {
				budget := DefaultResponseBytes // a turn of the conversation
				feedRandomly(r, s, side.side, side.data, func(piece string) int {
					if len(piece) >= 8 && New().Classify([]byte(piece)) != exchange.Foreign {
						budget = DefaultResponseBytes
					}
					n := min(budget, len(piece))
					budget -= n
					return n
				})
			}
		}
		s.close()
		require.Equal(t, want, summary(s), "seed %d", seed)
	}
}

// Whatever is lost or not copied, no exchange gets the facts of another one,
// none is invented, and the parser finds its way back when the conversation
// rests.
func TestAnyLoss(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := newScript(r.IntN(2) == 0, false)
		want := map[string]bool{}
		for n := range 12 {
			burst := 1
			if seed%2 == 1 {
				burst += r.IntN(4)
			}
			var requests, responses string
			for i := range burst {
				m := randomMessage(r, 10*n+i)
				want[m.want] = true
				requests += m.request
				responses += m.response
			}
			feedLossily(r, s, exchange.Request, requests)
			feedLossily(r, s, exchange.Response, responses)
		}
		counted := 0
		for _, n := range s.sink.counted {
			counted += n
		}
		require.LessOrEqual(t, len(s.sink.done)+s.sink.open+counted, len(want), "seed %d: invented", seed)
		for range 2 {
			s.pause(2e9).req("GET /last HTTP/1.1\r\n\r\n").resp(empty)
		}
		for _, line := range s.sink.done {
			what, rest, _ := strings.Cut(line, " @")
			if strings.Contains(rest, " ") || strings.HasSuffix(what, "/last 204") {
				continue // told to be incomplete
			}
			require.True(t, want[what], "seed %d: %s is a mixture", seed, line)
		}
		require.Contains(t, s.sink.done[len(s.sink.done)-1], "GET /last 204", "seed %d", seed)
	}
}

// feedLossily gives data in pieces of which some are lost and some are copied
// in part.
func feedLossily(r *rand.Rand, s *script, side exchange.Side, data string) {
	for len(data) > 0 {
		k := 1 + r.IntN(min(len(data), 900))
		switch r.IntN(12) {
		case 0:
			s.gap(side, uint64(k))
		case 1:
			s.seg(side, data[:k], r.IntN(k+1))
		case 2:
			s.moved(side, uint64(k))
		default:
			s.seg(side, data[:k], k)
		}
		data = data[k:]
	}
}
