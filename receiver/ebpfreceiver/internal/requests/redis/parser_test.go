package redis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

// cmd is a command as clients send it.
func cmd(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		b.WriteString(bulk(w))
	}
	return b.String()
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

const (
	okay   = "+OK\r\n"
	queued = "+QUEUED\r\n"
	null   = "$-1\r\n"
)

var (
	get  = cmd("GET", "k")
	set  = cmd("SET", "k", "secret")
	long = strings.Repeat("x", 5000)
)

func TestParser(t *testing.T) {
	const (
		request  = exchange.Request
		response = exchange.Response
	)
	tests := []struct {
		name   string
		client bool
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{
			name: "one command", play: func(s *script) { s.Req(get).Resp(bulk("v")) },
			want: []string{"GET {GET k} in 0 @1+2+2"},
		},
		{name: "pipeline", play: func(s *script) { s.Req(get + set + get).Resp(null + okay).Resp(bulk("v")) }, want: []string{
			"GET {GET k} in 0 @1+2+2", "SET {SET k ?} in 0 @1+2+2", "GET {GET k} in 0 @1+3+3",
		}},
		{name: "bytes one by one", play: func(s *script) {
			for i := range get {
				s.Req(get[i : i+1])
			}
			for _, b := range bulk("v") {
				s.Resp(string(b))
			}
		}, want: []string{"GET {GET k} in 0 @1+21+27"}},
		{
			name: "error", play: func(s *script) {
				s.Req(cmd("LPUSH", "k", "v")).Resp("-WRONGTYPE Operation against a key\r\n").Req(get).Resp("-some text\r\n")
			},
			want: []string{"LPUSH {LPUSH k ?} in 0 error=WRONGTYPE @1+2+2", "GET {GET k} in 0 error=ERR @3+4+4"},
		},
		{name: "secrets", play: func(s *script) {
			s.Req(cmd("AUTH", "me", "secret")).Resp(okay).Req(cmd("HELLO", "3", "AUTH", "me", "secret")).Resp("%1\r\n" + bulk("proto") + ":3\r\n").
				Req(cmd("CONFIG", "SET", "requirepass", "secret")).Resp(okay).Req(cmd("NEW.COMMAND", "secret")).Resp(okay)
		}, want: []string{
			"AUTH {AUTH ? ?} in 0 @1+2+2", "HELLO {HELLO ? ? ? ?} in 0 @3+4+4",
			"CONFIG {CONFIG SET ? ?} in 0 @5+6+6", "NEW.COMMAND {NEW.COMMAND ?} in 0 @7+8+8",
		}},
		{name: "keys", play: func(s *script) {
			s.Req(cmd("MSET", "a", "1", "b", "2")).Resp(okay).Req(cmd("mget", "a", "b c")).Resp("*2\r\n" + null + bulk("x")).
				Req(cmd("BLPOP", "q", "0")).Resp("*-1\r\n").Req(cmd("RENAME", "a", "b")).Resp(okay)
		}, want: []string{
			"MSET {MSET a ? b ?} in 0 @1+2+2", "mget {mget a ?} in 0 @3+4+4",
			"BLPOP {BLPOP q ?} in 0 class=2 @5+6+6", "RENAME {RENAME a b} in 0 @7+8+8",
		}},
		{name: "database", play: func(s *script) {
			s.Req(cmd("SELECT", "3") + get).Resp(okay + null).Req(cmd("SELECT", "99") + get).Resp("-ERR DB index is out of range\r\n" + null).
				Req(get).Resp(null).Req(cmd("RESET")).Resp("+RESET\r\n").Req(get).Resp(null)
		}, want: []string{
			"SELECT {SELECT ?} in 0 @1+2+2", "GET {GET k} in 3 @1+2+2",
			"SELECT {SELECT ?} error=ERR @3+4+4", "GET {GET k} @3+4+4", "GET {GET k} @5+6+6",
			"RESET {RESET} @7+8+8", "GET {GET k} in 0 @9+10+10",
		}},
		{name: "transaction", play: func(s *script) {
			s.Req(cmd("MULTI") + set + set + cmd("EXEC")).Resp(okay + queued + queued + "*2\r\n" + okay + okay)
			s.Req(cmd("MULTI")).Resp(okay).Req(set).Resp(queued).Req(get).Resp(queued).Req(cmd("EXEC")).Resp("*2\r\n" + okay + "-WRONGTYPE x\r\n")
			s.Req(cmd("MULTI") + get + cmd("DISCARD")).Resp(okay + queued + okay)
			s.Req(cmd("MULTI") + get + cmd("EXEC")).Resp(okay + "-ERR unknown\r\n" + "-EXECABORT Transaction discarded\r\n")
			s.Req(cmd("EXEC")).Resp("-ERR EXEC without MULTI\r\n")
		}, want: []string{
			"BATCH(2) MULTI SET in 0 @1+2+2", "BATCH(2) MULTI in 0 error=WRONGTYPE @3+10+10", "DISCARD in 0 @11+12+12",
			"MULTI GET in 0 error=EXECABORT @13+14+14", "EXEC {EXEC} in 0 error=ERR @15+16+16",
		}},
		{name: "scripts", play: func(s *script) {
			s.Req(cmd("EVALSHA", "abc", "1", "k", "v")).Resp(okay).Req(cmd("EVAL", "return 'secret'", "0")).Resp(okay)
		}, want: []string{"EVALSHA {EVALSHA ? ? ? ?} procedure=abc in 0 @1+2+2", "EVAL {EVAL ? ?} in 0 @3+4+4"}},
		{name: "blocking read", play: func(s *script) {
			s.Req(cmd("XREAD", "block", "0", "STREAMS", "s", "$")).Pause(100).Resp("*-1\r\n").Req(cmd("XREAD", "STREAMS", "s", "$")).Resp("*-1\r\n")
		}, want: []string{"XREAD {XREAD ? ? ? ? ?} in 0 class=2 @1+102+102", "XREAD {XREAD ? ? ?} in 0 @103+104+104"}},
		{name: "messages, RESP2", play: func(s *script) {
			message := "*3\r\n" + bulk("message") + bulk("a") + bulk("hello")
			s.Req(cmd("SUBSCRIBE", "a", "b")).Resp("*3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n*3\r\n" + bulk("subscribe") + bulk("b") + ":2\r\n")
			s.Resp(message).Resp(message[:9]).Resp(message[9:] + message).Req(cmd("PING")).Resp(message + "*2\r\n" + bulk("pong") + bulk("")).Resp(message)
			s.Req(cmd("UNSUBSCRIBE")).Resp("*3\r\n" + bulk("unsubscribe") + bulk("a") + ":1\r\n*3\r\n" + bulk("unsubscribe") + bulk("b") + ":0\r\n")
			s.Req(get).Resp(bulk("v"))
		}, want: []string{
			"SUBSCRIBE {SUBSCRIBE ? ?} in 0 class=1 @1+2+2", "PING {PING} in 0 class=3 @6+7+7",
			"UNSUBSCRIBE {UNSUBSCRIBE} in 0 @9+10+10", "GET {GET k} in 0 @11+12+12",
		}},
		{name: "messages, RESP3", play: func(s *script) {
			push := ">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk("k")
			s.Resp(push).Req(get).Resp(push + bulk("v") + push).Resp(push).Req(cmd("SUBSCRIBE", "a")).
				Resp(">3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n" + push)
			s.Req(get).Resp(push).Resp("_\r\n")
		}, want: []string{
			"GET {GET k} in 0 @2+3+3", "SUBSCRIBE {SUBSCRIBE ?} in 0 class=1 @5+6+6", "GET {GET k} in 0 @7+9+9",
		}},
		{name: "all of RESP3", play: func(s *script) {
			s.Req(get).Resp("|1\r\n+ttl\r\n:3\r\n%2\r\n+a\r\n*2\r\n:1\r\n,1.5\r\n+b\r\n~1\r\n#t\r\n").
				Req(get).Resp("=7\r\ntxt:abc\r\n").Req(get).Resp("(12345678901234567890\r\n").Req(get).Resp("!10\r\nOOM no way\r\n")
		}, want: []string{
			"GET {GET k} in 0 @1+2+2", "GET {GET k} in 0 @3+4+4", "GET {GET k} in 0 @5+6+6", "GET {GET k} in 0 error=OOM @7+8+8",
		}},
		{name: "inline", play: func(s *script) {
			s.Req("PING\r\n").Resp("+PONG\r\n").Req("set a secret\n\r\n").Resp(okay)
		}, want: []string{"PING {PING} in 0 class=3 @1+2+2", "set {set} in 0 @3+4+4 textcut"}},
		{name: "large values", bound: 512, play: func(s *script) {
			s.Req(cmd("SET", "k", long)).Resp(okay).Req(get).Resp(bulk(long)[:3000]).Resp(bulk(long)[3000:]).Req(get).Resp(null)
		}, want: []string{"SET {SET k ?} in 0 @1+2+2", "GET {GET k} in 0 @3+4+5", "GET {GET k} in 0 @6+7+7"}},
		{name: "many values beyond the copy", bound: 512, play: func(s *script) {
			list := "*1000\r\n" + strings.Repeat(bulk("abc"), 1000)
			s.Req(cmd("LRANGE", "k", "0", "-1")).Resp(list[:4000]).Resp(list[4000:]).Req(get).Resp(null)
		}, want: []string{"LRANGE {LRANGE k ? ?} in 0 @1+2+3", "GET {GET k} in 0 @4+5+5"}},
		{name: "pipeline beyond the copy", bound: 512, play: func(s *script) {
			s.Req(strings.Repeat(get, 100)).Resp(strings.Repeat(null, 100)).Req(set).Resp(okay)
		}, want: append(slicesRepeat("GET {GET k} in 0 @1+2+2", 25), "GET {GET} in 0 @1+2+2 textcut", "SET {SET k ?} @3+4+4")},
		{name: "many arguments beyond the copy", bound: 512, play: func(s *script) {
			many := cmd(append([]string{"HSET"}, slicesRepeat("secret", 200)...)...)
			s.Req(many).Resp(":200\r\n").Req(many[:1000]).Req(many[1000:]).Resp("-OOM no\r\n").Req(get).Resp(null)
		}, want: []string{
			"HSET {HSET secret" + strings.Repeat(" ?", 41) + "} in 0 @1+2+2 textcut", "HSET {HSET secret" + strings.Repeat(" ?", 41) + "} error=OOM @3+5+5 textcut", "GET {GET k} @6+7+7",
		}},
		{name: "many arguments and many values beyond the copy", bound: 40, play: func(s *script) {
			many, list := cmd(append([]string{"MGET"}, slicesRepeat("k", 20)...)...), "*20\r\n"+strings.Repeat(bulk("abc"), 20)
			s.Req(many).Resp(list[:100]).Resp(list[100:]).Req(many).Resp(list).Req(get).Resp(null)
		}, want: []string{"MGET {MGET k k k} in 0 @1+2+3 textcut", "MGET {MGET k k k} @4+5+5 textcut", "GET {GET k} @6+7+7"}},
		{name: "a list for a command that others may follow", bound: 60, play: func(s *script) {
			s.Req(get + cmd(append([]string{"MGET"}, slicesRepeat("k", 20)...)...) + get).Resp(null + "*20\r\n" + strings.Repeat(bulk("abc"), 20) + null).Req(get).Resp(null)
		}, want: []string{"GET {GET k} in 0 @1+2+2", "MGET {MGET k k k} in 0 @1+2+2 truncated textcut", "GET {GET k} @3+4+4"}},
		{name: "many arguments in a transaction", bound: 60, play: func(s *script) {
			s.Req(cmd("MULTI")).Resp(okay).Req(cmd(append([]string{"DEL"}, slicesRepeat("k", 20)...)...)).Resp(queued).Req(cmd("EXEC")).Resp("*1\r\n:1\r\n").Req(get).Resp(null)
		}, want: []string{"EXEC {EXEC} @5+6+6", "GET {GET k} @7+8+8"}},
		{
			name: "client leaves", play: func(s *script) { s.Req(cmd("BLPOP", "q", "0")).EOF(request).Close() },
			want: []string{"BLPOP {BLPOP q ?} in 0 class=2 @1+0+3 connection_closed callergone"},
		},
		{
			name: "joined", midway: true, play: func(s *script) { s.Resp("rest").Req(get).Resp(null) },
			want: []string{"GET {GET k} @2+3+3"},
		},
		{name: "joined in a pipeline", midway: true, play: func(s *script) {
			s.Req(get).Req(set).Resp(null).Resp(okay).Pause(2e9).Req(get).Resp(null)
		}, want: []string{"GET {GET k} @1+0+3 desynchronized", "SET {SET k ?} @2+0+3 desynchronized", "GET {GET k} @2000000005+2000000006+2000000006"}},
		{
			name: "response lost", play: func(s *script) { s.Req(get).Gap(response, 5).Req(get).Resp(null) },
			want: []string{"GET {GET k} in 0 @1+0+1 response_lost", "GET {GET k} @2+3+3"},
		},
		{name: "gap in a value", play: func(s *script) {
			s.Req(get).Resp(bulk(long)[:100]).Gap(response, 4000).Resp(bulk(long)[4100:]).Req(get).Resp(null)
		}, want: []string{"GET {GET k} in 0 @1+2+3", "GET {GET k} in 0 @4+5+5"}},
		{name: "garbage instead of an answer", play: func(s *script) { s.Req(get).Resp("HTTP/1.1 400\r\n").Req(get).Resp(null) }, want: []string{
			"GET {GET k} in 0 @1+0+2 desynchronized", "GET {GET k} @3+4+4",
		}},
		{name: "another protocol", play: func(s *script) { s.Req("\x00\x01").Resp("x").Req(get).Resp(null) }},
		{name: "commands without an answer", play: func(s *script) {
			s.Req(cmd("CLIENT", "REPLY", "OFF")).Req(set + cmd("SELECT", "3")).Req(get + cmd("client", "reply", "on")).Resp(okay).Req(get).Resp(null)
		}, want: []string{
			"CLIENT {CLIENT REPLY ?} in 0 class=4 @1+0+1", "SET {SET k ?} in 0 class=4 @2+0+2", "SELECT {SELECT ?} in 0 class=4 @2+0+2",
			"GET {GET k} in 3 class=4 @3+0+3", "client {client reply ?} in 3 @3+4+4", "GET {GET k} in 3 @5+6+6",
		}},
		{name: "one command without an answer", play: func(s *script) {
			s.Req(get + cmd("CLIENT", "REPLY", "SKIP") + set + get).Resp(null + null).Req(cmd("CLIENT", "REPLY", "PERHAPS")).Resp("-ERR syntax error\r\n")
		}, want: []string{
			"CLIENT {CLIENT REPLY ?} in 0 class=4 @1+0+1", "SET {SET k ?} in 0 class=4 @1+0+1", "GET {GET k} in 0 @1+2+2", "GET {GET k} in 0 @1+2+2",
			"CLIENT {CLIENT REPLY ?} in 0 error=ERR @3+4+4",
		}},
		{name: "no answers, and none to the next command", play: func(s *script) {
			s.Req(cmd("CLIENT", "REPLY", "OFF") + cmd("CLIENT", "REPLY", "SKIP") + set + get)
		}, want: []string{
			"CLIENT {CLIENT REPLY ?} in 0 class=4 @1+0+1", "CLIENT {CLIENT REPLY ?} in 0 class=4 @1+0+1", "SET {SET k ?} in 0 class=4 @1+0+1",
			"GET {GET k} in 0 class=4 @1+0+1",
		}},
		{name: "what is no command's name", play: func(s *script) {
			s.Req(get + cmd("its secret", "x") + cmd("7secret")).Resp(null + "-ERR unknown command\r\n" + "-ERR unknown command\r\n")
		}, want: []string{"GET {GET k} in 0 @1+2+2", "_OTHER in 0 error=ERR @1+2+2", "_OTHER in 0 error=ERR @1+2+2"}},
		{name: "answers again, by a command that was not seen", play: func(s *script) {
			s.Req(cmd("CLIENT", "REPLY", "OFF")).Req(get).Resp(okay).Req(get).Resp(null)
		}, want: []string{
			"CLIENT {CLIENT REPLY ?} in 0 class=4 @1+0+1", "GET {GET k} in 0 class=4 @2+0+2", "GET {GET k} in 0 @4+5+5",
		}},
		{name: "gone without the answer", client: true, play: func(s *script) {
			s.Req(cmd("SUBSCRIBE", "a")).Resp("*3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n").Req(cmd("UNSUBSCRIBE", "a") + cmd("QUIT")).Close()
		}, want: []string{
			"SUBSCRIBE {SUBSCRIBE ?} in 0 class=1 @1+2+2", "UNSUBSCRIBE {UNSUBSCRIBE ?} in 0 class=4 @3+0+3", "QUIT {QUIT} in 0 class=4 @3+0+3",
		}},
		{name: "everything that happens", play: func(s *script) {
			s.Req(cmd("MONITOR")).Resp(okay).Resp("+1 [0 x] \"GET\"\r\n").Req(get).Close()
		}, want: []string{"MONITOR {MONITOR} in 0 class=1 @1+2+2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := dbtest.NewScript(New(), tt.client, tt.midway)
			s.Bound = tt.bound
			tt.play(s)
			require.Equal(t, strings.Join(tt.want, "\n"), s.Text())
			require.Equal(t, s.P.Open(), s.Opened)
		})
	}
}

