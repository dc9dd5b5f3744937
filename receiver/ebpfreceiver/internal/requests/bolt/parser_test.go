package bolt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

func start(s *script) { s.Req(proposal).Resp(version5).Req(greet).Resp(welcome) }

const found = "{MATCH (n:A) WHERE n.id = ? RETURN n} in shop rows=1"

func TestParser(t *testing.T) {
	const (
		request  = exchange.Request
		response = exchange.Response
	)
	long := strings.Repeat("x", 6000)
	tests := []struct {
		name   string
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{
			name: "query", play: func(s *script) { start(s); s.Req(one).Resp(oneRow) },
			want: []string{found + " @5+6+6"},
		},
		{
			name: "agreement by a list", play: func(s *script) {
				s.Req(magic + "\x00\x00\x01\xff\x00\x08\x08\x05\x00\x02\x04\x04\x00\x00\x00\x03")
				s.Resp("\x00\x00\x01\xff\x02\x00\x08\x08\x05\x00\x02\x04\x04\x00").Req("\x00\x00\x08\x05\x00" + greet)
				s.Resp(welcome).Req(one).Resp(oneRow)
			}, want: []string{found + " @5+6+6"},
		},
		{name: "agreement in pieces", play: func(s *script) {
			s.Req(proposal[:3]).Req(proposal[3:]).Resp("\x00\x00").Resp("\x04\x05")
			s.Req(one).Resp(oneRow)
		}, want: []string{found + " @5+6+6"}},
		{name: "old version", play: func(s *script) {
			s.Req(proposal).Resp("\x00\x00\x00\x03").Req(msg(hello, kv{"user_agent", "x"})).Resp(okay)
			s.Req(msg(run, "RETURN 1", kv{}, kv{}) + msg(pull)).Resp(oneRow)
		}, want: []string{"{RETURN ?} in shop rows=1 @5+6+6"}},
		{name: "no columns", play: func(s *script) {
			start(s)
			s.Req(query("CREATE (n:A {x: 'y'})")).Resp(ranEmpty + pulled)
		}, want: []string{"{CREATE (n:A {x: ?})} in shop @5+6+6"}},
		{name: "query fails", play: func(s *script) {
			start(s)
			s.Req(query("MATC")).Resp(fail("Neo.ClientError.Statement.SyntaxError") + skipped).Req(msg(reset)).Resp(okay)
			s.Req(one).Resp(oneRow)
		}, want: []string{"{MATC} in shop error=Neo.ClientError.Statement.SyntaxError @5+6+6", found + " @9+10+10"}},
		{name: "failure of 5.7", play: func(s *script) {
			start(s)
			s.Req(query("MATC")).Resp(msg(failure, kv{
				"gql_status", "42001", "description", "d", "message", "secret", "neo4j_code", "Neo.ClientError.Statement.SyntaxError",
				"diagnostic_record",
				kv{"CURRENT_SCHEMA", "/"},
			}) + skipped)
		}, want: []string{"{MATC} in shop error=Neo.ClientError.Statement.SyntaxError @5+6+6"}},
		{name: "fails while it is fetched", play: func(s *script) {
			start(s)
			s.Req(one).Resp(ran).Resp(rows(2)).Resp(fail("Neo.TransientError.General.OutOfMemory"))
		}, want: []string{"{MATCH (n:A) WHERE n.id = ? RETURN n} in shop error=Neo.TransientError.General.OutOfMemory @5+6+8"}},
		{name: "fetched in turns", play: func(s *script) {
			start(s)
			s.Req(runIn("shop", "MATCH (n) RETURN n") + pull2).Resp(ran + rows(2) + pulledIn)
			s.Req(pull2).Resp(rows(2) + pulledIn).Req(pull2).Resp(rows(1) + pulled)
		}, want: []string{"{MATCH (n) RETURN n} in shop rows=5 @5+6+10"}},
		{name: "the rest is thrown away", play: func(s *script) {
			start(s)
			s.Req(runIn("shop", "MATCH (n) RETURN n") + pull2).Resp(ran + rows(2) + pulledIn)
			s.Req(msg(discard, kv{"n", -1})).Resp(pulled)
		}, want: []string{"{MATCH (n) RETURN n} in shop rows=2 @5+6+8"}},
		{name: "transaction with two results at once", play: func(s *script) {
			start(s)
			s.Req(msg(begin, kv{"db", "shop"})).Resp(okay)
			s.Req(msg(run, "RETURN 1", kv{}, kv{}) + pull2).Resp(msg(success, kv{"fields", []any{"a"}, "qid", 0}) + rows(2) + pulledIn)
			s.Req(msg(run, "RETURN x", kv{}, kv{}) + pull2).Resp(msg(success, kv{"fields", []any{"a"}, "qid", 1}) + rows(2) + pulledIn)
			s.Req(msg(pull, kv{"n", -1, "qid", 0})).Resp(rows(3) + okay)
			s.Req(msg(commit)).Resp(okay)
			s.Req(one).Resp(oneRow)
		}, want: []string{
			"BEGIN in shop @5+6+6", "{RETURN ?} in shop rows=5 @7+8+12", "COMMIT in shop @13+14+14",
			"{RETURN x} in shop rows=2 @9+10+10", found + " @15+16+16",
		}},
		{name: "transaction in one piece", play: func(s *script) {
			start(s)
			s.Req(msg(begin, kv{"db", "shop"})).Req(msg(run, "RETURN x", kv{}, kv{})).Req(pullAll)
			s.Resp(okay + ran + rows(1) + pulled).Req(msg(rollback)).Resp(okay)
		}, want: []string{"BEGIN in shop @5+8+8", "{RETURN x} in shop rows=1 @6+8+8", "ROLLBACK in shop @9+10+10"}},
		{name: "transaction fails at its beginning", play: func(s *script) {
			start(s)
			s.Req(msg(begin, kv{"db", "none"}) + msg(run, "RETURN x", kv{}, kv{}) + pullAll)
			s.Resp(fail("Neo.ClientError.Database.DatabaseNotFound") + skipped + skipped).Req(msg(reset)).Resp(okay)
		}, want: []string{"BEGIN in none error=Neo.ClientError.Database.DatabaseNotFound @5+6+6", "{RETURN x} in none error=IGNORED @5+6+6"}},
		{name: "refused at the door", play: func(s *script) {
			s.Req(proposal).Resp(version5).Req(greet).Resp(msg(success, kv{"server", "x"}) + fail("Neo.ClientError.Security.Unauthorized"))
		}, want: []string{"LOGON error=Neo.ClientError.Security.Unauthorized @3+4+4"}},
		{name: "other graph databases", play: func(s *script) {
			s.Req(proposal).Resp(version5).Req(greet)
			s.Resp(msg(success, kv{"server", "Neo4j/v5.2.0 compatible graph database server - Memgraph"}) + okay)
			s.Req(one).Resp(oneRow)
			require.Equal(t, Memgraph, s.P.(*Parser).system)
		}, want: []string{found + " @5+6+6"}},
		{name: "routing", play: func(s *script) {
			start(s)
			s.Req(msg(route, kv{"address", "x"}, []any{}, kv{"db", "shop"})).Resp(msg(success, kv{"rt", kv{"ttl", 300, "db", "shop"}}))
		}, want: []string{"ROUTE in shop @5+6+6"}},
		{name: "database by its answer", play: func(s *script) {
			start(s)
			s.Req(msg(run, "RETURN x", kv{}, kv{}) + pullAll).Resp(oneRow)
		}, want: []string{"{RETURN x} in shop rows=1 @5+6+6"}},
		{name: "kept alive", play: func(s *script) {
			start(s)
			s.Resp(noop).Req(one).Resp(noop + ran + noop).Resp(noop + noop).Resp(rows(1) + noop + pulled + noop).Req(noop + one).Resp(oneRow)
		}, want: []string{found + " @6+7+9", found + " @10+11+11"}},
		{name: "message in chunks", play: func(s *script) {
			start(s)
			s.Req(chunked(raw(run, "RETURN $p, 'x'", kv{"p", long}, kv{"db", "shop"}), 1400) + pullAll)
			s.Resp(chunked(raw(success, kv{"fields", []any{"x"}}), 5) + chunked(raw(record, []any{long}), 1000) + pulled)
		}, want: []string{"{RETURN $p, ?} in shop rows=1 @5+6+6"}},
		{name: "parameters beyond the bound", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(msg(run, "RETURN $p, 'x'", kv{"p", long}, kv{"db", "shop"})).Req(pullAll).Resp(oneRow)
		}, want: []string{"{RETURN $p, ?} in shop rows=1 @5+7+7"}},
		{name: "parameters beyond the bound, in chunks", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(chunked(raw(run, "RETURN $p, 'x'", kv{"p", long}, kv{"db", "shop"}), 1400) + pullAll).Resp(oneRow)
			s.Req(one).Resp(oneRow)
		}, want: []string{"{RETURN $p, ?} in shop rows=1 @5+6+6", found + " @7+8+8"}},
		{name: "text beyond the bound", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(query("RETURN 'x', '" + long + "', n")).Resp(oneRow)
		}, want: []string{"{RETURN ?, ?} textcut in shop rows=1 @5+6+6"}},
		{name: "result beyond the bound, with its end", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(one).Resp(ran + rows(500) + okay)
		}, want: []string{"{MATCH (n:A) WHERE n.id = ? RETURN n} in shop @5+6+6 rowshidden"}},
		{name: "result beyond the bound, fails", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(one).Resp(ran + rows(500)).Resp(fail("Neo.TransientError.General.OutOfMemory"))
		}, want: []string{"{MATCH (n:A) WHERE n.id = ? RETURN n} in shop error=Neo.TransientError.General.OutOfMemory @5+6+7"}},
		{name: "requests and results beyond the bound, one fails", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(query("RETURN '"+long+"'") + one).Resp(ran + rows(500)).Resp(fail("Neo.X"))
		}, want: []string{"{RETURN ?} textcut @5+6+7 truncated namespacehidden"}},
		{name: "result whose end is not seen", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(one).Resp(ran + rows(500) + pulled).Pause(100).Req(one).Resp(oneRow)
		}, want: []string{"{MATCH (n:A) WHERE n.id = ? RETURN n} in shop @5+6+6 hidden rowshidden", found + " @107+108+108"}},
		{name: "fetched in turns, beyond the bound", bound: 2048, play: func(s *script) {
			start(s)
			s.Req(runIn("shop", "MATCH (n) RETURN n") + pull2).Resp(ran + rows(500) + pulledIn).Req(pull2).Resp(rows(3) + pulled)
		}, want: []string{"{MATCH (n) RETURN n} in shop @5+6+8 rowshidden"}},
		{name: "joined later", midway: true, play: func(s *script) {
			s.Resp(rows(3)).Req(pull2).Resp(rows(3) + pulled).Req(one).Resp(oneRow)
		}, want: []string{found + " @4+5+5"}},
		{name: "joined in a transaction", midway: true, play: func(s *script) {
			s.Req(msg(run, "RETURN x", kv{}, kv{}) + pullAll).Resp(oneRow).Req(msg(commit)).Resp(okay)
		}, want: []string{"{RETURN x} in shop rows=1 @1+2+2", "COMMIT @3+4+4"}},
		{name: "another one's answer", midway: true, play: func(s *script) {
			s.Req(one).Resp(oneRow).Req(msg(begin, kv{})).Gap(response, 10).Req(one).Resp(okay + oneRow).Pause(2e9).Req(one).Resp(oneRow)
		}, want: []string{
			found + " @1+2+2", "BEGIN @3+0+3 response_lost", "{MATCH (n:A) WHERE n.id = ? RETURN n} in shop @4+5+5 desynchronized", found + " @2000000006+2000000007+2000000007",
		}},
		{name: "answer to something else", midway: true, play: func(s *script) {
			s.Req(one).Resp(okay).Req(msg(begin, kv{})).Resp(rows(1)).Pause(2e9).Req(one).Resp(oneRow)
		}, want: []string{
			"{MATCH (n:A) WHERE n.id = ? RETURN n} in shop @1+2+2 desynchronized",
			"BEGIN @3+4+4 desynchronized", found + " @2000000005+2000000006+2000000006",
		}},
		{name: "connection lost", play: func(s *script) {
			start(s)
			s.Req(one).EOF(response)
		}, want: []string{"{MATCH (n:A) WHERE n.id = ? RETURN n} in shop @5+0+6 connection_closed"}},
		{name: "left with a result", play: func(s *script) {
			start(s)
			s.Req(runIn("shop", "RETURN x") + pull2).Resp(ran + rows(2) + pulledIn).Pause(1e9).Req(msg(goodbye)).EOF(request).Close()
		}, want: []string{"{RETURN x} in shop rows=2 @5+6+6 callergone"}},
	}
	for _, tc := range tests {
		for _, client := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				s := dbtest.NewScript(New(), client, tc.midway)
				s.Bound = tc.bound
				tc.play(s)
				s.Close()
				require.Equal(t, tc.want, s.Found)
				require.False(t, s.Refused())
				require.Zero(t, s.Opened)
			})
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, play := range map[string]func(*script){
		"no proposal":     func(s *script) { s.Req("GET / HTTP/1.1\r\n\r\n") },
		"another version": func(s *script) { s.Req(proposal).Resp("\x00\x00\x00\x7f") },
		"other answers": func(s *script) {
			s.Reset(true)
			for range maxDoubts {
				require.False(t, s.Refused())
				s.Pause(2e9).Req(one).Resp("HTTP/1.1 200 OK\r\n\r\n")
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

func TestNoCommonVersion(t *testing.T) {
	s := dbtest.NewScript(New(), true, false)
	s.Req(proposal).Resp("\x00\x00\x00\x00").Req(one).Resp(oneRow)
	require.Empty(t, s.Found)
	require.False(t, s.Refused())
}

// What is left unfinished in a transaction is bounded.
func TestManyResults(t *testing.T) {
	s := dbtest.NewScript(New(), true, false)
	start(s)
	s.Req(msg(begin, kv{})).Resp(okay)
	for range 10 * maxOperations {
		s.Req(msg(run, "RETURN x", kv{}, kv{}) + pull2).Resp(ran + rows(2) + pulledIn)
		require.LessOrEqual(t, s.P.Open(), maxOperations)
	}
	s.Req(msg(commit)).Resp(okay)
	require.Len(t, s.Found, 10*maxOperations+2)
	require.Zero(t, s.P.Open())
}

func TestClassify(t *testing.T) {
	for first, want := range map[string]exchange.Verdict{
		proposal:                 exchange.IsRequest,
		proposal[:4]:             exchange.IsRequest,
		one:                      exchange.IsRequest,
		one[:20]:                 exchange.IsRequest,
		msg(reset):               exchange.IsRequest,
		msg(begin, kv{}):         exchange.IsRequest,
		msg(commit):              exchange.IsRequest,
		oneRow:                   exchange.IsResponse,
		fail("x"):                exchange.IsResponse,
		rows(3):                  exchange.Foreign, // joined in its midst
		"":                       exchange.Foreign,
		"\x00\x02":               exchange.Foreign,
		"\x00\x05\xb3\x10xxx":    exchange.Foreign,
		"\x00\x05\xb7\x10\x81xx": exchange.Foreign,
		msg(reset) + "what":      exchange.Foreign,
		"GET / HTTP/1.1\r\n\r\n": exchange.Foreign,
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

// Parameters, names of users and passwords stay where they are.
func TestSecrets(t *testing.T) {
	s := dbtest.NewScript(New(), true, false)
	start(s)
	s.Req(query("MATCH (n {p: 'secret'}) RETURN n")).Resp(oneRow).Req(one).Resp(fail("Neo.X")).Close()
	require.Len(t, s.Found, 2)
	require.NotContains(t, s.Text(), "secret")
}

func TestPackStream(t *testing.T) {
	all := []any{nil, true, 17, "text", []any{1, []any{}, kv{}}, kv{"k", kv{"l", []any{nil}}}}
	for i := range all {
		r := reader{[]byte(pack(all[i]) + "rest")}
		require.True(t, r.skip())
		require.Equal(t, "rest", string(r.b))
		whole := pack(all[i])
		for n := range len(whole) {
			r := reader{[]byte(whole[:n])}
			require.False(t, r.skip(), "%q", whole[:n])
		}
	}
	for wire, want := range map[string]int64{
		"\x05": 5, "\xf0": -16, "\xc8\x80": -128, "\xc9\x01\x00": 256, "\xca\xff\xff\xff\xff": -1, "\xcb\x00\x00\x00\x01\x00\x00\x00\x00": 1 << 32,
	} {
		r := reader{[]byte(wire)}
		got, ok := r.number()
		require.True(t, ok)
		require.Equal(t, want, got)
		require.Empty(t, r.b)
	}
	r := reader{[]byte(strings.Repeat("\x91", 100))}
	require.False(t, r.skip(), "nested for ever")
	r = reader{[]byte("\xd6\xff\xff\xff\xff\x01")}
	require.False(t, r.skip(), "longer than there are bytes")
}
