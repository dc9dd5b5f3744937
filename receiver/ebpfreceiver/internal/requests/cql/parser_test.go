package cql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

func start(s *script) {
	s.Req(options).Resp(offered).Req(startup).Resp(ready).Req(use).Resp(used)
	s.Found = nil
}

func TestParser(t *testing.T) {
	big := strings.Repeat("x", 5000)
	tests := []struct {
		name   string
		midway bool
		client bool // only seen there
		bound  int
		play   func(*script)
		want   []string
	}{
		{
			name: "query", play: func(s *script) { start(s); s.Req(one).Resp(oneRow) },
			want: []string{found + " @7+8+8"},
		},
		{name: "start of a connection", play: func(s *script) {
			s.Req(options).Resp(offered).Req(startup).Resp(ready).Req(use).Resp(used).Req(options).Resp(offered)
		}, want: []string{
			"OPTIONS class=3 @1+2+2", "{USE shop} @5+6+6", "OPTIONS in shop class=3 @7+8+8",
		}},
		{name: "password", play: func(s *script) {
			s.Req(startup).Resp(resp(1, opAuthenticate, text("x"))).Req(req(1, opAuthResponse, longText("\x00me\x00secret")))
			s.Resp(resp(1, opAuthSuccess, long(-1))).Req(one).Resp(oneRow)
		}, want: []string{strings.Replace(found, " in shop", "", 1) + " @5+6+6"}},
		{name: "wrong password", play: func(s *script) {
			s.Req(startup).Resp(resp(1, opAuthenticate, text("x"))).Req(req(1, opAuthResponse, longText("\x00me\x00secret"))).Resp(failure(1, 0x100))
		}, want: []string{"AUTH_RESPONSE error=0x0100 @3+4+4"}},
		{name: "errors", play: func(s *script) {
			start(s)
			s.Req(query(5, "SELEC")).Resp(failure(5, 0x2000)).Req(one).Resp(failure(3, 0x1200))
		}, want: []string{"{SELEC} in shop error=0x2000 @7+8+8", "{SELECT * FROM users WHERE id = ?} in shop error=0x1200 @9+10+10"}},
		{name: "many at once, answered in any order", play: func(s *script) {
			start(s)
			s.Req(query(7, "SELECT a FROM a") + query(8, "SELECT b FROM b")).Req(query(9, "SELECT c FROM c"))
			s.Resp(rows(9, 3, "")).Resp(rows(8, 2, "") + rows(7, 1, ""))
		}, want: []string{
			"{SELECT c FROM c} in shop rows=3 @8+9+9", "{SELECT b FROM b} in shop rows=2 @7+10+10",
			"{SELECT a FROM a} in shop rows=1 @7+10+10",
		}},
		{name: "prepared", play: func(s *script) {
			start(s)
			s.Req(prepare(4, "SELECT a FROM p WHERE k = ?")).Resp(preparedAs(4, "0123456789abcdef"))
			s.Req(execute(4, "0123456789abcdef")).Resp(rows(4, 2, "")).Req(execute(4, "fedcba9876543210")).Resp(done(4))
		}, want: []string{
			"PREPARE {SELECT a FROM p WHERE k = ?} in shop @7+8+8",
			"{SELECT a FROM p WHERE k = ?} in shop rows=2 @9+10+10", "UNSEEN in shop @11+12+12",
		}},
		{name: "batch", play: func(s *script) {
			start(s)
			s.Req(prepare(4, "UPDATE p SET v = 17 WHERE k = ?")).Resp(preparedAs(4, "0123456789abcdef"))
			entry := "\x00" + longText("INSERT INTO t (a) VALUES ('secret')") + short(0)
			s.Req(req(6, opBatch, "\x00"+short(2)+entry+entry+short(1)+"\x00")).Resp(done(6))
			s.Req(req(6, opBatch, "\x01"+short(2)+entry+"\x01"+text("0123456789abcdef")+short(1)+longText("secret")+short(4)+"\x00")).Resp(done(6))
			s.Req(req(6, opBatch, "\x01"+short(1)+entry+short(4)+"\x00")).Resp(done(6))
		}, want: []string{
			"PREPARE {UPDATE p SET v = ? WHERE k = ?} in shop @7+8+8",
			"BATCH(2) {INSERT INTO t (a) VALUES (?)} in shop @9+10+10", "BATCH(2) MIXED {INSERT INTO t (a) VALUES (?); UPDATE p SET v = ? WHERE k = ?} in shop @11+12+12",
			"{INSERT INTO t (a) VALUES (?)} in shop @13+14+14",
		}},
		{name: "batch beyond the bound", bound: 1024, play: func(s *script) {
			start(s)
			entry := "\x00" + longText("INSERT INTO t (a) VALUES ('secret')") + short(0)
			s.Req(req(6, opBatch, "\x00"+short(100)+strings.Repeat(entry, 100)+short(1)+"\x00")).Resp(done(6))
		}, want: []string{"BATCH(100) MIXED in shop @7+8+8 textcut"}},
		{name: "events", play: func(s *script) {
			start(s)
			event := resp(-1, opEvent, text("TOPOLOGY_CHANGE"))
			s.Resp(event).Req(one).Resp(event + oneRow + event)
		}, want: []string{found + " @8+9+9"}},
		{name: "warnings, tracing and payload", play: func(s *script) {
			start(s)
			s.Req(env(4, flagPayload, 3, opQuery, short(1)+text("k")+longText("secret")+one[envelopeHeader:]))
			s.Resp(env(4|response, flagTracing|flagWarning|flagPayload, 3, opResult,
				strings.Repeat("t", 16)+short(1)+text("warning")+short(1)+text("k")+longText("v")+oneRow[envelopeHeader:]))
		}, want: []string{found + " @7+8+8"}},
		{name: "version 5", play: func(s *script) {
			s.Req(five(options)).Resp(five(offered)).Req(five(startup)).Resp(five(ready))
			s.Req(segments(five(use), 1000)).Resp(segments(five(used), 1000))
			s.Req(segments(five(one)+five(query(4, "SELECT b FROM b")), 1000)).Resp(segments(five(rows(4, 2, big)), 1000) + segments(five(oneRow), 1000))
		}, want: []string{
			"OPTIONS class=3 @1+2+2", "{USE shop} @5+6+6",
			"{SELECT b FROM b} in shop rows=2 @7+8+8", found + " @7+8+8",
		}},
		{name: "version 5, prepared, joined later", midway: true, play: func(s *script) {
			s.Resp(segments(five(rows(4, 2, big)), 1000)[500:])
			s.Req(segments(env(5, 0, 4, opExecute, text("0123456789abcdef")+text("metadata")+parameters), 1000)).Resp(segments(five(rows(4, 2, big)), 9000))
		}, want: []string{"UNSEEN rows=2 @2+3+3"}},
		{name: "result beyond the bound", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(one).Resp(rows(3, 1, big) + rows(99, 1, "")).Req(one).Resp(oneRow)
		}, want: []string{found + " @7+8+8", found + " @9+10+10"}},
		{name: "result in pieces, beyond the bound", bound: 64, play: func(s *script) {
			start(s)
			all := rows(3, 1, big)
			s.Req(one).Resp(all[:50]).Resp(all[50:4000]).Resp(all[4000:]).Req(one).Resp(oneRow)
		}, want: []string{
			"{SELECT * FROM users WHERE id = ?} in shop rows=1 @7+8+10",
			"{SELECT * FROM users WHERE id = ?} in shop @11+12+12 rowshidden",
		}},
		{name: "text beyond the bound", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(query(3, "SELECT * FROM t WHERE a = '"+big+"'")).Resp(oneRow)
		}, want: []string{"{SELECT * FROM t WHERE a = ?} textcut in shop rows=1 @7+8+8"}},
		{name: "joined later", midway: true, play: func(s *script) {
			s.Resp(rows(7, 1, big)).Req(one).Resp(oneRow)
		}, want: []string{strings.Replace(found, " in shop", "", 1) + " @2+3+3"}},
		{name: "response lost", play: func(s *script) {
			start(s)
			s.Req(one).Gap(exchange.Response, 20).Req(query(3, "SELECT b FROM b")).Resp(oneRow)
		}, want: []string{
			"{SELECT * FROM users WHERE id = ?} in shop @7+0+7 response_lost",
			"{SELECT b FROM b} in shop rows=1 @8+9+9",
		}},
		{name: "response lost, and a request on its stream", play: func(s *script) {
			start(s)
			s.Req(one).Gap(exchange.Response, 20).Gap(exchange.Request, 20).Resp(oneRow).Pause(2e9)
		}, want: []string{"{SELECT * FROM users WHERE id = ?} in shop @7+0+7 response_lost"}},
		{name: "response lost for ever", play: func(s *script) {
			start(s)
			s.Req(one).Gap(exchange.Response, 20).Pause(11e9)
			s.P.Tick(s.Now)
		}, want: []string{"{SELECT * FROM users WHERE id = ?} in shop @7+0+7 response_lost"}},
		{name: "reported before its request", client: true, play: func(s *script) {
			start(s)
			s.Resp(oneRow)
			s.Now -= 2
			s.Req(one)
		}, want: []string{found + " @6+7+7"}},
		{name: "connection lost", play: func(s *script) {
			start(s)
			s.Req(one).EOF(exchange.Response)
		}, want: []string{"{SELECT * FROM users WHERE id = ?} in shop @7+0+8 connection_closed"}},
	}
	for _, tc := range tests {
		for _, client := range []bool{false, true} {
			if tc.client && !client {
				continue
			}
			t.Run(tc.name, func(t *testing.T) {
				s := dbtest.NewScript(New(), client, tc.midway)
				s.Bound = tc.bound
				tc.play(s)
				s.Close()
				require.Equal(t, tc.want, s.Found)
				require.NotContains(t, s.Text(), "secret")
				require.False(t, s.Refused())
				require.Zero(t, s.Opened)
			})
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, play := range map[string]func(*script){
		"no request":       func(s *script) { s.Req("GET / HTTP/1.1\r\n\r\n") },
		"no response":      func(s *script) { s.Req(startup).Resp("HTTP/1.1 200 OK\r\n") },
		"another response": func(s *script) { s.Req(startup).Resp(resp(1, opSupported, short(0))) },
		"version 2":        func(s *script) { s.Req("\x02\x00\x01\x01\x00\x00\x00\x16" + startup[9:]) },
		"response to query": func(s *script) {
			s.Reset(true)
			for range midwayPatience {
				require.False(t, s.Refused())
				s.Req(one).Resp(resp(3, opReady, ""))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := dbtest.NewScript(New(), true, false)
			play(s)
			require.True(t, s.Refused())
			require.Zero(t, s.Opened)
			require.Zero(t, s.P.Open())
		})
	}
}

func TestClassify(t *testing.T) {
	for first, want := range map[string]exchange.Verdict{
		options:                              exchange.IsRequest,
		startup:                              exchange.IsRequest,
		one:                                  exchange.IsRequest,
		one[:20]:                             exchange.IsRequest,
		execute(7, "0123456789abcdef"):       exchange.IsRequest,
		segments(five(one), 1000):            exchange.IsRequest,
		oneRow:                               exchange.IsResponse,
		segments(five(oneRow), 1000):         exchange.IsResponse,
		segments(five(oneRow), 50):           exchange.Foreign, // a part of one
		"":                                   exchange.Foreign,
		"\x04\x00\x00\x00":                   exchange.Foreign,
		one + "what is this, then?":          exchange.Foreign,
		req(1, opQuery, long(4000)+"secret"): exchange.Foreign,
		"GET / HTTP/1.1\r\n\r\n":             exchange.Foreign,
	} {
		require.Equal(t, want, New().Classify([]byte(first)), "%q", first)
		matches := false
		for _, s := range New().Signatures() {
			matches = matches || s.Matches([]byte(first))
		}
		if want == exchange.IsRequest {
			require.True(t, matches, "%q", first)
		}
	}
}

func TestSegmentHeader(t *testing.T) {
	// From the specification of version 5, section 2.2: 3 bytes and their CRC-24.
	length, whole, ok := parseSegment([]byte(segments(strings.Repeat("x", 1234), 2000)))
	require.True(t, ok)
	require.True(t, whole)
	require.EqualValues(t, 1234, length)
	for i := range segmentHeader {
		b := []byte(segments("payload", 2000))
		b[i] ^= 0x10
		_, _, ok = parseSegment(b)
		require.False(t, ok)
	}
}

// What was prepared is bounded, on all connections together.
func TestPreparedIsBounded(t *testing.T) {
	p := New()
	s := dbtest.NewScript(p, true, false)
	start(s)
	for i := range maxPrepared + 10 {
		s.Req(prepare(4, "SELECT a FROM p")).Resp(preparedAs(4, "number"+long(i)))
		require.LessOrEqual(t, len(p.prepared.known), maxPrepared)
	}
	s.Found = nil
	s.Req(execute(4, "number"+long(maxPrepared+9))).Resp(done(4))
	require.Contains(t, s.Text(), "{SELECT a FROM p}")
}

func TestConsistency(t *testing.T) {
	for request, want := range map[string]string{
		one: "local_quorum", execute(3, "0123456789abcdef"): "local_quorum",
		req(3, opBatch, "\x00"+short(1)+"\x00"+longText("UPDATE t")+short(0)+short(1)): "one",
		req(3, opQuery, longText("SELECT a FROM t")+"\x7f\xff\x00"):                    "",
	} {
		p := New()
		f := p.NewFacts().(*dbfacts.Facts)
		parser := p.NewParser(nil).(*Parser)
		h := parseHeader([]byte(request))
		parser.describe(&stream{}, f, &h, &dbconn.Message{Body: []byte(request)[envelopeHeader:], Len: uint64(h.length)})
		require.Equal(t, want, f.Consistency)
	}
}
