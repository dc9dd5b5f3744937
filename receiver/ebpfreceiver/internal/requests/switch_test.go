package requests

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http1"
)

// What moves over a connection that is upgraded to HTTP/2.
const (
	upgradeAsked   = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
	upgradeGranted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
)

// frames writes header blocks as one side of HTTP/2 does, behind settings.
func frames(start string, write func(header func(id uint32, fields ...string))) string {
	var b, block bytes.Buffer
	b.WriteString(start)
	f, enc := http2.NewFramer(&b, nil), hpack.NewEncoder(&block)
	_ = f.WriteSettings()
	write(func(id uint32, fields ...string) {
		block.Reset()
		for i := 0; i < len(fields); i += 2 {
			_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
	})
	return b.String()
}

func secondRequest() string {
	return frames(http2.ClientPreface, func(header func(uint32, ...string)) {
		header(3, ":method", "GET", ":scheme", "http", ":path", "/b", ":authority", "h")
	})
}

func answers(ids ...uint32) string {
	return frames("", func(header func(uint32, ...string)) {
		for _, id := range ids {
			header(id, ":status", "200")
		}
	})
}

func TestUpgradeToHTTP2(t *testing.T) {
	const h2 = "http2 complete"
	for name, tt := range map[string]struct {
		play func(p *tape, role event.Role, ask, answer event.Direction)
		want []string
	}{
		"answered by what follows the head": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked).data(1, role, answer, upgradeGranted+answers(1))
			p.data(1, role, ask, secondRequest()).data(1, role, answer, answers(3))
		}, []string{h2, h2}},
		"answered after the client has begun": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked).data(1, role, answer, upgradeGranted)
			p.data(1, role, ask, secondRequest()).data(1, role, answer, answers(3, 1))
		}, []string{h2, h2}},
		"in parts": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked)
			all := upgradeGranted + answers(1)
			p.data(1, role, answer, all[:20]).data(1, role, answer, all[20:50]).data(1, role, answer, all[50:90]).data(1, role, answer, all[90:])
		}, []string{h2}},
		"refused": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked).data(1, role, answer, ok3).data(1, role, ask, get).data(1, role, answer, ok3)
		}, []string{"GET /a complete", "GET /a complete"}},
		"never answered": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked).data(1, role, answer, upgradeGranted)
		}, []string{"http2 connection_closed"}},
		"with a loss behind the head": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked).data(1, role, answer, upgradeGranted)
			p.lost(1, answer, 30).data(1, role, ask, secondRequest()).data(1, role, answer, answers(3))
		}, []string{h2, "http2 response_lost"}},
		"to something else": {func(p *tape, role event.Role, ask, answer event.Direction) {
			p.data(1, role, ask, upgradeAsked).data(1, role, answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
		}, []string{"GET /a complete"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, role := range []event.Role{client, server} {
				p := newTape(Config{})
				ask, answer := send, recv
				if role == server {
					ask, answer = recv, send
				}
				tt.play(p, role, ask, answer)
				p.close(1)
				require.Equal(t, tt.want, p.got, "%v", role)
				s := p.a.Stats()
				require.Zero(t, s.Connections)
				require.Zero(t, s.OpenRequests)
				require.EqualValues(t, 1, s.Opened)
				for _, e := range p.ends {
					require.Equal(t, role, e.Role)
					require.EqualValues(t, owner, e.Owner.TGID)
				}
			}
		})
	}
}

// Where HTTP/2 is not followed, an upgrade is what it is for any other protocol.
func TestUpgradeUnfollowed(t *testing.T) {
	p := newTape(Config{Protocols: []exchange.Protocol{http1.New()}})
	p.data(1, client, send, upgradeAsked).data(1, client, recv, upgradeGranted+answers(1)).close(1)
	require.Equal(t, []string{"GET /a complete"}, p.got)
}
