package memcached

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

type script = dbtest.Script

const (
	get    = "get k\r\n"
	hit    = "VALUE k 0 3\r\nabc\r\nEND\r\n"
	miss   = "END\r\n"
	set    = "set k 0 0 6\r\nsecret\r\n"
	stored = "STORED\r\n"
)

func TestParser(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := []struct {
		name   string
		client bool
		midway bool
		bound  int
		play   func(*script)
		want   []string
	}{
		{
			name: "get", play: func(s *script) { s.Req(get).Resp(hit).Req(get).Resp(miss) },
			want: []string{"get {get k} rows=1 @1+2+2", "get {get k} rows=0 @3+4+4"},
		},
		{name: "several keys", play: func(s *script) {
			s.Req("gets a b c\r\n").Resp("VALUE a 0 5 17\r\nEND\r\n\r\nVALUE c 0 0 18\r\n\r\nEND\r\n").Req("gat 60 a b\r\n").Resp(miss)
		}, want: []string{"gets {gets a b c} rows=2 @1+2+2", "gat {gat ? a b} rows=0 @3+4+4"}},
		{name: "changes", play: func(s *script) {
			s.Req(set).Resp(stored).Req("cas k 0 0 1 17\r\nx\r\n").Resp("EXISTS\r\n").Req("incr k 5\r\n").Resp("22\r\n").
				Req("delete k\r\n").Resp("NOT_FOUND\r\n").Req("touch k 5\r\n").Resp("TOUCHED\r\n")
		}, want: []string{
			"set {set k ? ? ?} @1+2+2", "cas {cas k ? ? ? ?} @3+4+4", "incr {incr k ?} @5+6+6", "delete {delete k} @7+8+8", "touch {touch k ?} @9+10+10",
		}},
		{name: "errors", play: func(s *script) {
			s.Req("incr k x\r\n").Resp("CLIENT_ERROR invalid numeric delta argument\r\n").Req(get).Resp("SERVER_ERROR out of memory\r\n").Req("flush_all\r\n").Resp("ERROR\r\n")
		}, want: []string{
			"incr {incr k ?} error=CLIENT_ERROR @1+2+2", "get {get k} error=SERVER_ERROR @3+4+4", "flush_all {flush_all} error=ERROR @5+6+6",
		}},
		{name: "pipeline", play: func(s *script) { s.Req(get + set + get).Resp(hit + stored).Resp(miss) }, want: []string{
			"get {get k} rows=1 @1+2+2", "set {set k ? ? ?} @1+2+2", "get {get k} rows=0 @1+3+3",
		}},
		{name: "no reply", play: func(s *script) {
			s.Req("set k 0 0 1 noreply\r\nx\r\n" + get).Resp(hit).Req("delete k noreply\r\n" + get).Resp("ERROR\r\n" + miss).Pause(2e9).Req(get).Resp(miss)
		}, want: []string{"set {set k ? ? ?} class=4 @1+0+1", "get {get k} rows=1 @1+2+2", "delete {delete k} class=4 @3+0+3", "get {get k} @3+0+4 desynchronized", "get {get k} rows=0 @2000000005+2000000006+2000000006"}},
		{name: "meta commands", play: func(s *script) {
			s.Req("mg k v t\r\n").Resp("VA 3 t5\r\nabc\r\n").Req("mg k v\r\n").Resp("EN\r\n").Req("ms k 3 T5\r\nabc\r\n").Resp("HD\r\n").
				Req("md k\r\n").Resp("NF\r\n").Req("mg a v q\r\nmg b v q\r\nmn\r\n").Resp("VA 2\r\nMN\r\nMN\r\n")
		}, want: []string{
			"mg {mg k ? ?} @1+2+2", "mg {mg k ?} @3+4+4", "ms {ms k ? ?} @5+6+6", "md {md k} @7+8+8", "mn {mn} class=3 @9+10+10",
		}},
		{name: "lists", play: func(s *script) {
			s.Req("stats\r\n").Resp("STAT pid 1\r\nSTAT x 2\r\n").Resp("END\r\n").Req("version\r\n").Resp("VERSION 1.6\r\n").Req("quit\r\n")
		}, want: []string{"stats {stats} @1+2+3", "version {version} class=3 @4+5+5"}},
		{name: "large values", bound: 512, play: func(s *script) {
			s.Req("set k 0 0 5000\r\n" + long + "\r\n").Resp(stored).Req(get).Resp("VALUE k 0 5000\r\n" + long[:2000]).Resp(long[2000:] + "\r\nEND\r\n").Req(get).Resp(miss)
		}, want: []string{"set {set k ? ? ?} @1+2+2", "get {get k} @3+4+5 hidden", "get {get k} rows=0 @6+7+7"}},
		{name: "many values beyond the copy", bound: 512, play: func(s *script) {
			s.Req("get a b\r\n").Resp(strings.Repeat("VALUE k 0 3\r\nabc\r\n", 60)).Resp(strings.Repeat("VALUE k 0 3\r\nabc\r\n", 60) + miss).Req(get).Resp(miss)
		}, want: []string{"get {get a b} @1+2+3 hidden", "get {get k} rows=0 @4+5+5"}},
		{name: "a pipeline behind what is hidden", bound: 512, play: func(s *script) {
			s.Req(get + get).Resp("VALUE k 0 5000\r\n" + long + "\r\nEND\r\n" + miss).Pause(2e9).Req(get).Resp(miss)
		}, want: []string{
			"get {get k} @1+2+2 truncated hidden", "get {get k} @1+0+2 truncated", "get {get k} rows=0 @2000000003+2000000004+2000000004",
		}},
		{name: "a first line beyond the copy", bound: 512, play: func(s *script) {
			s.Req(get).Resp("VALUE " + long + " 0 1\r\na\r\n").Resp(miss).Pause(2e9).Req(get).Resp(miss)
		}, want: []string{"get {get k} @1+0+2 truncated hidden", "get {get k} rows=0 @2000000004+2000000005+2000000005"}},
		{name: "joined amid a pipeline", midway: true, play: func(s *script) {
			s.Pause(2e9).Req(get).Req(get).Resp(hit).Resp(miss).Pause(2e9).Req(get).Resp(miss)
		}, want: []string{
			"get {get k} @2000000001+0+2000000003 desynchronized", "get {get k} @2000000002+0+2000000003 desynchronized",
			"get {get k} rows=0 @4000000005+4000000006+4000000006",
		}},
		{
			name: "joined", midway: true, play: func(s *script) { s.Resp("rest").Req(get).Resp(hit) },
			want: []string{"get {get k} rows=1 @2+3+3"},
		},
		{
			name: "response lost", play: func(s *script) { s.Req(get).Gap(exchange.Response, 5).Req(get).Resp(miss) },
			want: []string{"get {get k} @1+0+1 response_lost", "get {get k} rows=0 @2+3+3"},
		},
		{name: "list of one's own", play: func(s *script) {
			s.Req("stats reset\r\n").Resp("RESET\r\n").Req("stats detail dump\r\n").Resp("PREFIX a get 1 hit 1 set 0 del 0\r\nEND\r\n").Req("stats sizes\r\n").Resp("STAT sizes_status disabled\r\nEND\r\n")
		}, want: []string{"stats {stats ?} @1+2+2", "stats {stats ? ?} @3+4+4", "stats {stats ?} @5+6+6"}},
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

// TestOpen: what is under way is told, apart from what nobody asked to be told of.
func TestOpen(t *testing.T) {
	s := dbtest.NewScript(New(), false, false)
	require.Zero(t, s.P.Open())
	s.Req(get + set)
	require.Equal(t, 2, s.P.Open())
	s.Resp(hit)
	require.Equal(t, 1, s.P.Open())
	s.Resp(stored)
	require.Zero(t, s.P.Open())
	s.Refuse = true
	s.Req(get)
	require.Zero(t, s.P.Open())
}

func TestBinary(t *testing.T) {
	for _, midway := range []bool{false, true} {
		s := dbtest.NewScript(New(), false, midway)
		s.Req("\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00k").Resp("\x81\x00").Req(get).Resp(miss).Close()
		require.Empty(t, s.Found)
		require.Equal(t, []exchange.Form{exchange.Binary}, s.Opaqued)
	}
}

func TestClassify(t *testing.T) {
	p := New()
	for first, want := range map[string]exchange.Verdict{
		get: exchange.IsRequest, set: exchange.IsRequest, "mg k v\r\n": exchange.IsRequest, "get k": exchange.IsRequest,
		"\x80\x00\x00\x01\x00\x00\x00\x00": exchange.IsRequest,
		"":                                 exchange.Foreign, "get\r\n": exchange.Foreign, "get \x00\r\n": exchange.Foreign, "GET / HTTP/1.1\r\n": exchange.Foreign,
		"set up the tent\r\n": exchange.Foreign, "set k 0 0 x\r\n": exchange.Foreign, hit: exchange.Foreign,
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
		"stats\r\n", "stats items\r\n", "version\r\n", "mn\r\n", "md k\r\n", "ma k\r\n", "me k\r\n", "gat 5 k\r\n", "gats 5 k\r\n", "flush_all\r\n",
		"get key\r\n", "gets key\r\n", set, "add k 0 0 1\r\n", "incr k 1\r\n", "decr k 1\r\n", "touch k 1\r\n", "delete k\r\n", "mg k v\r\n", "ms k 1\r\nx\r\n",
		"\x80\x00\x00\x01\x00\x00\x00\x00",
	} {
		require.True(t, matches(b), "%q", b)
	}
	for _, b := range []string{
		"GET / HTTP/1.1\r\n", "getting on", "setup x y", "\x80\x00\x00\x01\x00\x01\x00\x00", "\x16\x03\x01\x02\x00\x01\x00\x01", "message x",
		"status\r\n", "versions", "mv a b\r\n", "gate",
	} {
		require.False(t, matches(b), "%q", b)
	}
}

// Beanstalkd and Gearman have commands of the same names.
func TestNothingIsInvented(t *testing.T) {
	for _, x := range [][2]string{
		{"stats\r\n", "OK 923\r\n---\ncurrent-jobs-urgent: 0\n"},
		{"version\r\n", "OK 1.1.20\r\n"},
		{"get lost, will you\r\nplease\r\n", "no\r\n"},
	} {
		s := dbtest.NewScript(New(), false, false)
		s.Req(x[0]).Resp(x[1])
		require.True(t, s.Refused() || strings.HasSuffix(s.Text(), "desynchronized"), x[0])
		require.Zero(t, s.Opened)
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
