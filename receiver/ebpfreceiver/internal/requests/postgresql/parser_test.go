package postgresql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

func begin(s *script) { s.Req(startup).Resp(welcome) }

func TestParser(t *testing.T) {
	const (
		request  = exchange.Request
		response = exchange.Response
		parent   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	)
	long := strings.Repeat("x", 3000)
	tests := []struct {
		name   string
		client bool
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{
			name: "simple query", play: func(s *script) { begin(s); s.Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @3+4+4"},
		},
		{name: "encryption refused twice, then a query", play: func(s *script) {
			s.Req(untypedMsg(codeGSSAPI, "")).Resp("N").Req(untypedMsg(codeTLS, "")).Resp("N")
			begin(s)
			s.Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @7+8+8"}},
		{name: "database by user", play: func(s *script) {
			s.Req(untypedMsg(version3, "user\x00me\x00\x00")).Resp(welcome).Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in me rows=1 @3+4+4"}},
		{name: "password", play: func(s *script) {
			s.Req(startup).Resp(msg('R', "\x00\x00\x00\x03")).Req(msg('p', "secret\x00")).Resp(welcome).Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @5+6+6"}},
		{name: "error", play: func(s *script) {
			begin(s)
			s.Req(query("SELECT b FROM t")).Resp(failure("42703") + readyI)
		}, want: []string{"{SELECT b FROM t} in shop error=42703 @3+4+4"}},
		{name: "error after rows", play: func(s *script) {
			begin(s)
			s.Req(one).Resp(columns + row("x")).Resp(failure("22012") + readyI)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop error=22012 @3+4+5"}},
		{name: "several statements at once", play: func(s *script) {
			begin(s)
			s.Req(query("BEGIN; UPDATE t SET a = 1; COMMIT")).Resp(done("BEGIN") + done("UPDATE 3") + done("COMMIT") + readyI)
		}, want: []string{"{BEGIN; UPDATE t SET a = ?; COMMIT} in shop @3+4+4"}},
		{name: "nothing asked", play: func(s *script) {
			begin(s)
			s.Req(query("-- ping")).Resp("I\x00\x00\x00\x04" + readyI)
		}, want: []string{"{} in shop class=3 @3+4+4"}},
		{name: "comment with a parent", play: func(s *script) {
			begin(s)
			s.Req(query("SELECT a /*traceparent='" + parent + "'*/")).Resp(done("SELECT 0") + readyI)
		}, want: []string{"{SELECT a} in shop rows=0 parent=" + parent + " @3+4+4"}},
		{name: "extended query", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a FROM t WHERE id = $1") + bind("", "") + describeP + execute("") + sync)
			s.Resp(parsed + bound + oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = $1} in shop rows=1 @3+4+4"}},
		{name: "named statement", play: func(s *script) {
			begin(s)
			s.Req(parse("s1", "SELECT a FROM t WHERE id = $1") + sync).Resp(parsed + readyI)
			s.Req(bind("", "s1") + execute("") + sync).Resp(bound + row("x") + done("SELECT 1") + readyI)
			s.Req(msg('C', "Ss1\x00") + sync).Resp("3\x00\x00\x00\x04" + readyI)
			s.Req(bind("", "s1") + execute("") + sync).Resp(failure("26000") + readyI)
		}, want: []string{
			"PREPARE {SELECT a FROM t WHERE id = $1} in shop @3+4+4",
			"{SELECT a FROM t WHERE id = $1} in shop rows=1 @5+6+6",
			"UNSEEN in shop error=26000 @9+10+10",
		}},
		{name: "statement that could not be prepared", play: func(s *script) {
			begin(s)
			s.Req(parse("s1", "SELECT b FROM t") + sync).Resp(failure("42703") + readyI)
			s.Req(bind("", "s1") + execute("") + sync).Resp(failure("26000") + readyI)
		}, want: []string{
			"PREPARE {SELECT b FROM t} in shop error=42703 @3+4+4",
			"UNSEEN in shop error=26000 @5+6+6",
		}},
		{name: "portal with a limit", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a FROM t") + bind("c", "") + execute("c") + sync).Resp(parsed + bound + row("x") + "s\x00\x00\x00\x04" + readyI)
			s.Req(execute("c") + sync).Resp(row("y") + done("SELECT 1") + readyI)
		}, want: []string{"{SELECT a FROM t} in shop @3+4+4", "{SELECT a FROM t} in shop rows=1 @5+6+6"}},
		{name: "portal with the name of a statement that is closed", play: func(s *script) {
			begin(s)
			s.Req(parse("s1", "SELECT a FROM t") + sync).Resp(parsed + readyI)
			s.Req(bind("s1", "s1") + execute("s1") + msg('C', "Ps1\x00") + sync).Resp(bound + row("x") + done("SELECT 1") + "3\x00\x00\x00\x04" + readyI)
			s.Req(bind("", "s1") + execute("") + sync).Resp(bound + row("x") + done("SELECT 1") + readyI)
		}, want: []string{
			"PREPARE {SELECT a FROM t} in shop @3+4+4",
			"{SELECT a FROM t} in shop rows=1 @5+6+6",
			"{SELECT a FROM t} in shop rows=1 @7+8+8",
		}},
		{name: "rows of a cursor", play: func(s *script) {
			begin(s)
			s.Req(query("FETCH 5 FROM c")).Resp(columns + row("x") + row("y") + done("FETCH 2") + readyI)
			s.Req(query("MOVE 5 FROM c")).Resp(done("MOVE 2") + readyI)
		}, want: []string{"{FETCH ? FROM c} in shop rows=2 @3+4+4", "{MOVE ? FROM c} in shop @5+6+6"}},
		{name: "preparation that a flush has answered, then its execution", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a FROM t WHERE id = $1") + describeS + flush).Resp(parsed + msg('t', "\x00\x00") + columns).Pause(100)
			s.Req(bind("", "") + execute("") + sync).Resp(bound + row("x") + done("SELECT 1") + readyI)
		}, want: []string{
			"PREPARE {SELECT a FROM t WHERE id = $1} in shop @3+4+4",
			"{SELECT a FROM t WHERE id = $1} in shop rows=1 @105+106+106",
		}},
		{name: "preparation that a flush has answered, then a simple query", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a FROM t") + describeS + flush).Resp(parsed + msg('t', "\x00\x00") + columns)
			s.Req(query("COPY t FROM STDIN")).Resp(msg('G', "\x00\x00\x00")).Req(msg('d', "1\n") + msg('c', "")).Resp(done("COPY 1") + readyI)
			s.Req(one).Resp(oneRow)
		}, want: []string{
			"PREPARE {SELECT a FROM t} in shop @3+4+4",
			"{COPY t FROM STDIN} in shop @5+6+8",
			"{SELECT a FROM t WHERE id = ?} in shop rows=1 @9+10+10",
		}},
		{name: "flushed portal, then its execution", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a FROM t") + bind("", "") + describeP + flush).Resp(parsed + bound + columns)
			s.Req(execute("") + sync).Resp(row("x") + done("SELECT 1") + readyI)
		}, want: []string{"{SELECT a FROM t} in shop rows=1 @3+4+6"}},
		{name: "flushed executions, then a sync", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a FROM t") + bind("", "") + execute("") + flush).Resp(parsed + bound + row("x") + done("SELECT 1"))
			s.Req(bind("", "") + execute("") + flush).Resp(bound + row("x")).Resp(done("SELECT 1")).Req(sync).Resp(readyI).Req(one).Resp(oneRow)
		}, want: []string{
			"{SELECT a FROM t} in shop rows=1 @3+4+4",
			"{SELECT a FROM t} in shop rows=1 @5+6+7",
			"{SELECT a FROM t WHERE id = ?} in shop rows=1 @10+11+11",
		}},
		{name: "flushed preparation that fails", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT b FROM t") + describeS + flush).Resp(failure("42703")).Req(sync).Resp(readyI).Req(one).Resp(oneRow)
		}, want: []string{
			"PREPARE {SELECT b FROM t} in shop error=42703 @3+4+6",
			"{SELECT a FROM t WHERE id = ?} in shop rows=1 @7+8+8",
		}},
		{name: "batch beyond the copy of it", bound: 256, play: func(s *script) {
			begin(s)
			insert := bind("", "") + execute("")
			s.Req(parse("", "INSERT INTO t VALUES ($1)") + strings.Repeat(insert, 10) + sync)
			s.Resp(parsed + strings.Repeat(bound+done("x"), 10) + readyI)
			s.Req(parse("", "INSERT INTO t VALUES ($1)") + strings.Repeat(insert, 50) + sync)
			s.Resp(parsed + strings.Repeat(bound+done("x"), 50) + readyI)
		}, want: []string{"BATCH(10) {INSERT INTO t VALUES ($1)} in shop @3+4+4", "BATCH(?) {INSERT INTO t VALUES ($1)} in shop @5+6+6 hidden"}},
		{name: "batch of equal statements", play: func(s *script) {
			begin(s)
			insert := bind("", "") + execute("")
			s.Req(parse("", "INSERT INTO t VALUES ($1)") + insert + insert + insert + sync)
			s.Resp(parsed + bound + done("INSERT 0 1") + bound + done("INSERT 0 1") + bound + done("INSERT 0 1") + readyI)
		}, want: []string{"BATCH(3) {INSERT INTO t VALUES ($1)} in shop @3+4+4"}},
		{name: "batch of different statements", play: func(s *script) {
			begin(s)
			s.Req(parse("", "INSERT INTO t VALUES ($1)") + bind("", "") + execute("") + parse("", "SELECT 1") + bind("", "") + execute("") + sync)
			s.Resp(parsed + bound + done("INSERT 0 1") + parsed + bound + row("x") + done("SELECT 1") + readyI)
		}, want: []string{"BATCH(2) MIXED {INSERT INTO t VALUES ($1); SELECT ?} in shop rows=1 @3+4+4"}},
		{name: "statement that a driver begins a transaction before", play: func(s *script) {
			begin(s)
			s.Req(parse("", "BEGIN") + bind("", "") + execute("") + parse("", "SELECT a FROM t") + bind("", "") + execute("") + sync)
			s.Resp(parsed + bound + done("BEGIN") + parsed + bound + row("x") + done("SELECT 1") + readyI)
			s.Req(parse("", "BEGIN") + bind("", "") + execute("") + sync).Resp(parsed + bound + done("BEGIN") + readyI)
		}, want: []string{"{SELECT a FROM t} in shop rows=1 @3+4+4", "{BEGIN} in shop @5+6+6"}},
		{name: "pipeline of several syncs", play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT a") + bind("", "") + execute("") + sync + parse("", "SELECT b") + bind("", "") + execute("") + sync + one)
			s.Resp(parsed + bound + done("SELECT 1") + readyI).Resp(parsed + failure("42703") + readyI + oneRow)
		}, want: []string{
			"{SELECT a} in shop rows=1 @3+4+4",
			"{SELECT b} in shop error=42703 @3+5+5",
			"{SELECT a FROM t WHERE id = ?} in shop rows=1 @3+5+5",
		}},
		{
			name: "sync alone", play: func(s *script) { begin(s); s.Req(sync).Resp(readyI).Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @5+6+6"},
		},
		{name: "copy in", play: func(s *script) {
			begin(s)
			s.Req(query("COPY t FROM STDIN")).Resp(msg('G', "\x00\x00\x00")).Req(msg('d', "1\n") + msg('d', "Q\x00\x00\x00\x05x")).
				Req(msg('c', "")).Resp(done("COPY 2") + readyI).Req(one).Resp(oneRow)
		}, want: []string{"{COPY t FROM STDIN} in shop @3+4+7", "{SELECT a FROM t WHERE id = ?} in shop rows=1 @8+9+9"}},
		{name: "copy in, extended", play: func(s *script) {
			begin(s)
			s.Req(parse("", "COPY t FROM STDIN") + bind("", "") + execute("") + sync).Resp(parsed + bound + msg('G', "\x00\x00\x00"))
			s.Req(msg('d', "1\n") + msg('c', "") + sync).Resp(done("COPY 1") + readyI).Req(one).Resp(oneRow)
		}, want: []string{"{COPY t FROM STDIN} in shop @3+4+6", "{SELECT a FROM t WHERE id = ?} in shop rows=1 @7+8+8"}},
		{name: "copy in beyond the copy of it", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(query("COPY t FROM STDIN")).Resp(msg('G', "\x00\x00\x00")).Req(strings.Repeat(msg('d', "some\n"), 300)).
				Req(strings.Repeat(msg('d', "some\n"), 300) + msg('c', "")).Resp(done("COPY 600") + readyI).Req(one).Resp(oneRow)
		}, want: []string{"{COPY t FROM STDIN} in shop @3+4+7", "{SELECT a FROM t WHERE id = ?} in shop rows=1 @8+9+9"}},
		{name: "copy out", play: func(s *script) {
			begin(s)
			s.Req(query("COPY t TO STDOUT")).Resp(msg('H', "\x00\x00\x00") + msg('d', long)).Resp(msg('c', "") + done("COPY 1") + readyI)
		}, want: []string{"{COPY t TO STDOUT} in shop @3+4+5"}},
		{name: "notifications", play: func(s *script) {
			begin(s)
			notify := msg('A', "\x00\x00\x00\x01channel\x00payload\x00")
			s.Resp(notify).Pause(50).Resp(notify[:7]).Resp(notify[7:]).Req(one).Resp(notify + oneRow + notify).Pause(10).Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @56+57+57", "{SELECT a FROM t WHERE id = ?} in shop rows=1 @68+69+69"}},
		{name: "result beyond the copy of it", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(one).Resp(columns + strings.Repeat(row("xy"), 100)).Resp(strings.Repeat(row("xy"), 100) + done("SELECT 200") + readyI)
			s.Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop @3+4+5 hidden", "{SELECT a FROM t WHERE id = ?} in shop rows=1 @6+7+7"}},
		{name: "rows larger than the copy", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(one).Resp(columns + row(long)).Resp(row(long + long)).Resp(done("SELECT 2") + readyI)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=2 @3+4+6"}},
		{name: "statement beyond the copy", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(parse("", "SELECT "+strings.Repeat("a, ", 200)+"b FROM t") + bind("", "") + execute("") + sync).Resp(parsed + bound + oneRow)
			s.Req(one).Resp(oneRow)
		}, want: []string{
			"{SELECT " + strings.TrimSuffix(strings.Repeat("a, ", 166), " ") + "} textcut in shop rows=1 @3+4+4",
			"{SELECT a FROM t WHERE id = ?} in shop rows=1 @5+6+6",
		}},
		{name: "terminated while asked", play: func(s *script) { begin(s); s.Req(one).Resp(failure("57P01")).Close() }, want: []string{
			"{SELECT a FROM t WHERE id = ?} in shop error=57P01 @3+4+5 connection_closed",
		}},
		{
			name: "client leaves", play: func(s *script) { begin(s); s.Req(one).EOF(request).Close() },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop @3+0+5 connection_closed callergone"},
		},
		{
			name: "joined in a response", midway: true, play: func(s *script) { s.Resp("rest").Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} rows=1 @2+3+3"},
		},
		{name: "statement from before", midway: true, play: func(s *script) {
			s.Req(bind("", "S_1") + execute("") + sync).Resp(bound + row("x") + done("SELECT 1") + readyI)
		}, want: []string{"UNSEEN rows=1 @1+2+2"}},
		{name: "joined in a pipeline", midway: true, play: func(s *script) {
			s.Req(one).Req(query("SELECT b")).Resp(oneRow).Resp(oneRow).Pause(2e9).Req(one).Resp(oneRow)
		}, want: []string{
			"{SELECT a FROM t WHERE id = ?} @1+0+3 desynchronized", "{SELECT b} @2+0+3 desynchronized",
			"{SELECT a FROM t WHERE id = ?} rows=1 @2000000005+2000000006+2000000006",
		}},
		{name: "response reported before its request", client: true, play: func(s *script) {
			begin(s)
			s.Now = 3
			s.Resp(oneRow)
			s.Now = 2
			s.Req(one).Pause(5).Req(query("SELECT b")).Resp(done("SELECT 0") + readyI)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @3+4+4", "{SELECT b} in shop rows=0 @9+10+10"}},
		{
			name: "response lost", play: func(s *script) {
				begin(s)
				s.Req(one).Pause(3).Gap(response, 100).Req(query("SELECT b")).Resp(done("SELECT 0") + readyI)
			},
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop @3+0+6 response_lost", "{SELECT b} in shop rows=0 @7+8+8"},
		},
		{name: "gap in a row", play: func(s *script) {
			begin(s)
			data := columns + row(long)
			s.Req(one).Resp(data[:100]).Gap(response, uint64(len(data)-200)).Resp(data[len(data)-100:] + done("SELECT 1") + readyI)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @3+4+5"}},
		{
			name: "request lost", play: func(s *script) { begin(s); s.Gap(request, 100).Resp(oneRow).Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=1 @4+5+5"},
		},
		{
			name: "garbage", midway: true, play: func(s *script) { s.Req("\x00\x01\x02").Resp("?").Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} rows=1 @3+4+4"},
		},
		{
			name: "another protocol", play: func(s *script) { s.Req("GET / HTTP/1.1\r\n\r\n").Resp("HTTP/1.1 200 OK\r\n\r\n").Req(one).Resp(oneRow) },
		},
		{
			name: "garbage instead of a response", play: func(s *script) { begin(s); s.Req(one).Resp("SSH-2.0-x").Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop @3+0+4 desynchronized", "{SELECT a FROM t WHERE id = ?} in shop rows=1 @5+6+6"},
		},
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

func TestUndecoded(t *testing.T) {
	for name, tt := range map[string]struct {
		play func(*script)
		want exchange.Form
	}{
		"TLS":    {func(s *script) { s.Req(untypedMsg(codeTLS, "")).Resp("S") }, exchange.TLS},
		"GSSAPI": {func(s *script) { s.Req(untypedMsg(codeGSSAPI, "")).Resp("G") }, exchange.GSSAPI},
		"replication": {func(s *script) {
			begin(s)
			s.Req(query("START_REPLICATION SLOT s LOGICAL 0/0")).Resp(msg('W', "\x00\x00\x00"))
		}, exchange.Replication},
	} {
		t.Run(name, func(t *testing.T) {
			s := dbtest.NewScript(New(), false, false)
			tt.play(s)
			s.Req(one).Resp(oneRow).Close()
			require.Equal(t, []exchange.Form{tt.want}, s.Opaqued)
			for _, line := range s.Found {
				require.Contains(t, line, "class=1")
			}
		})
	}
}

func TestCancel(t *testing.T) {
	s := dbtest.NewScript(New(), false, false)
	s.Req(untypedMsg(codeCancel, "\x00\x00\x00\x01\x00\x00\x00\x02")).EOF(exchange.Request).Close()
	require.Empty(t, s.Found)
	require.Empty(t, s.Opaqued)
}

func TestClassify(t *testing.T) {
	p := New()
	for first, want := range map[string]exchange.Verdict{
		startup:                        exchange.IsRequest,
		untypedMsg(codeTLS, ""):        exchange.IsRequest,
		one:                            exchange.IsRequest,
		one[:8]:                        exchange.IsRequest,
		parse("", "SELECT 1") + sync:   exchange.IsRequest,
		oneRow:                         exchange.IsResponse,
		"":                             exchange.Foreign,
		"Q":                            exchange.Foreign,
		"GET / HTTP/1.1\r\n":           exchange.Foreign,
		"Q\x00\x00\x00\x0fSELECT 1234": exchange.Foreign, // no zero at its end
	} {
		require.Equal(t, want, p.Classify([]byte(first)), "%q", first)
	}
}

// matches tells whether the kernel would take b for a connection of p.
func matches(p *Protocol, b string) bool {
	for _, sig := range p.Signatures() {
		if sig.Matches([]byte(b)) {
			return true
		}
	}
	return false
}

func TestSignatures(t *testing.T) {
	p := New()
	for _, b := range []string{
		startup, untypedMsg(codeTLS, ""), untypedMsg(codeGSSAPI, ""), one, query("/* x */ SELECT 1"), query("begin"),
		parse("", "SELECT 1"), parse("S_1", "SELECT 1"), parse("__asyncpg_stmt_1__", "SELECT 1"), bind("", "S_1"),
	} {
		require.True(t, matches(p, b), "%q", b)
	}
	for _, b := range []string{
		"GET / HTTP/1.1\r\n", "QUERY / HTTP/1.1", "POST / HTTP/1.1", "BREW / HTTP/1.1", "\x16\x03\x01\x02\x00\x01\x00\x01",
		"PRI * HTTP/2.0", "*1\r\n$4\r\nPING", "\x00\x00\x12\x04\x00\x00\x00\x00", "SSH-2.0-OpenSSH", "\x4a\x00\x00\x00\x0a8.0.36",
		"\x00\x00\x00\x20\x00\x12\x00\x03", "Quick brown fox", "Please hold",
	} {
		require.False(t, matches(p, b), "%q", b)
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
