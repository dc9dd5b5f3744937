package requests

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

const (
	preamble1 = "PROXY TCP4 127.0.0.1 127.0.0.1 45678 80\r\n"
	preamble2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\xb2\x6e\x00\x50"
)

// preambleClass is the class that the kernel side knows preambles by.
func preambleClass(ev *event.Event) { ev.Request.Class = uint8(len(Protocols()) + 1) }

func TestPreambles(t *testing.T) {
	const twice = "GET /a complete\nGET /a complete"
	for _, preamble := range []string{
		preamble1, preamble2, "PROXY UNKNOWN\r\n", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
	} {
		for _, role := range []event.Role{client, server} {
			ask, answer := send, recv
			if role == server {
				ask, answer = recv, send
			}
			var told []judgement
			p := newTape(Config{Judge: func(socket uint64, refused uint32, class uint8, _ bool) {
				told = append(told, judgement{socket, refused, class})
			}})
			// In one call with two requests, and in one of its own.
			p.data(1, role, ask, preamble+get+get, preambleClass, head).data(1, role, answer, ok3+ok3, preambleClass)
			require.Equal(t, twice, strings.Join(p.got, "\n"))
			require.Equal(t, []judgement{{1, 1 << (len(Protocols()) + 1), 1}}, told, "the kernel side is told what it is")
			p.data(2, role, ask, preamble, preambleClass, head).data(2, role, ask, get+get, preambleClass).data(2, role, answer, ok3+ok3, preambleClass)
			require.Equal(t, twice+"\n"+twice, strings.Join(p.got, "\n"))
			require.Zero(t, p.a.Stats().Gaps)
			require.Zero(t, p.a.Stats().Unknown)
			require.Equal(t, role, p.ends[0].Role)
			p.close(1).close(2)
			require.Empty(t, p.a.preambles)
			require.EqualValues(t, 4, p.a.Stats().Exchanges[exchange.Complete])
		}
	}
}

// What follows may be any protocol, also one whose server speaks first.
func TestPreambleBeforeAnother(t *testing.T) {
	p, verdicts := judged()
	third := func(ev *event.Event) { ev.Request.Class = 3 }
	p.data(1, server, recv, preamble2, third, head).data(1, server, recv, "ASK2---- x", third).data(1, server, send, "TELL2--- y", third)
	require.Equal(t, []string{"two complete"}, p.got)
	require.Equal(t, []judgement{{1, 1 << 3, 2}}, *verdicts)
}

func TestPreambleIsNothingElse(t *testing.T) {
	for _, b := range []string{
		"", "PROXY", "PROXY TCP4 127.0.0.1", "PROXY " + strings.Repeat("x", longestText) + "\r\n", preamble2[:binaryHead-1], preamble2[:binaryHead],
		"\r\n\r\n", get,
	} {
		require.Zero(t, preambleSize([]byte(b)), b)
	}
	p := newTape(Config{})
	p.data(1, server, recv, get).data(1, server, send, ok3).data(1, server, recv, preamble1+get).data(1, server, send, ok3)
	require.NotContains(t, strings.Join(p.got[1:], "\n"), "complete", "only a connection begins with a preamble")
	for socket := range uint64(maxPreambles + 10) {
		p.data(10+socket, server, recv, preamble1, preambleClass, head)
	}
	require.LessOrEqual(t, len(p.a.preambles), maxPreambles)
}
