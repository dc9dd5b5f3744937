package requests

import (
	"net/netip"
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
			for _, end := range p.ends {
				require.Equal(t, preambleClient([]byte(preamble)), end.Client)
			}
			p.close(1).close(2)
			require.Empty(t, p.a.preambles)
			require.EqualValues(t, 4, p.a.Stats().Exchanges[exchange.Complete])
		}
	}
}

// What is encrypted behind it is for the same client, and begins at its own first byte.
func TestPreambleBeforeCipherText(t *testing.T) {
	p := newTape(Config{})
	plain := func(ev *event.Event) { ev.Request.Flags |= event.RequestTLS }
	const text = 1 | event.TLSStream
	p.data(1, server, recv, preamble1, preambleClass, head)
	p.data(text, server, recv, get, plain, head).data(text, server, send, ok3, plain)
	require.Equal(t, []string{"GET /a complete"}, p.got)
	require.Equal(t, preambleClient([]byte(preamble1)), p.ends[0].Client)
	p.close(text).close(1)
	require.Empty(t, p.a.preambles)
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

func TestPreambleClient(t *testing.T) {
	const six = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	for b, want := range map[string]string{
		preamble1:                                "127.0.0.1:45678",
		preamble2:                                "127.0.0.1:45678",
		"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n": "[2001:db8::1]:1",
		preambleBinary + "\x21\x21\x00\x24" + six + six + "\x00\x07\x00\x50":                            "[2001:db8::1]:7",
		preambleBinary + "\x21\x11\x00\x0f\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x07\x00\x50\x04\x00\x00": "10.0.0.1:7",
		"PROXY UNKNOWN\r\n": "", "PROXY UNKNOWN ::1 ::1 1 2\r\n": "", "PROXY TCP4 x 127.0.0.1 1 2\r\n": "",
		"PROXY TCP4 127.0.0.1 127.0.0.1 65536 80\r\n": "", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n": "", "PROXY \r\n": "",
		preambleBinary + "\x20\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\xb2\x6e\x00\x50": "", // its own, to see whether all is well
		preambleBinary + "\x21\x12\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\xb2\x6e\x00\x50": "", // of UDP
		preambleBinary + "\x21\x11\x00\x02\x7f\x00":                                         "", // too short
	} {
		require.Len(t, b, preambleSize([]byte(b)), "%q", b)
		var addr netip.AddrPort
		if want != "" {
			addr = netip.MustParseAddrPort(want)
		}
		require.Equal(t, addr, preambleClient([]byte(b)), "%q", b)
	}
}

func FuzzPreamble(f *testing.F) {
	f.Add([]byte(preamble1))
	f.Add([]byte(preamble2))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := preambleSize(b)
		require.LessOrEqual(t, n, len(b))
		if n > 0 {
			preambleClient(b[:n])
		}
	})
}
