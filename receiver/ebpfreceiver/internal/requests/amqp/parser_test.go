package amqp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestParser(t *testing.T) {
	const (
		request  = exchange.Request
		response = exchange.Response
	)
	long := strings.Repeat("x", 6000)
	nack := func(tag uint64) string { return does(1, basicNack, be(8, tag), "\x00") }
	mandatory := func(key string) string {
		return does(1, basicPublish, be(2, 0), text(""), text(key), "\x01") + carries(1, "secret")
	}
	tests := []struct {
		name   string
		only   string // "client" or "server"
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{name: "published without confirms", play: func(s *script) {
			begin(s)
			s.Req(publish(1, "orders", "new", "secret")).Req(publish(1, "", "queue", "")).Req(publish(1, "", "", "x"))
		}, want: []string{
			"publish orders:new send class=4 @1+0+1", "publish queue send class=4 @2+0+2", "publish amq.default send class=4 @3+0+3",
		}},
		{name: "published in parts", play: func(s *script) {
			begin(s)
			m := publish(1, "orders", "new", long)
			s.Req(m[:10]).Req(m[10:3000]).Req(m[3000:])
		}, want: []string{"publish orders:new send class=4 @1+0+3"}},
		{name: "confirmed", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "orders", "new", long)).Resp(ack(1, 1, 0)).Req(publish(1, "orders", "old", "x")).Resp(nack(2))
		}, want: []string{"publish orders:new send @1+2+2", "publish orders:old send error=nack @3+4+4"}},
		{name: "confirmed at once", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "a", "1", "") + publish(1, "a", "2", "") + publish(1, "a", "3", "")).Resp(ack(1, 2, 1)).Resp(ack(1, 3, 0))
		}, want: []string{"publish a:1 send @1+2+2", "publish a:2 send @1+2+2", "publish a:3 send @1+3+3"}},
		{name: "confirmed out of order", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "a", "1", "") + publish(1, "a", "2", "")).Resp(ack(1, 2, 0)).Resp(ack(1, 1, 0))
		}, want: []string{"publish a:2 send @1+2+2", "publish a:1 send @1+3+3"}},
		{name: "confirm reported first", only: "client", play: func(s *script) {
			confirming(s)
			s.P.Segment(&exchange.Segment{Side: response, Start: 9, End: 9, Len: uint64(len(ack(1, 1, 0))), Payload: []byte(ack(1, 1, 0))})
			s.Req(publish(1, "a", "1", ""))
		}, want: []string{"publish a:1 send @1+9+9"}},
		{name: "returned", play: func(s *script) {
			confirming(s)
			s.Req(mandatory("none")).Resp(does(1, basicReturn, be(2, 312), text("NO_ROUTE"), text(""), text("none")) + carries(1, "secret") + ack(1, 1, 0))
			s.Req(publish(1, "a", "1", "")).Resp(ack(1, 2, 0))
		}, want: []string{"publish none send error=312 @1+2+2", "publish a:1 send @3+4+4"}},
		{name: "returned without confirms", play: func(s *script) {
			begin(s)
			s.Req(mandatory("none")).Resp(does(1, basicReturn, be(2, 312), text("NO_ROUTE"), text(""), text("none")) + carries(1, "secret"))
		}, want: []string{"publish none send class=4 @1+0+1", "return none error=312 class=4 @2+0+2"}},
		{name: "exchange that does not exist", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "none", "x", "")).Resp(closes(1, channelClose, 404)).Req(does(1, channelCloseOK))
		}, want: []string{"publish none:x send error=404 @1+0+2 connection_closed"}},
		{name: "exchange that does not exist, without confirms", play: func(s *script) {
			begin(s)
			s.Req(publish(1, "none", "x", "")).Resp(closes(1, channelClose, 404)).Req(does(1, channelCloseOK))
		}, want: []string{"publish none:x send class=4 @1+0+1", "channel.close error=404 class=4 @2+0+2"}},
		{name: "connection closed by the broker", play: func(s *script) {
			begin(s)
			s.Req(declare(1, "q", 0)).Resp(closes(0, connectionClose, 320))
		}, want: []string{"queue.declare q error=320 @1+0+2 connection_closed"}},
		{name: "connection closed by the client", play: func(s *script) {
			begin(s)
			s.Req(does(1, channelClose, be(2, 200), text(""), be(4, 0))).Resp(does(1, channelCloseOK))
			s.Req(closes(0, connectionClose, 200)).Resp(does(0, connectionClose+1))
		}},
		{name: "methods", play: func(s *script) {
			begin(s)
			s.Req(declare(1, "q", 0)).Resp(declared(1, "q")).Req(declare(1, "", 4)).Resp(declared(1, "amq.gen-x"))
			s.Req(does(1, classQueue<<16|20, be(2, 0), text("q"), text("e"), text("secret"), "\x00", be(4, 0))).Resp(does(1, classQueue<<16|21))
			s.Req(does(1, classExchange<<16|10, be(2, 0), text("e"), text("topic"), "\x10", be(4, 0)))
			s.Req(does(1, classBasic<<16|10, be(4, 0), be(2, 10), "\x00")).Resp(does(1, classBasic<<16|11))
			s.Req(declare(1, "q", 2)).Resp(closes(1, channelClose, 406))
		}, want: []string{
			"queue.declare q @1+2+2", "queue.declare temporary @3+4+4", "queue.bind q @5+6+6", "exchange.declare e class=4 @7+0+7",
			"basic.qos @8+9+9", "queue.declare q error=406 @10+0+11 connection_closed",
		}},
		{name: "answer reported first", only: "client", play: func(s *script) {
			begin(s)
			s.P.Segment(&exchange.Segment{Side: response, Start: 9, End: 9, Len: uint64(len(declared(1, "q"))), Payload: []byte(declared(1, "q"))})
			s.Req(declare(1, "q", 0))
		}, want: []string{"queue.declare q @1+9+9"}},
		{name: "fetched", play: func(s *script) {
			begin(s)
			s.Req(get(1, "q")).Resp(got(1, 1, "k", long)).Req(get(1, "q")).Resp(does(1, basicGetEmpty, text("")))
			s.Req(ack(1, 1, 0))
		}, want: []string{"get amq.topic:k:q receive tag=1 @1+2+2", "get q receive @3+4+4"}},
		{name: "delivered and settled", play: func(s *script) {
			begin(s)
			s.Req(consume(1, "q", "c", 0)).Resp(does(1, basicConsumeOK, text("c")))
			s.Resp(deliver(1, "c", 1, "q", long)).Resp(deliver(1, "c", 2, "k", "x")).Resp(deliver(1, "c", 3, "q", "x")).Resp(deliver(1, "c", 4, "q", ""))
			s.Req(ack(1, 2, 0)).Req(ack(1, 3, 1)).Req(does(1, basicReject, be(8, 4), "\x00"))
		}, want: []string{
			"basic.consume q @1+2+2", "deliver k:q process tag=2 @4+0+7", "deliver q process tag=1 @3+0+8",
			"deliver q process tag=3 @5+0+8", "deliver q process tag=4 error=reject @6+0+9",
		}},
		{name: "all settled", play: func(s *script) {
			begin(s)
			s.Req(consume(1, "q", "", 0)).Resp(does(1, basicConsumeOK, text("ctag")))
			s.Resp(deliver(1, "ctag", 1, "q", "") + deliver(1, "ctag", 2, "q", "")).Req(does(1, basicNack, be(8, 0), "\x01"))
		}, want: []string{
			"basic.consume q @1+2+2", "deliver q process tag=1 error=nack @3+0+4", "deliver q process tag=2 error=nack @3+0+4",
		}},
		{name: "delivered without being settled", play: func(s *script) {
			begin(s)
			s.Req(consume(1, "q", "c", 2)).Resp(does(1, basicConsumeOK, text("c"))).Resp(deliver(1, "c", 1, "q", long))
			s.Req(consume(1, "r", "d", 0)).Resp(does(1, basicConsumeOK, text("d"))).Resp(deliver(1, "d", 2, "r", "x"))
		}, want: []string{
			"basic.consume q @1+2+2", "deliver q receive tag=1 class=4 @3+0+3", "basic.consume r @4+5+5", "deliver r receive tag=2 class=4 @6+0+6",
		}},
		{name: "settled before it was reported", only: "server", play: func(s *script) {
			begin(s)
			s.Req(consume(1, "q", "c", 0)).Resp(does(1, basicConsumeOK, text("c")))
			s.P.Segment(&exchange.Segment{Side: request, Start: 9, End: 9, Len: uint64(len(ack(1, 1, 0))), Payload: []byte(ack(1, 1, 0))})
			s.Resp(deliver(1, "c", 1, "q", "x"))
		}, want: []string{"basic.consume q @1+2+2", "deliver q process tag=1 @3+0+9"}},
		{name: "channels and heartbeats mixed", play: func(s *script) {
			begin(s)
			s.Req(does(2, channelOpen, "\x00")).Resp(heartbeatFrame + does(2, channelOpen+1, openOK))
			one, two := publish(1, "a", "1", "xx"), publish(2, "b", "2", "")
			s.Req(one[:len(one)-10] + heartbeatFrame + two).Req(one[len(one)-10:])
		}, want: []string{"publish b:2 send class=4 @3+0+3", "publish a:1 send class=4 @3+0+4"}},
		{name: "trace context", play: func(s *script) {
			begin(s)
			table := text("n") + "I" + be(4, 7) + text("s") + "S" + be(4, 6) + "secret" + text("traceparent") + "S" + be(4, uint64(len(parent))) + parent
			s.Req(does(1, basicPublish, be(2, 0), text("e"), text("k"), "\x00") +
				carriesWith(1, hasType|hasHeaders, text("text/plain")+be(4, uint64(len(table)))+table, "secret"))
		}, want: []string{"publish e:k send parent=" + parent + " class=4 @1+0+1"}},
		{name: "bodies that were not copied", bound: 300, play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "a", "1", strings.Repeat("x", 1000))).Resp(ack(1, 1, 0))
		}, want: []string{"publish a:1 send @1+2+2"}},
		{name: "old connection", midway: true, play: func(s *script) {
			s.Req(publish(1, "a", "1", "")).Resp(ack(1, 71, 0)).Req(publish(1, "a", "2", "")).Resp(ack(1, 72, 0)).Req(publish(1, "a", "3", "")).Resp(ack(1, 73, 0))
		}, want: []string{"publish a:1 send class=4 @1+0+1", "publish a:2 send class=4 @3+0+3 desynchronized", "publish a:3 send @5+6+6"}},
		{name: "old consumer", midway: true, play: func(s *script) {
			s.Resp(deliver(1, "c", 7, "q", "")).Req(ack(1, 7, 0)).Resp(deliver(1, "c", 8, "q", "")).Req(ack(1, 8, 0))
		}, want: []string{"deliver q receive tag=7 class=4 @1+0+1", "deliver q process tag=8 @3+0+4"}},
		{name: "connection broken", only: "client", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "a", "1", "") + get(1, "q"))
		}, want: []string{"get q receive @1+0+2 connection_closed", "publish a:1 send @1+0+2 connection_closed"}},
		{name: "lost confirm", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "a", "1", "")).Gap(response, 21).Req(publish(1, "a", "2", "")).Resp(ack(1, 2, 1))
		}, want: []string{"publish a:1 send @1+0+1 response_lost", "publish a:2 send @2+3+3"}},
		{name: "lost publishing", play: func(s *script) {
			confirming(s)
			s.Req(publish(1, "a", "1", "")).Gap(request, 60).Req(publish(1, "a", "3", "")).Resp(ack(1, 3, 1))
			s.Req(publish(1, "a", "4", "")).Resp(ack(1, 4, 0)).Req(publish(1, "a", "5", "")).Resp(ack(1, 5, 0))
		}, want: []string{
			"publish a:3 send class=4 @2+0+2 desynchronized", "publish a:1 send @1+3+3",
			"publish a:4 send class=4 @4+0+4 desynchronized", "publish a:5 send @6+7+7",
		}},
	}
	for _, tt := range tests {
		for _, role := range []string{"client", "server"} {
			if tt.only != "" && tt.only != role {
				continue
			}
			s := dbtest.NewScript(New(), role == "client", tt.midway)
			s.Bound = tt.bound
			tt.play(s)
			s.Close()
			require.Equal(t, strings.Join(tt.want, "\n"), s.Text(), "%s, %s", tt.name, role)
			require.Empty(t, s.Counted, tt.name)
			require.Zero(t, s.Opened, tt.name)
			require.NotContains(t, s.Text(), "secret", tt.name)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, play := range map[string]func(*script){
		"no frame":         func(s *script) { s.Req("GET / HTTP/1.1\r\nHost: a\r\n\r\n") },
		"no method":        func(s *script) { s.Req(does(1, 60<<16|41)) },
		"no end":           func(s *script) { s.Req(strings.ReplaceAll(get(1, "q"), "\xce", "\xcf")) },
		"of the other end": func(s *script) { s.Req(declared(1, "q")) },
	} {
		s := dbtest.NewScript(New(), false, false)
		play(s)
		require.True(t, s.Refused(), name)
		require.Zero(t, s.Opened, name)
	}
	s := dbtest.NewScript(New(), false, true)
	for range strikes + 1 {
		s.Req("no frame at all")
	}
	require.True(t, s.Refused())
}

func TestClassify(t *testing.T) {
	p := New()
	for text, want := range map[string]exchange.Verdict{
		preface: exchange.IsRequest, heartbeatFrame: exchange.IsEither, publish(1, "a", "b", "c"): exchange.IsRequest,
		deliver(1, "c", 1, "k", ""): exchange.IsResponse, ack(1, 1, 0): exchange.IsEither, declare(1, "q", 0): exchange.IsRequest,
		declared(1, "q")[:12]:                exchange.IsResponse,
		"AMQP\x00\x01\x00\x00":               exchange.Foreign,
		"AMQP\x03\x01\x00\x00":               exchange.Foreign,
		does(0, basicGet):                    exchange.Foreign,
		does(1, startedID):                   exchange.Foreign,
		frame(frameBody, 1, "a body"):        exchange.Foreign,
		"\x01\x00\x01\x00\x00\x00\x10\x00":   exchange.Foreign,
		strings.Repeat("\x00", 32):           exchange.Foreign,
		"\x08\x00\x00\x00\x00\x00\x00\xcfxx": exchange.Foreign,
	} {
		require.Equal(t, want, p.Classify([]byte(text)), "%q", text)
		matches := false
		for _, s := range p.Signatures() {
			matches = matches || s.Matches([]byte(text))
		}
		if want != exchange.Foreign {
			require.True(t, matches, "%q", text)
		}
	}
}

func TestBounds(t *testing.T) {
	s := dbtest.NewScript(New(), true, false)
	confirming(s)
	for i := range 2 * maxTags {
		s.Req(publish(1, "a", "b", "")).Resp(deliver(1, "c", uint64(i+1), "q", ""))
	}
	require.LessOrEqual(t, s.P.Open(), 2*maxTags)
	for i := range 2 * maxChannels {
		s.Req(does(2+i, channelOpen, "\x00")).Req(does(2+i, basicGet, be(2, 0), text("q"), "\x00"))
	}
	require.LessOrEqual(t, len(s.P.(*Parser).channels), maxChannels)
	for i := range 2 * maxCalls {
		s.Req(get(1, "q")).Req(consume(1, "q", string(rune('a'+i)), 0)).Resp(does(1, basicConsumeOK, text("x")))
	}
	require.LessOrEqual(t, len(s.P.(*Parser).channel(1).calls), maxCalls)
	s.Close()
	require.Zero(t, s.Opened)
}
