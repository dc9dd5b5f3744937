package http2

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Times in the scripts below begin with 1 and 2 for the greeting.
func TestParser(t *testing.T) {
	tests := []struct {
		name   string
		client bool
		play   func(*script)
		want   []string
	}{
		{name: "one exchange", play: func(s *script) {
			s.c.get(1, "/a")
			s.req()
			s.s.status(1, "200", false).data(1, true, "abc")
			s.resp()
		}, want: []string{"GET /a 200 @3+4+4"}},
		{name: "streams that overlap", play: func(s *script) {
			s.c.get(1, "/a").get(3, "/b").post(5, "/c")
			s.req()
			s.s.status(3, "404", true).status(1, "200", false)
			s.resp()
			s.c.data(5, true, "body")
			s.req()
			s.s.status(5, "201", true).data(1, false, "x")
			s.resp()
			s.s.data(1, true, "")
			s.resp()
		}, want: []string{"GET /b 404 @3+4+4", "POST /c 201 @3+6+6", "GET /a 200 @3+4+7"}},
		{name: "body of a request that tells what is asked", play: func(s *script) {
			s.c.post(1, "/graphql").data(1, false, "{bod").data(1, true, "y 1}").post(3, "/a").data(3, true, "body")
			s.req()
			s.s.status(1, "200", true).status(3, "200", true)
			s.resp()
		}, want: []string{"POST /graphql 200 body={body 1} @3+4+4", "POST /a 200 @3+4+4"}},
		{name: "a header block in several frames", play: func(s *script) {
			s.c.parted(1, true, ":method", "GET", ":scheme", "http", ":path", "/a", ":authority", "h")
			s.req()
			s.s.parted(1, false, ":status", "200", "x", "y").data(1, true, "")
			s.resp()
		}, want: []string{"GET /a 200 @3+4+4"}},
		{name: "interim responses", play: func(s *script) {
			s.c.post(1, "/a")
			s.req()
			s.s.status(1, "100", false)
			s.resp()
			s.c.data(1, true, "body")
			s.req()
			s.s.status(1, "103", false).status(1, "200", true)
			s.resp()
		}, want: []string{"POST /a 200 @3+6+6"}},
		{name: "trailers", play: func(s *script) {
			s.c.post(1, "/a").data(1, false, "x").headers(1, true, "x-check", "1")
			s.req()
			s.s.status(1, "200", false).data(1, false, "x")
			s.resp()
			s.s.headers(1, true, "x-check", "2")
			s.resp()
		}, want: []string{"POST /a 200 @3+4+5"}},
		{name: "answered before the request was complete", play: func(s *script) {
			s.c.post(1, "/a").data(1, false, "x")
			s.req()
			s.s.status(1, "413", true)
			_ = s.s.framer.WriteRSTStream(1, http2.ErrCodeNo)
			s.resp()
			s.c.data(1, true, "x")
			s.req()
		}, want: []string{"POST /a 413 @3+4+4"}},
		{name: "cancelled by the client", play: func(s *script) {
			s.c.get(1, "/a").get(3, "/b")
			s.req()
			s.s.status(1, "200", false)
			s.resp()
			_ = s.c.framer.WriteRSTStream(1, http2.ErrCodeCancel)
			s.req()
			s.s.data(1, false, "late").status(3, "200", true)
			s.resp()
		}, want: []string{"GET /a 200 @3+4+5 stream_reset callergone CANCEL", "GET /b 200 @3+6+6"}},
		{name: "given up by the server", play: func(s *script) {
			s.c.get(1, "/a")
			s.req()
			_ = s.s.framer.WriteRSTStream(1, http2.ErrCodeInternal)
			s.resp()
		}, want: []string{"GET /a 0 @3+0+4 stream_reset INTERNAL_ERROR"}},
		{name: "going away", play: func(s *script) {
			s.c.get(1, "/a").get(3, "/b")
			s.req()
			_ = s.s.framer.WriteGoAway(1, http2.ErrCodeNo, []byte("bye"))
			s.s.status(1, "200", true)
			s.resp()
		}, want: []string{"GET /b 0 @3+0+4 connection_closed", "GET /a 200 @3+4+4"}},
		{name: "push is ignored", play: func(s *script) {
			s.c.get(1, "/a")
			s.req()
			_ = s.s.framer.WritePushPromise(http2.PushPromiseParam{
				StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: s.s.fields(":method", "GET", ":path", "/pushed", ":authority", "h"),
			})
			s.s.status(2, "200", false).status(1, "200", true).data(2, true, "pushed")
			s.resp()
		}, want: []string{"GET /a 200 @3+4+4"}},
		{name: "padding", play: func(s *script) {
			s.c.post(1, "/a")
			_ = s.c.framer.WriteDataPadded(1, true, []byte("body"), make([]byte, 200))
			s.req()
			s.s.status(1, "200", false)
			_ = s.s.framer.WriteDataPadded(1, false, nil, make([]byte, 255))
			s.s.data(1, true, "")
			s.resp()
		}, want: []string{"POST /a 200 @3+4+4"}},
		{name: "closed", play: func(s *script) {
			s.c.get(1, "/a")
			s.req()
			s.close()
		}, want: []string{"GET /a 0 @3+0+4 connection_closed"}},
		{name: "a response that was reported first", client: true, play: func(s *script) {
			s.s.status(1, "200", true)
			s.resp()
			s.c.get(1, "/a")
			s.req()
			s.c.get(3, "/b")
			s.req()
			s.s.status(3, "200", true)
			s.resp()
		}, want: []string{"GET /a 200 @4+3+4", "GET /b 200 @5+6+6"}},
		{name: "a response without a request", client: true, play: func(s *script) {
			s.s.status(1, "200", true)
			s.resp().pause(2e9)
		}},
		{name: "events", play: func(s *script) {
			s.c.get(1, "/a")
			s.req()
			s.s.headers(1, false, ":status", "200", "content-type", "text/event-stream; charset=utf-8").data(1, true, "")
			s.resp()
		}, want: []string{"GET /a 200 @3+4+4 class=1"}},
		{name: "WebSocket", play: func(s *script) {
			s.c.headers(1, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/chat", ":authority", "h")
			s.req()
			s.s.status(1, "200", false)
			s.resp()
			s.close()
		}, want: []string{"CONNECT /chat 200 @3+4+5 class=1 connection_closed upgraded"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(tt.client, false).greet()
			tt.play(s)
			require.Equal(t, strings.Join(tt.want, "\n"), strings.Join(s.sink.done, "\n"))
			require.Equal(t, s.p.Open(), s.sink.open)
			require.Empty(t, s.sink.counted)
			s.close()
			require.Zero(t, s.sink.open)
		})
	}
}

func TestGRPC(t *testing.T) {
	tests := []struct {
		name string
		play func(*script)
		want string
	}{
		{"unary", func(s *script) {
			s.c.call(1, "/p.S/M").message(1, true, 10)
			s.req()
			s.s.accept(1).message(1, false, 20).trailers(1, "0")
			s.resp()
		}, "POST /p.S/M 200 @3+4+4 grpc=OK"},
		{"trailers only", func(s *script) {
			s.c.call(1, "/p.S/M").message(1, true, 10)
			s.req()
			s.s.headers(1, true, ":status", "200", "content-type", "application/grpc", "grpc-status", "12")
			s.resp()
		}, "POST /p.S/M 200 @3+4+4 grpc=UNIMPLEMENTED"},
		{"messages over frames and segments", func(s *script) {
			s.c.call(1, "/p.S/M").message(1, true, 0)
			s.req()
			s.s.accept(1).data(1, false, "\x00\x00")
			s.resp()
			s.s.data(1, false, "\x00\x00\x03a").data(1, false, "bc").trailers(1, "0")
			s.resp()
		}, "POST /p.S/M 200 @3+4+5 grpc=OK"},
		{"server stream", func(s *script) {
			s.c.call(1, "/p.S/M").message(1, true, 1)
			s.req()
			s.s.accept(1).message(1, false, 1).message(1, false, 2)
			s.resp()
			s.s.trailers(1, "0")
			s.resp()
		}, "POST /p.S/M 200 @3+4+5 grpc=OK class=1"},
		{"client stream", func(s *script) {
			s.c.call(1, "/p.S/M").message(1, false, 1).message(1, true, 1)
			s.req()
			s.s.accept(1).message(1, false, 1).trailers(1, "5")
			s.resp()
		}, "POST /p.S/M 200 @3+4+4 grpc=NOT_FOUND class=1"},
		{"a stream of one message that waits", func(s *script) {
			s.c.call(1, "/p.S/M").message(1, true, 1)
			s.req()
			s.s.accept(1).message(1, false, 1)
			s.resp()
			s.pause(3e9)
			_ = s.c.framer.WriteRSTStream(1, http2.ErrCodeCancel)
			s.req()
		}, "POST /p.S/M 200 @3+4+3000000005 grpc=CANCELLED class=1 stream_reset callergone CANCEL"},
		{"deadline", func(s *script) {
			s.c.headers(1, false, ":method", "POST", ":path", "/p.S/M", "content-type", "application/grpc+proto", "grpc-timeout", "100m")
			s.req()
			s.pause(100e6)
			_ = s.c.framer.WriteRSTStream(1, http2.ErrCodeCancel)
			s.req()
		}, "POST /p.S/M 0 @3+0+100000004 grpc=DEADLINE_EXCEEDED stream_reset callergone CANCEL"},
		{"refused", func(s *script) {
			s.c.call(1, "/p.S/M")
			s.req()
			_ = s.s.framer.WriteRSTStream(1, http2.ErrCodeRefusedStream)
			s.resp()
		}, "POST /p.S/M 0 @3+0+4 grpc=UNAVAILABLE stream_reset REFUSED_STREAM"},
		{"a proxy's answer", func(s *script) {
			s.c.call(1, "/p.S/M")
			s.req()
			s.s.headers(1, true, ":status", "503", "content-type", "text/html")
			s.resp()
		}, "POST /p.S/M 503 @3+4+4 grpc=UNAVAILABLE"},
		{"health check", func(s *script) {
			s.c.call(1, "/grpc.health.v1.Health/Check")
			s.req()
			s.s.accept(1).message(1, false, 2).trailers(1, "0")
			s.resp()
		}, "POST /grpc.health.v1.Health/Check 200 @3+4+4 grpc=OK class=3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(false, false).greet()
			tt.play(s)
			require.Equal(t, tt.want, strings.Join(s.sink.done, "\n"))
		})
	}
}