func slicesRepeat(s string, n int) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

// A connection between servers has no requests, whichever way it is looked at.
func TestReplication(t *testing.T) {
	for name, play := range map[string]func(*script){
		"from its beginning": func(s *script) { s.Req(cmd("REPLCONF", "listening-port", "1")).Resp(okay).Req(cmd("PSYNC", "?", "-1")) },
		"joined, as the replica's client": func(s *script) {
			s.Req(set).Req(set).Resp(cmd("REPLCONF", "ACK", "17")).Req(set)
		},
		"joined, acknowledgement first": func(s *script) { s.Req(cmd("REPLCONF", "ACK", "17")).Resp(set).Resp(set) },
	} {
		t.Run(name, func(t *testing.T) {
			s := dbtest.NewScript(New(), false, name[0] == 'j')
			play(s)
			s.Close()
			require.Empty(t, s.Found)
			require.Equal(t, []exchange.Form{exchange.Replication}, s.Opaqued)
		})
	}
}

func TestClassify(t *testing.T) {
	p := New()
	for first, want := range map[string]exchange.Verdict{
		get: exchange.IsRequest, "*2\r\n$3\r\nGET": exchange.IsRequest, "*2\r\n$3\r\nG": exchange.IsRequest,
		cmd("SUBSCRIBE", "a"):                               exchange.IsRequest,
		"*3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n": exchange.Foreign,
		"*2\r\n" + bulk("some") + bulk("value"):             exchange.Foreign,
		"+OK\r\n":                                           exchange.Foreign, "": exchange.Foreign, "*1\r\n$-1": exchange.Foreign, "GET k\r\n": exchange.Foreign,
	} {
		require.Equal(t, want, p.Classify([]byte(first)), "%q", first)
	}
}

