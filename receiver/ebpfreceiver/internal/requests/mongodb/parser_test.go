package mongodb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

func inserted(n int) doc { return doc{{"n", n}, {"ok", 1.0}} }

func command1(name string, value any, more ...field) doc {
	return append(append(doc{{name, value}}, more...), field{"$db", "shop"})
}

func TestParser(t *testing.T) {
	const (
		request  = exchange.Request
		response = exchange.Response
		found    = "find on orders {" + foundText + "} in shop"
	)
	hello := doc{{"hello", 1}, {"client", doc{{"driver", "secret"}}}, {"$db", "admin"}}
	await := doc{{"hello", 1}, {"topologyVersion", doc{{"counter", 1}}}, {"maxAwaitTimeMS", 10000}, {"$db", "admin"}}
	long := strings.Repeat("x", 5000)
	one := doc{{"_id", 1}, {"secret", "secret"}}
	tests := []struct {
		name   string
		client bool
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{
			name: "find", play: func(s *script) { s.Req(ask(7, find)).Resp(tell(7, cursorOf(0, "firstBatch", 3))) },
			want: []string{found + " rows=3 @1+2+2"},
		},
		{name: "header by a call of its own", play: func(s *script) {
			m := ask(7, find)
			s.Req(m[:16]).Req(m[16:]).Resp(tell(7, cursorOf(0, "firstBatch", 0)))
		}, want: []string{found + " rows=0 @1+3+3"}},
		{name: "error", play: func(s *script) { s.Req(ask(7, find)).Resp(tell(7, denied)) }, want: []string{found + " error=13 @1+2+2"}},
		{name: "error by name", play: func(s *script) {
			s.Req(ask(7, find)).Resp(tell(7, doc{{"ok", 0.0}, {"codeName", "Gone"}}))
		}, want: []string{found + " error=Gone @1+2+2"}},
		{name: "insert", play: func(s *script) {
			s.Req(ask(7, command1("insert", "orders"), sequence("documents", one, one, one))).Resp(tell(7, inserted(3)))
		}, want: []string{"BATCH(3) insert on orders in shop @1+2+2"}},
		{name: "insert of an array", play: func(s *script) {
			s.Req(ask(7, command1("insert", "orders", field{"documents", list{one, one}}))).Resp(tell(7, inserted(2)))
		}, want: []string{"BATCH(2) insert on orders in shop @1+2+2"}},
		{name: "insert of which the documents were not copied", bound: 300, play: func(s *script) {
			s.Req(ask(7, command1("insert", "orders"), sequence("documents", one, doc{{"a", long}}))).Resp(tell(7, inserted(2)))
		}, want: []string{"BATCH(2) insert on orders in shop @1+2+2"}},
		{name: "error of a write", play: func(s *script) {
			s.Req(ask(7, command1("insert", "orders"), sequence("documents", one)))
			s.Resp(tell(7, doc{{"n", 0}, {"writeErrors", list{doc{{"index", 0}, {"code", 11000}, {"errmsg", "secret"}}}}, {"ok", 1.0}}))
		}, want: []string{"insert on orders in shop error=11000 @1+2+2"}},
		{name: "error of the concern", play: func(s *script) {
			s.Req(ask(7, command1("insert", "orders"), sequence("documents", one)))
			s.Resp(tell(7, doc{{"n", 1}, {"writeConcernError", doc{{"code", 64}}}, {"ok", 1.0}}))
		}, want: []string{"insert on orders in shop error=64 @1+2+2"}},
		{name: "update", play: func(s *script) {
			u := doc{{"q", doc{{"_id", 7}}}, {"u", doc{{"$set", doc{{"state", "secret"}}}}}, {"multi", true}}
			s.Req(ask(7, command1("update", "orders"), sequence("updates", u, u))).Resp(tell(7, inserted(2)))
		}, want: []string{`BATCH(2) update on orders {{"update":"orders","updates":[{"q":{"_id":?},"u":{"$set":{"state":?}},"multi":?},...]}} in shop @1+2+2`}},
		{name: "documents first", play: func(s *script) {
			body := le32(0) + sequence("deletes", doc{{"q", doc{{"a", 1}}}, {"limit", 1}}) + "\x00" + bson(command1("delete", "orders"))
			s.Req(message(opMsg, 7, 0, body)).Resp(tell(7, inserted(1)))
		}, want: []string{`delete on orders {{"delete":"orders"}} in shop @1+2+2`}},
		{name: "pipeline of an aggregation", play: func(s *script) {
			stages := list{doc{{"$match", doc{{"a", doc{{"$in", list{1, 2, "secret"}}}}}}}, doc{{"$limit", 5}}}
			s.Req(ask(7, command1("aggregate", "orders", field{"pipeline", stages}))).Resp(tell(7, cursorOf(0, "firstBatch", 1)))
		}, want: []string{`aggregate on orders {{"aggregate":"orders","pipeline":[{"$match":{"a":{"$in":[?]}}},{"$limit":?}]}} in shop rows=1 @1+2+2`}},
		{name: "no secrets of a login", play: func(s *script) {
			s.Req(ask(7, command1("saslStart", 1, field{"payload", []byte("secret")}))).Resp(tell(7, fine))
			s.Req(ask(8, command1("createUser", "secret", field{"pwd", "secret"}))).Resp(tell(8, fine))
		}, want: []string{"saslStart in shop @1+2+2", "createUser in shop @3+4+4"}},
		{name: "unknown command", play: func(s *script) {
			s.Req(ask(7, command1("mystery", "secret"))).Resp(tell(7, doc{{"ok", 0.0}, {"code", 59}}))
		}, want: []string{"mystery in shop error=59 @1+2+2"}},
		{name: "handshake of an old driver", play: func(s *script) {
			s.Req(query(7, "admin.$cmd", doc{{"isMaster", 1}})).Resp(legacyTell(7, 8, fine))
			s.Req(query(8, "admin.$cmd", doc{{"$query", doc{{"ping", 1}}}})).Resp(legacyTell(8, 8, fine))
		}, want: []string{"isMaster in admin class=3 @1+2+2", "ping in admin class=3 @3+4+4"}},
		{name: "old driver", play: func(s *script) {
			s.Req(query(7, "shop.orders", doc{{"a", "secret"}})).Resp(legacyTell(7, 8, one, one))
			s.Req(query(8, "shop.orders", doc{{"a", "secret"}})).Resp(legacyTell(8, 2, doc{{"$err", "secret"}, {"code", 13}}))
			s.Req(message(opInsert, 9, 0, le32(0)+"shop.orders\x00"+bson(one)))
		}, want: []string{
			"find on orders in shop rows=2 @1+2+2", "find on orders in shop error=13 @3+4+4", "insert on orders in shop class=4 @5+0+5",
		}},
		{name: "hello", play: func(s *script) {
			s.Req(ask(7, hello)).Resp(tell(7, fine))
			s.Req(ask(8, await)).Pause(1e9).Resp(tell(8, fine))
		}, want: []string{"hello in admin class=3 @1+2+2", "hello in admin class=2 @3+1000000004+1000000004"}},
		{name: "hello that goes on", play: func(s *script) {
			s.Req(flagged(flagExhaust, 7, 0, await)).Resp(flagged(flagMoreToCome, 100, 7, fine))
			s.Resp(flagged(flagMoreToCome, 101, 100, fine)).Resp(flagged(0, 102, 101, fine))
			s.Req(ask(8, find)).Resp(tell(8, cursorOf(0, "firstBatch", 0)))
		}, want: []string{"hello in admin class=2 @1+2+2", found + " rows=0 @5+6+6"}},
		{name: "results that go on", play: func(s *script) {
			s.Req(flagged(flagExhaust, 7, 0, command1("getMore", int64(9), field{"collection", "orders"})))
			s.Resp(flagged(flagMoreToCome, 100, 7, cursorOf(9, "nextBatch", 2))).Resp(flagged(0, 101, 100, cursorOf(0, "nextBatch", 1)))
		}, want: []string{"getMore on orders in shop rows=3 class=1 @1+2+3"}},
		{name: "unacknowledged", play: func(s *script) {
			s.Req(flagged(flagMoreToCome, 7, 0, command1("insert", "orders"), sequence("documents", one)))
			s.Req(ask(8, find)).Resp(tell(8, cursorOf(0, "firstBatch", 0)))
		}, want: []string{"insert on orders in shop class=4 @1+0+1", found + " rows=0 @2+3+3"}},
		{name: "tailing", play: func(s *script) {
			s.Req(ask(7, command1("find", "log", field{"tailable", true}, field{"awaitData", true}))).Resp(tell(7, cursorOf(77, "firstBatch", 1)))
			s.Req(ask(8, command1("getMore", int64(77), field{"collection", "log"}))).Resp(tell(8, cursorOf(77, "nextBatch", 0)))
			s.Req(ask(9, command1("getMore", int64(78), field{"collection", "log"}))).Resp(tell(9, cursorOf(0, "nextBatch", 0)))
			s.Req(ask(10, command1("getMore", int64(79), field{"collection", "log"}, field{"maxTimeMS", 9}))).Resp(tell(10, cursorOf(0, "nextBatch", 0)))
		}, want: []string{
			`find on log {{"find":"log"}} in shop rows=1 @1+2+2`, "getMore on log in shop rows=0 class=2 @3+4+4",
			"getMore on log in shop rows=0 @5+6+6", "getMore on log in shop rows=0 class=2 @7+8+8",
		}},
		{name: "stream of changes", play: func(s *script) {
			s.Req(ask(7, command1("aggregate", "log", field{"pipeline", list{doc{{"$changeStream", doc{}}}}}))).Resp(tell(7, cursorOf(177, "firstBatch", 0)))
			s.Req(ask(8, command1("getMore", int64(177), field{"collection", "log"}))).Resp(tell(8, cursorOf(177, "nextBatch", 0)))
		}, want: []string{
			`aggregate on log {{"aggregate":"log","pipeline":[{"$changeStream":{}}]}} in shop rows=0 @1+2+2`, "getMore on log in shop rows=0 class=2 @3+4+4",
		}},
		{name: "explain", play: func(s *script) {
			s.Req(ask(7, command1("explain", find))).Resp(tell(7, fine))
		}, want: []string{"explain on orders in shop @1+2+2"}},
		{name: "overtaking", client: true, play: func(s *script) {
			s.Req(ask(7, find)).Req(ask(8, command1("count", "orders"))).Resp(tell(8, inserted(9))).Resp(tell(7, denied))
		}, want: []string{`count on orders {{"count":"orders"}} in shop @2+3+3`, found + " error=13 @1+4+4"}},
		{name: "reply reported first", client: true, play: func(s *script) {
			s.Now = 5
			s.P.Segment(&exchange.Segment{Side: response, Start: 9, End: 9, Len: uint64(len(tell(7, denied))), Payload: []byte(tell(7, denied))})
			s.Req(ask(7, find))
		}, want: []string{found + " error=13 @6+9+9"}},
		{name: "reply that was not copied", bound: 200, play: func(s *script) {
			s.Req(ask(7, find)).Resp(tell(7, cursorOf(0, "firstBatch", 300)))
			s.Req(ask(8, command1("listDatabases", 1))).Resp(tell(8, doc{{"databases", list{long}}, {"ok", 1.0}}))
			s.Req(ask(9, find)).Resp(tell(9, denied))
		}, want: []string{found + " @1+2+2", "listDatabases in shop @3+4+4 hidden", found + " error=13 @5+6+6"}},
		{name: "command that was not copied", bound: 200, play: func(s *script) {
			s.Req(ask(7, command1("find", "orders", field{"filter", doc{{"a", long}}}))).Resp(tell(7, fine))
			s.Req(message(opMsg, 8, 0, le32(0)+sequence("updates", doc{{"a", long}}))).Resp(tell(8, fine))
		}, want: []string{`find on orders {{"find":"orders","filter":{"a":?} @1+2+2 textcut`, "update @3+4+4 textcut"}},
		{name: "lost reply", play: func(s *script) {
			s.Req(ask(7, find)).Gap(response, 50).Req(ask(8, find)).Resp(tell(8, denied))
			s.P.Tick(s.Now + 11e9)
		}, want: []string{found + " error=13 @2+3+3", found + " @1+0+1 response_lost"}},
		{name: "reply that was not lost", play: func(s *script) {
			s.Req(ask(7, find)).Gap(response, 50).Resp(tell(7, denied))
		}, want: []string{found + " error=13 @1+2+2"}},
		{name: "loss within a reply", play: func(s *script) {
			m := tell(7, cursorOf(0, "firstBatch", 50))
			s.Req(ask(7, find)).Resp(m[:100]).Gap(response, 20).Resp(m[120:])
		}, want: []string{found + " @1+2+3"}},
		{name: "midway, length by a call of its own", midway: true, play: func(s *script) {
			m := tell(7, denied)
			s.Req(ask(7, find)).Resp(m[:4]).Resp(m[4:])
		}, want: []string{found + " error=13 @1+2+3"}},
		{name: "midway", midway: true, play: func(s *script) {
			s.Resp(tell(6, fine)[30:]).Resp(tell(6, fine)).Req(ask(7, find)).Resp(tell(7, denied))
		}, want: []string{found + " error=13 @3+4+4"}},
		{
			name: "connection closed", play: func(s *script) { s.Req(ask(7, find)).EOF(request) },
			want: []string{found + " @1+0+3 connection_closed callergone"},
		},
	}
	for _, tt := range tests {
		for _, client := range []bool{false, true} {
			if tt.client && !client {
				continue
			}
			s := dbtest.NewScript(New(), client, tt.midway)
			s.Bound = tt.bound
			tt.play(s)
			s.Close()
			require.Equal(t, strings.Join(tt.want, "\n"), s.Text(), "%s, client %v", tt.name, client)
			require.Empty(t, s.Counted, tt.name)
			require.Zero(t, s.Opened, tt.name)
			require.NotContains(t, s.Text(), "secret", tt.name)
		}
	}
}