// Whatever is not known is told to be so, and what is known later is right.
func TestMidway(t *testing.T) {
	s := newScript(false, true)
	// What the encoders have learned before is not known.
	s.c.call(1, "/p.S/Old")
	s.s.accept(1).trailers(1, "0")
	s.c.take()
	s.s.take()

	s.c.call(3, "/p.S/Old").message(3, true, 3)
	s.req()
	s.s.accept(3).message(3, false, 3).trailers(3, "0")
	s.resp()
	require.Equal(t, []string{"POST - 200 @1+2+2 headers_unknown unknown responseunknown"}, s.sink.done)

	s.sink.done = nil
	s.c.call(5, "/p.S/New").message(5, true, 3)
	s.req()
	s.s.headers(5, true, ":status", "200", "content-type", "application/grpc", "grpc-status", "7")
	s.resp()
	require.Equal(t, []string{
		"POST /p.S/New 200 @3+4+4 headers_unknown unknown responseunknown",
	}, s.sink.done)
}

func TestLosses(t *testing.T) {
	t.Run("of a request", func(t *testing.T) {
		s := newScript(false, false).greet()
		s.c.get(1, "/a")
		s.req()
		s.s.status(1, "200", true)
		s.resp()
		s.c.get(3, "/b").get(5, "/c")
		s.lost(exchange.Request)
		s.s.status(3, "200", true)
		s.resp()
		s.c.headers(7, true, ":method", "GET", ":path", "/d")
		s.req()
		s.s.status(7, "204", true)
		s.resp()
		require.Equal(t, []string{"GET /a 200 @3+4+4", "GET /d 204 @6+7+7"}, s.sink.done)
		require.Equal(t, map[exchange.Reason]int{exchange.RequestLost: 2}, s.sink.counted)
	})
	t.Run("of the end of a response", func(t *testing.T) {
		s := newScript(false, false).greet()
		s.c.get(1, "/a").get(3, "/b")
		s.req()
		s.s.status(1, "200", false).status(3, "200", false)
		s.resp()
		s.s.data(1, true, "abc")
		s.lost(exchange.Response)
		s.s.data(3, true, "abc")
		s.resp()
		require.Equal(t, []string{"GET /b 200 @3+4+5"}, s.sink.done, "it goes on where a frame begins")
		s.pause(11e9)
		require.Equal(t, "GET /a 200 @3+4+4 response_lost", s.sink.done[1])
	})
	t.Run("of the head of a response", func(t *testing.T) {
		s := newScript(false, false).greet()
		s.c.get(1, "/a")
		s.req()
		s.s.status(1, "200", false)
		s.lost(exchange.Response)
		s.s.data(1, true, "abc")
		s.resp()
		require.Equal(t, []string{"GET /a 0 @3+0+4 response_lost"}, s.sink.done)
	})
	t.Run("within a body", func(t *testing.T) {
		s := newScript(false, false).greet()
		s.c.get(1, "/a")
		s.req()
		s.s.status(1, "200", false).data(1, false, strings.Repeat("x", 8000))
		b := s.s.take()
		s.seg(exchange.Response, b[:1000], 1000).gap(exchange.Response, 3000).seg(exchange.Response, b[4000:], 4096)
		s.s.data(1, true, "")
		s.resp()
		require.Equal(t, []string{"GET /a 200 @3+4+6"}, s.sink.done)
	})
	t.Run("of nothing but data", func(t *testing.T) {
		s := newScript(false, false).greet()
		for id := uint32(1); id < 9; id += 2 {
			s.c.call(id, "/p.S/M").message(id, true, 9000)
			s.req()
			s.s.accept(id).message(id, false, 16000).trailers(id, "5")
			s.resp()
		}
		require.Equal(t, "POST /p.S/M 200 @9+10+10 grpc=NOT_FOUND", s.sink.done[3])
	})
	t.Run("of some frames, with the end at hand", func(t *testing.T) {
		s := newScript(false, false).greet()
		for id := uint32(1); id < 4; id += 2 {
			s.c.call(id, "/p.S/M").message(id, true, 1)
			s.req()
			s.s.accept(id).message(id, false, 16000).data(id, false, strings.Repeat("m", 200)).trailers(id, "0")
			s.resp()
		}
		require.Equal(t, []string{
			"POST /p.S/M 200 @3+4+4 grpc=OK",
			"POST /p.S/M 200 @5+6+6 grpc= headers_unknown responseunknown",
		}, s.sink.done)
	})
	t.Run("beyond what is copied", func(t *testing.T) {
		s := newScript(false, false).greet()
		s.c.get(1, "/a")
		s.req()
		s.s.status(1, "200", false).data(1, false, strings.Repeat("x", 16000)).data(1, true, strings.Repeat("x", 200))
		s.resp()
		require.Empty(t, s.sink.done)
		s.c.get(3, "/b")
		s.req()
		s.s.status(3, "200", true)
		s.resp()
		s.pause(11e9)
		require.Equal(t, []string{"GET /b 200 @5+6+6", "GET /a 200 @3+4+4 truncated"}, s.sink.done)
	})
}

