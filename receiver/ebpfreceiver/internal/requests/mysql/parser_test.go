package mysql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

func begin(s *script) {
	s.Resp(hello("8.0.36")).Req(identity(plainCaps, "shop")).Resp(pkt(2, ok))
}

func TestParser(t *testing.T) {
	const (
		request  = exchange.Request
		response = exchange.Response
	)
	const found = "{SELECT a FROM t WHERE id = ?} in shop rows=1"
	many := make([]string, 0, 400)
	for range 300 {
		many = append(many, "\x0aabcdefghij")
	}
	long := run(1, append(append([]string{"\x01", column, eof}, many...), eof)...)
	tests := []struct {
		name   string
		client bool
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{name: "query", play: func(s *script) { begin(s); s.Req(one).Resp(oneRow) }, want: []string{found + " @4+5+5"}},
		{name: "query without EOF packets", play: func(s *script) {
			begin(s)
			s.Req(one).Resp(run(1, "\x01", column, row, row, okForEOF)).Req(one).Resp(run(1, "\x01", column, okForEOF))
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop rows=2 @4+5+5", "{SELECT a FROM t WHERE id = ?} in shop @6+7+7"}},
		{name: "authentication in several steps", play: func(s *script) {
			s.Resp(hello("8.0.36")).Req(identity(plainCaps, "shop")).Resp(pkt(2, "\xfecaching_sha2_password\x00salt")).Req(pkt(3, "secret")).
				Resp(pkt(4, "\x01\x04")).Req(pkt(5, "secret")).Resp(pkt(6, ok)).Req(one).Resp(oneRow)
		}, want: []string{found + " @8+9+9"}},
		{name: "attributes", play: func(s *script) {
			begin(s)
			s.Req(query("\x00\x01SELECT b")).Resp(pkt(1, ok)).Req(query("\x01\x01\x00\x01\xfe\x00\x01n\x01vSELECT b")).Resp(pkt(1, ok))
		}, want: []string{"{SELECT b} in shop @4+5+5", "UNSEEN in shop @6+7+7"}},
		{name: "error", play: func(s *script) {
			begin(s)
			s.Req(query("SELECT b FROM t")).Resp(pkt(1, failure(1054, "42S22"))).Req(one).Resp(run(1, "\x01", column, eof, row, failure(1317, "70100")))
		}, want: []string{
			"{SELECT b FROM t} in shop error=1054 sqlstate=42S22 @4+5+5",
			found + " error=1317 sqlstate=70100 @6+7+7",
		}},
		{name: "several results", play: func(s *script) {
			begin(s)
			s.Req(query("CALL p(1)")).Resp(run(1, "\x01", column, eof, row, eofMore, "\x01", column, eof, row, row, eofMore, okMore, ok))
		}, want: []string{"{CALL p(?)} in shop rows=3 @4+5+5"}},
		{name: "database", play: func(s *script) {
			begin(s)
			s.Req(com(comInitDB, "other")).Resp(pkt(1, ok)).Req(query("SELECT b")).Resp(pkt(1, ok))
			s.Req(query("USE `third`;")).Resp(pkt(1, ok)).Req(query("use none")).Resp(pkt(1, failure(1049, "42000"))).Req(query("SELECT b")).Resp(pkt(1, ok))
		}, want: []string{
			"INIT_DB in shop @4+5+5", "{SELECT b} in other @6+7+7", "{USE `third`} in other @8+9+9",
			"{use none} in third error=1049 sqlstate=42000 @10+11+11", "{SELECT b} in third @12+13+13",
		}},
		{name: "prepared statement", play: func(s *script) {
			begin(s)
			s.Req(prepare("SELECT a FROM t WHERE id = ?")).Resp(run(1, prepareOK(1, 1, 1), column, eof, column, eof))
			s.Req(execute(1)).Resp(oneRow)
			s.Req(com(comClose, "\x01\x00\x00\x00") + prepare("SELECT b")).Resp(run(1, prepareOK(2, 1, 0), column))
			s.Req(execute(1)).Resp(pkt(1, failure(1243, "HY000"))).Req(execute(2)).Resp(pkt(1, ok))
		}, want: []string{
			"PREPARE {SELECT a FROM t WHERE id = ?} in shop @4+5+5", found + " @6+7+7", "PREPARE {SELECT b} in shop @8+9+9",
			"UNSEEN in shop error=1243 sqlstate=HY000 @10+11+11", "{SELECT b} in shop @12+13+13",
		}},
		{name: "statement that a reset has closed", play: func(s *script) {
			begin(s)
			s.Req(prepare("SELECT b")).Resp(run(1, prepareOK(1, 0, 0))).Req(com(comReset, "")).Resp(pkt(1, ok))
			s.Req(execute(1)).Resp(pkt(1, failure(1243, "HY000")))
		}, want: []string{
			"PREPARE {SELECT b} in shop @4+5+5", "RESET_CONNECTION in shop @6+7+7", "UNSEEN in shop error=1243 sqlstate=HY000 @8+9+9",
		}},
		{name: "prepared and executed at once", play: func(s *script) {
			begin(s)
			s.Req(prepare("SELECT b") + execute(1<<32-1)).Resp(run(1, prepareOK(1, 0, 0)) + pkt(1, ok))
		}, want: []string{"PREPARE {SELECT b} in shop @4+5+5", "{SELECT b} in shop @4+5+5"}},
		{name: "cursor", play: func(s *script) {
			begin(s)
			s.Req(prepare("SELECT b")).Resp(run(1, prepareOK(1, 1, 0), column, eof)).Req(execute(1)).Resp(run(1, "\x01", column, cursor)).
				Req(com(comFetch, "\x01\x00\x00\x00\x0a\x00\x00\x00")).Resp(run(1, "\x00\x00\x11", eof))
		}, want: []string{"PREPARE {SELECT b} in shop @4+5+5", "{SELECT b} in shop @6+7+7", "{SELECT b} FETCH in shop rows=1 @8+9+9"}},
		{name: "definitions that MariaDB does not repeat", play: func(s *script) {
			s.Resp(hello("5.5.5-10.11.6-MariaDB")).Req(identity(plainCaps, "shop")).Resp(pkt(2, ok))
			s.Req(one).Resp(run(1, "\x01\x01", column, eof, row, eof)).Req(one).Resp(run(1, "\x01\x00", eof, row, eof))
		}, want: []string{found + " @4+5+5", found + " @6+7+7"}},
		{name: "file of the client", play: func(s *script) {
			begin(s)
			s.Req(query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t")).Resp(pkt(1, "\xfbf")).Req(pkt(2, "1\n2\n") + pkt(3, "")).Resp(pkt(4, ok)).Req(one).Resp(oneRow)
		}, want: []string{"{LOAD DATA LOCAL INFILE ? INTO TABLE t} in shop @4+5+7", found + " @8+9+9"}},
		{name: "command of several packets", bound: 512, play: func(s *script) {
			begin(s)
			text := "\x03INSERT INTO t VALUES ('" + strings.Repeat("x", maxPacket)
			s.Req(pkt(0, text[:maxPacket])).Req(pkt(1, text[maxPacket:]+"')")).Resp(pkt(2, ok)).Req(one).Resp(oneRow)
		}, want: []string{"{INSERT INTO t VALUES (?} textcut in shop @4+6+6", found + " @7+8+8"}},
		{name: "joined where the server reads headers by themselves", midway: true, play: func(s *script) {
			s.Resp(oneRow).Req(one[:headerSize]).Req(one[headerSize:]).Resp(oneRow).Req(one[:headerSize]).Req(one[headerSize:]).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} rows=1 @2+4+4", "{SELECT a FROM t WHERE id = ?} rows=1 @5+7+7"}},
		{name: "other commands", play: func(s *script) {
			begin(s)
			s.Req(com(comPing, "")).Resp(pkt(1, ok)).Req(com(comStatistics, "")).Resp(pkt(1, "Uptime: 1")).Req(com(0x1b, "\x00\x00")).Resp(pkt(1, eof)).
				Req(com(comFieldList, "t\x00")).Resp(run(1, column+"x", eof)).Req(com(comReset, "")).Resp(pkt(1, ok)).Req(com(comQuit, ""))
		}, want: []string{
			"PING in shop class=3 @4+5+5", "STATISTICS in shop @6+7+7", "SET_OPTION in shop @8+9+9",
			"FIELD_LIST in shop rows=1 @10+11+11", "RESET_CONNECTION in shop @12+13+13",
		}},
		{name: "change of the user", play: func(s *script) {
			begin(s)
			s.Req(com(comChangeUser, "you\x00\x06secret")).Resp(pkt(1, "\xfemysql_native_password\x00salt")).Req(pkt(2, "secret")).Resp(pkt(3, ok)).Req(one).Resp(oneRow)
		}, want: []string{"CHANGE_USER in shop @4+5+7", "{SELECT a FROM t WHERE id = ?} rows=1 @8+9+9"}},
		{name: "change of the user and the database", play: func(s *script) {
			begin(s)
			s.Req(com(comChangeUser, "you\x00\x06secretother\x00\x2d\x00mysql_native_password\x00")).Resp(pkt(1, ok)).Req(one).Resp(oneRow)
			s.Req(com(comChangeUser, "you\x00\x06secretthird\x00")).Resp(pkt(1, "\xfemysql_native_password\x00salt")).Req(pkt(2, "secret")).Resp(pkt(3, ok)).Req(one).Resp(oneRow)
		}, want: []string{
			"CHANGE_USER in shop @4+5+5", "{SELECT a FROM t WHERE id = ?} in other rows=1 @6+7+7",
			"CHANGE_USER in other @8+9+11", "{SELECT a FROM t WHERE id = ?} in third rows=1 @12+13+13",
		}},
		{name: "bytes one by one", play: func(s *script) {
			begin(s)
			for _, b := range []byte(one) {
				s.Req(string([]byte{b}))
			}
			for _, b := range []byte(oneRow) {
				s.Resp(string([]byte{b}))
			}
		}, want: []string{found + " @4+38+101"}},
		{name: "rows beyond the copy", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(one).Resp(long[:2000]).Resp(long[2000:]).Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop @4+5+6 hidden", found + " @7+8+8"}},
		{name: "statement beyond the copy", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(query("SELECT '" + strings.Repeat("x", 3000) + "'")).Resp(oneRow)
		}, want: []string{"{SELECT ?} textcut in shop rows=1 @4+5+5"}},
		{name: "end that is not seen", bound: 512, play: func(s *script) {
			begin(s)
			s.Req(one).Resp(long[:2000]).Resp(long[2000:] + strings.Repeat("x", 50)).Req(one).Resp(oneRow)
		}, want: []string{"{SELECT a FROM t WHERE id = ?} in shop @4+5+6 hidden", found + " @7+8+8"}},
		{
			name: "client leaves", play: func(s *script) { begin(s); s.Req(one).EOF(request).Close() },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop @4+0+6 connection_closed callergone"},
		},
		{
			name: "joined in a response", midway: true, play: func(s *script) { s.Resp("rest").Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} rows=1 @2+3+3"},
		},
		{name: "statement from before", midway: true, play: func(s *script) { s.Req(execute(7)).Resp(oneRow) }, want: []string{"UNSEEN rows=1 @1+2+2"}},
		{
			name: "response lost", play: func(s *script) { begin(s); s.Req(one).Gap(response, 50).Req(one).Resp(oneRow) },
			want: []string{"{SELECT a FROM t WHERE id = ?} in shop @4+0+4 response_lost", found + " @5+6+6"},
		},
		{name: "response of another number", play: func(s *script) { begin(s); s.Req(one).Resp(run(2, "\x01", column)).Req(one).Resp(oneRow) }, want: []string{
			"{SELECT a FROM t WHERE id = ?} in shop @4+5+5 desynchronized", found + " @6+7+7",
		}},
		{name: "response reported before its request", client: true, play: func(s *script) {
			begin(s)
			s.Now = 4
			s.Resp(oneRow)
			s.Now = 3
			s.Req(one).Pause(5).Req(one).Resp(oneRow)
		}, want: []string{found + " @4+5+5", found + " @10+11+11"}},
		{name: "another protocol", play: func(s *script) { s.Resp("SSH-2.0-OpenSSH\r\n").Req("SSH-2.0-x\r\n").Req(one).Resp(oneRow) }},
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
		"TLS": {func(s *script) {
			s.Resp(hello("8.0.36")).Req(pkt(1, identity(plainCaps|capTLS, "shop")[4:36])).Req("\x16\x03\x01")
		}, exchange.TLS},
		"compression by Zstandard": {func(s *script) {
			s.Resp(hello("8.0.36")).Req(identity(plainCaps|capZstd, "shop")).Resp(pkt(2, ok))
		}, exchange.Compressed},
		"replication": {func(s *script) { begin(s); s.Req(com(0x12, "\x04\x00\x00\x00\x00\x00\x01\x00\x00\x00binlog.1")) }, exchange.Replication},
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

func TestClassify(t *testing.T) {
	p := New()
	for first, want := range map[string]exchange.Verdict{
		hello("8.0.36"): exchange.IsResponse, one: exchange.IsRequest, execute(3): exchange.IsRequest,
		com(comClose, "\x01\x00\x00\x00") + one: exchange.IsRequest, query("\x00\x01SELECT 1"): exchange.IsRequest,
		"": exchange.Foreign, "\x01\x00\x00\x00": exchange.Foreign, oneRow: exchange.Foreign,
		"GET / HTTP/1.1\r\n\r\n": exchange.Foreign, com(comPing, "x"): exchange.Foreign,
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
	for _, b := range []string{
		hello("8.0.36"), hello("5.5.5-10.11.6-MariaDB"), hello("11.4.2-MariaDB"), one, query("/* x */ select 1"), query("\x00\x01SELECT 1"),
		prepare("insert into t"), execute(200),
	} {
		require.True(t, matches(b), "%q", b)
	}
	for _, b := range []string{
		"GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01", "*1\r\n$4\r\nPING", "\x00\x00\x12\x04\x00\x00\x00\x00", "Q\x00\x00\x00\x0fSELECT",
		"\x30\x00\x00\x00\x03\x00\x00\x00", // another length in 4 bytes, and a number
	} {
		require.False(t, matches(b), "%q", b)
	}
}

func TestRefused(t *testing.T) {
	for _, first := range []string{"SSH-2.0-OpenSSH_9.2p1\r\n", pkt(0, "\x09"+"3.20")} {
		s := dbtest.NewScript(New(), false, false)
		s.Resp(first)
		require.True(t, s.Refused(), first)
		s.Reset(true)
		require.False(t, s.Refused())
	}
	s := dbtest.NewScript(New(), false, false)
	s.Resp(pkt(0, failure(1040, "08004"))).Close()
	require.False(t, s.Refused(), "too many connections")
	require.Empty(t, s.Found)
}