func TestCompressed(t *testing.T) {
	s := dbtest.NewScript(New(), false, false)
	s.Req(ask(7, doc{{"hello", 1}})).Resp(tell(7, fine))
	s.Req(message(opCompressed, 8, 0, le32(int(opMsg))+le32(100)+"\x04xxxxxxxx")).Resp(tell(8, fine))
	require.Equal(t, []exchange.Form{exchange.Compressed}, s.Opaqued)
	require.Len(t, s.Found, 1)
	require.False(t, s.Refused())
}

func TestLostRequest(t *testing.T) {
	s := dbtest.NewScript(New(), false, false)
	s.Req(ask(6, find)).Resp(tell(6, denied))
	s.Gap(exchange.Request, 100).Resp(tell(7, fine)).Req(ask(8, find)).Resp(tell(8, denied)).Resp(tell(9, fine))
	require.Equal(t, map[exchange.Reason]int{exchange.RequestLost: 1}, s.Counted)
	require.Len(t, s.Found, 2)
}

func TestRefuses(t *testing.T) {
	for name, play := range map[string]func(*script){
		"no message":        func(s *script) { s.Req("GET / HTTP/1.1\r\nHost: a\r\n\r\n") },
		"no command":        func(s *script) { s.Req(ask(7, doc{{"not a name", 1}})) },
		"no BSON":           func(s *script) { s.Req(message(opMsg, 7, 0, le32(0)+"\x00"+le32(100)+"\x00")) },
		"reply to a server": func(s *script) { s.Req(tell(7, fine)) },
	} {
		s := dbtest.NewScript(New(), false, false)
		play(s)
		require.True(t, s.Refused(), name)
		require.Zero(t, s.Opened, name)
	}
	s := dbtest.NewScript(New(), false, true)
	for range strikes + 1 {
		s.Req("no message at all")
	}
	require.True(t, s.Refused())
}

