package http1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

const (
	get   = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
	getB  = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
	ok3   = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	empty = "HTTP/1.1 204 No Content\r\n\r\n"
)

var (
	long    = strings.Repeat("x", 1000)
	longGet = "GET /a HTTP/1.1\r\nHost: h\r\nCookie: " + long + "\r\n\r\n"
	longOK  = "HTTP/1.1 200 OK\r\nX: " + long + "\r\nContent-Length: 3\r\n\r\nabc"
)

func TestParser(t *testing.T) {
	const (
		req  = exchange.Request
		resp = exchange.Response
	)
	tests := []struct {
		name   string
		client bool
		midway bool
		play   func(*script)
		want   []string
	}{
		{
			name: "one exchange", play: func(s *script) { s.req(get).resp(ok3) },
			want: []string{"GET /a 200 @1+2+2"},
		},
		{
			name: "keep-alive", play: func(s *script) { s.req(get).resp(ok3).req(getB).resp(empty) },
			want: []string{"GET /a 200 @1+2+2", "GET /b 204 @3+4+4"},
		},
		{name: "body of a request that tells what is asked", play: func(s *script) {
			const head = "POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n"
			s.req(head + "{body 1}").resp(ok3).req(head).req("{bod").req("y 2}" + get).resp(ok3 + ok3)
			s.req("POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody").resp(ok3)
			s.req("POST /graphql HTTP/1.1\r\nContent-Length: 3000\r\n\r\n" + long + long + long).resp(ok3)
		}, want: []string{
			"POST /graphql 200 body={body 1} @1+2+2", "POST /graphql 200 body={body 2} @3+6+6", "GET /a 200 @5+6+6", "POST /a 200 @7+8+8",
			"POST /graphql 200 body=" + long[:512-len("POST /graphql HTTP/1.1\r\nContent-Length: 3000\r\n\r\n")] + " @9+10+10",
		}},
		{name: "head and body of the response apart", play: func(s *script) {
			s.req(get).resp(ok3[:len(ok3)-3]).resp("a").resp("bc")
		}, want: []string{"GET /a 200 @1+2+4"}},
		{name: "body moved by the kernel", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").moved(resp, 60000).moved(resp, 40000)
		}, want: []string{"GET /a 200 @1+2+4"}},
		{name: "request byte by byte", play: func(s *script) {
			for i := range get {
				s.req(get[i : i+1])
			}
			s.resp(ok3)
		}, want: []string{"GET /a 200 @1+29+29"}},
		{name: "response byte by byte", play: func(s *script) {
			s.req(get)
			for i := range ok3 {
				s.resp(ok3[i : i+1])
			}
		}, want: []string{"GET /a 200 @1+2+42"}},
		{name: "request body", play: func(s *script) {
			s.req("POST /a HTTP/1.1\r\nContent-Length: 1500\r\n\r\n" + long).req(long[:500]).resp(ok3).req(getB).resp(ok3)
		}, want: []string{"POST /a 200 @1+3+3", "GET /b 200 @4+5+5"}},
		{name: "chunked request", play: func(s *script) {
			s.req("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").req("0\r\n\r\n" + getB).resp(ok3).resp(ok3)
		}, want: []string{"POST /a 200 @1+3+3", "GET /b 200 @2+4+4"}},
		{
			name: "pipelining", play: func(s *script) { s.req(get + getB + get).resp(ok3 + empty).resp(ok3) },
			want: []string{"GET /a 200 @1+2+2", "GET /b 204 @1+2+2", "GET /a 200 @1+3+3"},
		},
		{name: "HEAD has no body", play: func(s *script) {
			s.req("HEAD /a HTTP/1.1\r\n\r\n").resp("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n").req(getB).resp(ok3)
		}, want: []string{"HEAD /a 200 @1+2+2", "GET /b 200 @3+4+4"}},
		{name: "304 has no body", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n").req(getB).resp(ok3)
		}, want: []string{"GET /a 304 @1+2+2", "GET /b 200 @3+4+4"}},
		{name: "interim responses", play: func(s *script) {
			s.req("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").
				resp("HTTP/1.1 100 Continue\r\n\r\n").req("ab").resp("HTTP/1.1 103 Early Hints\r\n\r\n").resp(ok3)
		}, want: []string{"PUT /a 200 @1+5+5"}},
		{name: "answer before the request's end", play: func(s *script) {
			s.req("PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234").resp("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n").
				req("56789" + getB).resp(ok3)
		}, want: []string{"PUT /a 413 @1+2+2", "GET /b 200 @3+4+4"}},
		{name: "body until the end", play: func(s *script) {
			s.req("GET /a HTTP/1.0\r\n\r\n").resp("HTTP/1.0 200 OK\r\n\r\nabc").resp("def").close()
		}, want: []string{"GET /a 200 @1+2+3"}},
		{name: "body until the end, seen by the client", client: true, play: func(s *script) {
			s.req("GET /a HTTP/1.0\r\n\r\n").resp("HTTP/1.0 200 OK\r\n\r\nabc").eof(resp).close()
		}, want: []string{"GET /a 200 @1+2+2"}},
		{name: "chunked", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n").
				resp("0\r\nTrailer: 1\r\n\r\n").req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+3", "GET /b 200 @4+5+5"}},
		{name: "chunked with trailers, pipelined", play: func(s *script) {
			const chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n"
			s.req("POST /a HTTP/1.1\r\n" + chunked + getB).resp("HTTP/1.1 200 OK\r\n" + chunked + empty)
		}, want: []string{"POST /a 200 @1+2+2", "GET /b 204 @1+2+2"}},
		{name: "chunked beyond the copy", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"+long+"\r\n3e8\r\n").
				seg(resp, long+"\r\n", 0).seg(resp, "0\r\n\r\n", 0).req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+4", "GET /b 200 @5+6+6"}},
		{name: "chunked beyond the copy, with trailers", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"+long+"\r\n3e8\r\n").
				seg(resp, long+"\r\n0\r\nA: b\r\n\r\n", 0).pause(10).req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+3", "GET /b 200 @14+15+15"}},
		{
			name: "request head beyond the copy", play: func(s *script) { s.req(longGet).resp(ok3).req(getB).resp(ok3) },
			want: []string{"GET /a 200 @1+2+2 headcut", "GET /b 200 @3+4+4"},
		},
		{name: "target beyond the copy", play: func(s *script) {
			s.req("GET /" + long + " HTTP/1.1\r\n\r\n").resp(ok3).req(getB).resp(ok3)
		}, want: []string{"GET /" + long[:507] + " 200 @1+2+2 headcut targetcut", "GET /b 200 @3+4+4"}},
		{
			name: "response head beyond the copy", play: func(s *script) { s.req(get).resp(longOK).seg(resp, long, 0).req(getB).resp(ok3) },
			want: []string{"GET /a 200 @1+2+3", "GET /b 200 @4+5+5"},
		},
		{
			name: "response head beyond the copy, then the end", play: func(s *script) { s.req(get).resp(longOK).close() },
			want: []string{"GET /a 200 @1+2+2 truncated"},
		},
		{name: "upgrade", play: func(s *script) {
			s.req("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n").
				resp("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").
				req("GET frame").resp("HTTP/1.1 frame").eof(req).close()
		}, want: []string{"GET /ws 101 @1+2+6 class=1 callergone upgraded"}},
		{name: "CONNECT", client: true, play: func(s *script) {
			s.req("CONNECT h:443 HTTP/1.1\r\n\r\n").resp("HTTP/1.1 200 OK\r\n\r\n").req("\x16\x03\x01").close()
		}, want: []string{"CONNECT h:443 200 @1+2+4 class=1 upgraded"}},
		{name: "CONNECT that is refused", client: true, play: func(s *script) {
			s.req("CONNECT h:443 HTTP/1.1\r\n\r\n").resp("HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\nabc").req(getB).resp(ok3)
		}, want: []string{"CONNECT h:443 407 @1+2+2", "GET /b 200 @3+4+4"}},
		{
			name: "server closes instead of answering", play: func(s *script) { s.req(get).close() },
			want: []string{"GET /a 0 @1+0+2 connection_closed"},
		},
		{
			name: "client leaves", play: func(s *script) { s.req(get).eof(req).close() },
			want: []string{"GET /a 0 @1+0+3 connection_closed callergone"},
		},
		{
			name: "client half-closes and is answered", play: func(s *script) { s.req(get).eof(req).resp(ok3).close() },
			want: []string{"GET /a 200 @1+3+3 callergone"},
		},
		{name: "response breaks off, seen by the client", client: true, play: func(s *script) {
			s.req(get).resp(ok3[:len(ok3)-1]).eof(resp)
		}, want: []string{"GET /a 200 @1+2+3 connection_closed"}},
		{name: "response is left unread", client: true, play: func(s *script) {
			s.req(get).resp(ok3[:len(ok3)-1]).close()
		}, want: []string{"GET /a 200 @1+2+3 connection_closed callergone"}},
		{
			name: "request breaks off", play: func(s *script) { s.req("GET /a HT").close() },
			want: nil,
		},
		{
			name: "request head breaks off", play: func(s *script) { s.req("GET /a HTTP/1.1\r\nHost").resp("HTTP/1.1 408 T\r\nContent-Length: 0\r\n\r\n") },
			want: []string{"GET /a 408 @1+2+2 headcut"},
		},
		{name: "response reported before its request", client: true, play: func(s *script) {
			s.now = 1
			s.resp(ok3)
			s.now = 0
			s.req(get).pause(5).req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+2", "GET /b 200 @7+8+8"}},
		{
			name: "unasked response", play: func(s *script) { s.resp("HTTP/1.1 408 Timeout\r\n\r\n").req(getB).resp(ok3) },
			want: []string{"GET /b 200 @2+3+3"},
		},
		{
			name: "line feeds alone", play: func(s *script) {
				s.req("\r\nGET /a HTTP/1.1\nHost: h\n\n").resp("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
			},
			want: []string{"GET /a 200 @1+2+2"},
		},
		{
			name: "joined in a response", midway: true, play: func(s *script) { s.resp("rest").req(getB).resp(ok3) },
			want: []string{"GET /b 200 @2+3+3"},
		},
		{name: "joined in a pipeline", midway: true, play: func(s *script) {
			s.req(get).req(getB).resp(ok3).resp(ok3).pause(2e9).req(get).req(getB).resp(ok3).resp(ok3)
		}, want: []string{"GET /a 0 @1+0+3 desynchronized", "GET /b 0 @2+0+3 desynchronized", "GET /a 200 @2000000005+2000000007+2000000007", "GET /b 200 @2000000006+2000000008+2000000008"}},
		{name: "gap in a body", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n").gap(resp, 60).moved(resp, 40)
		}, want: []string{"GET /a 200 @1+2+3"}},
		{name: "gap at the end of a body", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n").gap(resp, 100).req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+2 response_lost", "GET /b 200 @3+4+4"}},
		{
			name: "response lost", play: func(s *script) { s.req(get).pause(3).gap(resp, 100).req(getB).resp(ok3) },
			want: []string{"GET /a 0 @1+0+4 response_lost", "GET /b 200 @5+6+6"},
		},
		{name: "pipelined responses beyond the copy", play: func(s *script) {
			s.req(get+getB).seg(resp, ok3+ok3, len(ok3)).req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+2", "GET /b 0 @1+0+2 truncated", "GET /b 200 @3+4+4"}},
		{
			name: "garbage", play: func(s *script) { s.req("\x00\x01\x02").resp("?").req(getB).resp(ok3) },
			want: []string{"GET /b 200 @3+4+4"},
		},
		{
			name: "garbage instead of a response", play: func(s *script) { s.req(get).resp("SSH-2.0").req(getB).resp(ok3) },
			want: []string{"GET /a 0 @1+0+2 desynchronized", "GET /b 200 @3+4+4"},
		},
		{name: "contradicting lengths", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc").req(getB).resp(ok3)
		}, want: []string{"GET /a 200 @1+2+2", "GET /b 200 @3+4+4"}},
		{name: "event stream", play: func(s *script) {
			s.req(get).resp("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n").pause(1e12).resp("data: 1\n\n").close()
		}, want: []string{"GET /a 200 @1+2+1000000000003 class=1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(tt.client, tt.midway)
			tt.play(s)
			require.Equal(t, strings.Join(tt.want, "\n"), s.sink.text())
			require.Equal(t, s.p.Open(), s.sink.open)
		})
	}
}

// Behind exchanges that were left out whole the next request is followed at
// once, unless requests are pipelined: then answers to those may still come.
func TestSkippedExchanges(t *testing.T) {
	skip := func(s *script) { s.p.(exchange.Skipper).Skip(s.now) }
	s := newScript(false, false)
	s.seg(exchange.Request, "GET /1 HTTP/1.1\r\n\r\n", 512)
	s.seg(exchange.Response, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 512)
	skip(s)
	s.seg(exchange.Request, "GET /7 HTTP/1.1\r\n\r\n", 512)
	skip(s) // the record of its answer was lost
	s.seg(exchange.Request, "GET /9 HTTP/1.1\r\n\r\n", 512)
	s.seg(exchange.Response, "HTTP/1.1 204 No Content\r\n\r\n", 512)
	require.Equal(t, "GET /1 200 @1+2+2\nGET /7 0 @3+0+3 response_lost\nGET /9 204 @4+5+5", s.sink.text())

	s = newScript(false, false)
	s.seg(exchange.Request, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 512)
	s.seg(exchange.Response, "HTTP/1.1 204 No Content\r\n\r\n", 512)
	s.seg(exchange.Request, "GET /3 HTTP/1.1\r\n\r\n", 512)
	s.seg(exchange.Response, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 512)
	skip(s)
	s.seg(exchange.Request, "GET /9 HTTP/1.1\r\n\r\n", 512)
	s.seg(exchange.Response, "HTTP/1.1 500 of another\r\nContent-Length: 0\r\n\r\n", 512)
	require.NotContains(t, s.sink.text(), "/9")
}