func TestSignatures(t *testing.T) {
	matches := func(b string) bool {
		for _, sig := range New().Signatures() {
			if sig.Matches([]byte(b)) {
				return true
			}
		}
		return false
	}
	for _, b := range []string{get, cmd("PING"), cmd(slicesRepeat("DEL", 17)...)} {
		require.True(t, matches(b), b)
	}
	for _, b := range []string{"GET / HTTP/1.1\r\n", "* OK IMAP4rev1", "*1\n$4\nPING", "** bold **", "\x16\x03\x01\x02\x00\x01\x00"} {
		require.False(t, matches(b), b)
	}
}

func TestRefused(t *testing.T) {
	s := dbtest.NewScript(New(), false, false)
	s.Req("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and more\r\n")
	require.True(t, s.Refused())
	require.Empty(t, s.Found)
	require.Zero(t, s.Opened)
	s.Reset(true)
	require.False(t, s.Refused())
}

// A length has digits alone, and bounds.
func TestLengths(t *testing.T) {
	for line, refused := range map[string]bool{
		"*1\r\n$4\r\nPING\r\n": false, "*1\r\n$4x\r\nPING\r\n": true, "*1\r\n$-2\r\n": true, "*1\r\n$99999999999\r\n": true,
	} {
		s := dbtest.NewScript(New(), false, false)
		s.Req(line)
		require.Equal(t, refused, s.Refused(), "%q", line)
	}
}