func TestClassify(t *testing.T) {
	p := New()
	for text, want := range map[string]exchange.Verdict{
		ask(7, find): exchange.IsRequest, ask(7, find)[:16]: exchange.IsRequest, tell(7, fine): exchange.IsResponse,
		query(7, "admin.$cmd", doc{{"isMaster", 1}}): exchange.IsRequest, legacyTell(7, 8, fine): exchange.IsResponse,
		message(opCompressed, 7, 0, le32(2013)+le32(9)+"\x02........."): exchange.IsRequest,
		ask(7, find)[:15]: exchange.Foreign,
		message(opMsg, 7, 0, le32(4)+"\x00"+bson(find)):              exchange.Foreign, // an unknown flag
		message(opMsg, 7, 0, le32(0)+"\x02"+bson(find)):              exchange.Foreign,
		message(opcode(2014), 7, 0, le32(0)+"\x00"+bson(find)):       exchange.Foreign,
		strings.Repeat("\x00", 32):                                   exchange.Foreign,
		message(opCompressed, 7, 0, le32(2012)+le32(9)+"\x02......"): exchange.Foreign,
	} {
		require.Equal(t, want, p.Classify([]byte(text)), "%q", text)
		matches := false
		for _, s := range p.Signatures() {
			matches = matches || s.Matches([]byte(text))
		}
		if want != exchange.Foreign && !strings.HasPrefix(text[12:], "\x01") {
			require.True(t, matches, "%q", text)
		}
	}
	for _, s := range p.Signatures() {
		require.False(t, s.Matches([]byte("GET / HTTP/1.1\r\n")))
		require.Equal(t, uint16(DefaultBound), s.Bound)
	}
}

func TestCursorsAreBounded(t *testing.T) {
	var cs cursors
	for i := range int64(3 * maxCursors) {
		cs.add(cursor{id: i})
		require.LessOrEqual(t, len(cs), maxCursors)
	}
}

func TestPendingIsBounded(t *testing.T) {
	s := dbtest.NewScript(New(), true, false)
	for i := range 2 * maxPending {
		s.Req(ask(i, find))
	}
	require.Equal(t, maxPending, s.P.Open())
	require.Len(t, s.Found, maxPending)
}