func TestClassify(t *testing.T) {
	c, s := newPeer(), newPeer()
	_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	greeting := c.take()
	_ = c.framer.WritePing(false, [8]byte{})
	pinged := c.take()
	for _, tt := range []struct {
		name, b string
		want    exchange.Verdict
	}{
		{"preface", preface, exchange.IsRequest},
		{"a part of it", preface[:8], exchange.IsRequest},
		{"another", "PRI * HTTP/3.0\r\n\r\n", exchange.Foreign},
		{"settings", greeting, exchange.IsEither},
		{"ping", pinged, exchange.IsEither},
		{"request", c.get(1, "/").take(), exchange.IsRequest},
		{"response", s.status(1, "200", true).take(), exchange.IsResponse},
		{"fields that are not known", c.headers(3, true, ":authority", "h").take(), exchange.IsEither},
		{"header of a frame", "\x00\x00\x05\x01\x05\x00\x00\x00\x05", exchange.IsEither},
		{"trailers", s.headers(1, true, "grpc-status", "0").take(), exchange.IsEither},
		{"no block", "\x00\x00\x01\x01\x05\x00\x00\x00\x05\x80", exchange.Foreign},
		{"HTTP/1", "GET / HTTP/1.1\r\n", exchange.Foreign},
		{"little", "\x00\x00", exchange.Foreign},
	} {
		require.Equal(t, tt.want, New().Classify([]byte(tt.b)), tt.name)
	}
}
