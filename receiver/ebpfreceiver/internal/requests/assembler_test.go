package requests

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
)

const (
	server  = event.RoleServer
	client  = event.RoleClient
	unknown = event.RoleUnknown
	recv    = event.Receive
	send    = event.Send
)

func TestServerAndClient(t *testing.T) {
	p := newTape(Config{})
	p.data(1, client, send, get).data(2, server, recv, get).data(2, server, send, ok3).data(1, client, recv, ok3)
	require.Equal(t, []string{"GET /a complete", "GET /a complete"}, p.got)
	require.Equal(t, server, p.ends[0].Role)
	require.Equal(t, client, p.ends[1].Role)
	for _, e := range p.ends {
		require.EqualValues(t, owner, e.Owner.TGID)
		require.EqualValues(t, 5, e.CgroupID)
		require.EqualValues(t, 6, e.NetNS)
		require.False(t, e.RoleGuessed)
	}
	p.close(1).close(2)
	s := p.a.Stats()
	require.EqualValues(t, 6, s.Records)
	require.EqualValues(t, 2, s.Exchanges[exchange.Complete])
	require.Zero(t, s.Connections)
	require.Zero(t, s.OpenRequests)
}

func TestTimes(t *testing.T) {
	var got *exchange.Exchange
	a := New(Config{Emit: func(ex *exchange.Exchange) { got = ex }})
	p := newTape(Config{})
	p.a = a
	p.data(1, client, send, get).data(1, client, recv, ok3)
	require.EqualValues(t, 1000-10, got.Start, "a client's request starts when it is being sent")
	require.EqualValues(t, 2000, got.FirstByte)
	require.EqualValues(t, 2000, got.End)
	require.EqualValues(t, len(get), got.Sent)
	require.EqualValues(t, len(ok3), got.Received)
	p.serve(2)
	require.EqualValues(t, 3000, got.Start, "a server's when it was received")
	require.EqualValues(t, 4000-10, got.FirstByte)
	require.EqualValues(t, 4000-10, got.End, "a small response is over when it begins")
	big := "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000)
	p.data(2, server, recv, get).data(2, server, send, big)
	require.EqualValues(t, 6000-10, got.FirstByte)
	require.EqualValues(t, 6000, got.End, "a large one when it has been sent")
}

func TestRoleByEvidence(t *testing.T) {
	for _, told := range []event.Role{unknown, client, server} {
		p := newTape(Config{})
		guess := func(ev *event.Event) { ev.Request.Flags |= event.RequestGuessed | event.RequestMidway }
		p.data(1, told, recv, get, guess).data(1, told, send, ok3, guess)
		require.Equal(t, []string{"GET /a complete"}, p.got)
		require.Equal(t, server, p.ends[0].Role, "whoever receives requests is the server")
		require.False(t, p.ends[0].RoleGuessed)
	}
}

func TestUnknownBeginning(t *testing.T) {
	p := newTape(Config{})
	p.data(1, unknown, send, "the rest of something")
	require.EqualValues(t, 1, p.a.Stats().Unknown)
	require.Zero(t, p.a.Stats().Connections)
	p.data(1, unknown, recv, get).data(1, unknown, send, ok3)
	require.Equal(t, []string{"GET /a complete"}, p.got)
}

func TestWithoutClass(t *testing.T) {
	p := newTape(Config{})
	plain := func(ev *event.Event) { ev.Request.Class = 0 }
	p.data(1, server, recv, get, plain).data(1, server, send, ok3, plain)
	p.data(2, server, recv, "\x16\x03\x01", plain)
	require.Equal(t, []string{"GET /a complete"}, p.got)
	require.EqualValues(t, 1, p.a.Stats().Unknown)
}

func TestLosses(t *testing.T) {
	p := newTape(Config{})
	p.serve(1)
	p.data(1, server, recv, get).lost(1, send, uint64(len(ok3))) // the response
	p.serve(1)
	p.lost(1, recv, uint64(len(get))).data(1, server, send, ok3) // the request
	p.serve(1)
	p.data(1, server, recv, get).lost(1, send, uint64(len(ok3))).close(1) // the last response
	require.Equal(t, []string{
		"GET /a complete", "GET /a response_lost", "GET /a complete", "GET /a complete", "GET /a response_lost",
	}, p.got)
	s := p.a.Stats()
	require.EqualValues(t, 3, s.Gaps)
	require.EqualValues(t, 2*len(ok3)+len(get), s.GapBytes)
	require.EqualValues(t, 1, s.Exchanges[exchange.RequestLost])
	require.EqualValues(t, 1, s.Bare)
	require.Zero(t, s.OpenRequests)
}

func TestLateRecord(t *testing.T) {
	p := newTape(Config{})
	p.serve(1)
	p.data(1, server, recv, get, func(ev *event.Event) { ev.Request.Position = 0 })
	p.at(1)[recv] -= uint64(len(get)) // where it had been before
	p.serve(1).close(1)
	require.EqualValues(t, 1, p.a.Stats().Late)
	require.Zero(t, p.a.Stats().Gaps)
	require.Equal(t, []string{"GET /a complete", "GET /a complete"}, p.got, "it is told once")
}

func TestEnds(t *testing.T) {
	end := func(d event.Direction, errno int32) func(*tape) {
		return func(p *tape) {
			p.data(1, server, d, "", func(ev *event.Event) { ev.Request.Error = errno })
		}
	}
	for name, tt := range map[string]struct {
		end  func(*tape)
		want []string
	}{
		"closed":                {func(p *tape) { p.close(1) }, []string{"GET /a connection_closed"}},
		"end of file":           {end(recv, 0), nil},
		"reset":                 {end(recv, errConnReset), nil},
		"nothing was sent":      {end(send, 0), nil},
		"an error that passes":  {end(recv, -11), nil},
		"pipe, then closed":     {func(p *tape) { end(send, errPipe)(p); p.close(1) }, []string{"GET /a connection_closed"}},
		"of an unknown socket":  {func(p *tape) { p.close(2) }, nil},
		"end of another socket": {func(p *tape) { p.data(3, server, recv, "") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTape(Config{}).data(1, server, recv, get)
			tt.end(p)
			require.Equal(t, tt.want, p.got)
		})
	}
}

func TestClientEndOfFile(t *testing.T) {
	p := newTape(Config{}).data(1, client, send, get).data(1, client, recv, "")
	require.Equal(t, []string{"GET /a connection_closed"}, p.got)
	p = newTape(Config{}).data(1, client, send, get)
	p.data(1, client, send, "", func(ev *event.Event) { ev.Request.Error = errPipe })
	require.Empty(t, p.got, "the answer may still be read")
	p.data(1, client, recv, "", func(ev *event.Event) { ev.Request.Error = errConnReset })
	require.Equal(t, []string{"GET /a connection_closed"}, p.got)
}

// What the kernel gave up is not taken for whole.
func TestBoringClose(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	boring := func(ev *event.Event) { ev.Request.Flags |= event.RequestBoring }
	p := newTape(Config{}).data(1, server, recv, get).data(1, server, send, chunked).close(1, boring)
	require.Equal(t, []string{"GET /a response_lost"}, p.got)
	const upgrade = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
	p = newTape(Config{}).data(1, server, recv, get).data(1, server, send, upgrade).close(1, boring)
	require.Equal(t, []string{"GET /a complete"}, p.got)
	require.Zero(t, p.a.Stats().Gaps)
}

func TestConnectionsAreBounded(t *testing.T) {
	p := newTape(Config{MaxConnections: 10})
	for socket := range uint64(25) {
		p.data(socket, server, recv, get)
		require.LessOrEqual(t, p.a.Stats().Connections, 10)
	}
	require.Len(t, p.got, 15)
	require.Equal(t, "GET /a expired", p.got[0])
	require.EqualValues(t, 15, p.a.Stats().Evicted)
	p.data(15, server, send, ok3)
	require.Equal(t, "GET /a complete", p.got[15])
	for socket := range uint64(9) {
		p.data(100+socket, server, recv, get)
	}
	p.data(15, server, recv, get).data(15, server, send, ok3)
	require.Equal(t, "GET /a complete", p.got[len(p.got)-1], "the one that was used last stays longest")
}

func TestOpenRequestsAreBounded(t *testing.T) {
	p := newTape(Config{MaxOpen: 5})
	for socket := range uint64(9) {
		p.data(socket, server, recv, get)
		require.LessOrEqual(t, p.a.Stats().OpenRequests, 5)
	}
	for socket := range uint64(9) {
		p.data(socket, server, send, ok3)
	}
	require.Len(t, p.got, 5)
	require.EqualValues(t, 4, p.a.Stats().Exchanges[exchange.Expired], "those that there was no room for")
	require.EqualValues(t, 4, p.a.Stats().Bare)
	p.serve(8)
	require.Len(t, p.got, 6, "there is room again")
}

func TestTimeouts(t *testing.T) {
	p := newTape(Config{IdleTimeout: time.Minute, OpenTimeout: time.Hour})
	p.serve(1).data(2, server, recv, get)
	p.a.Tick(p.now + uint64(time.Minute))
	require.Equal(t, 1, p.a.Stats().Connections)
	p.a.Tick(p.now + uint64(time.Hour) + 1)
	require.Zero(t, p.a.Stats().Connections)
	require.EqualValues(t, 2, p.a.Stats().Expired)
	require.Equal(t, []string{"GET /a complete", "GET /a expired"}, p.got)
	p.a.Tick(p.now * 2)
}

// Each call looks at a bounded number of connections and goes on where the last
// one stopped.
func TestTickGoesRound(t *testing.T) {
	p := newTape(Config{IdleTimeout: time.Minute})
	for socket := range uint64(ticks + 10) {
		p.serve(socket)
	}
	p.a.Tick(p.now + uint64(time.Hour))
	require.Equal(t, 10, p.a.Stats().Connections)
	p.a.Tick(p.now + uint64(time.Hour))
	require.Zero(t, p.a.Stats().Connections)
}

func TestClose(t *testing.T) {
	p := newTape(Config{})
	p.data(1, server, recv, get).data(2, server, recv, get)
	p.a.Close()
	require.Equal(t, []string{"GET /a expired", "GET /a expired"}, p.got)
	require.Zero(t, p.a.Stats().OpenRequests)
}

func TestOtherRecordsAreIgnored(t *testing.T) {
	p := newTape(Config{})
	p.a.Handle(&event.Event{Header: event.Header{Type: event.TypeExec}})
	require.Zero(t, p.a.Stats().Records)
}

func TestSignatures(t *testing.T) {
	list := Signatures(Protocols())
	require.LessOrEqual(t, len(list), 128, "the kernel's table")
	for _, s := range list {
		require.NotZero(t, s.Class)
		require.LessOrEqual(t, int(s.Class), len(Protocols())+1, "the last are preambles")
		require.LessOrEqual(t, s.Bound, uint16(event.MaxPayload))
		require.Contains(t, []int{0, event.SignatureEnd}, len(s.End))
		for i := range s.Value {
			require.Equal(t, s.Value[i], s.Value[i]&s.Mask[i])
		}
	}
}

// FuzzAssembler plays any records. The input is read six bytes at a time, the
// last of which says how many bytes of payload follow.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x00\x1c" + get + "\x00\x01\x01\x00\x00\x29" + ok3))
	f.Add([]byte("\x01\x02\x01\x00\x00\x1c" + get + "\x01\x02\x00\x05\x00\x29" + ok3 + "\x02\x02\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p := newTape(Config{MaxConnections: 4, MaxOpen: 6})
		for len(in) >= 6 {
			op, n := in[:6], min(int(in[5]), len(in)-6)
			p.fuzzed(op, string(in[6:6+n]))
			in = in[6+n:]
			s := p.a.Stats()
			require.LessOrEqual(t, s.Connections, 4)
			require.LessOrEqual(t, s.OpenRequests, 6)
			require.GreaterOrEqual(t, s.OpenRequests, 0)
		}
		p.a.Close()
		s := p.a.Stats()
		require.Zero(t, s.OpenRequests)
		var sum uint64
		for _, n := range s.Exchanges {
			sum += n
		}
		require.EqualValues(t, len(p.got), sum-s.Bare)
	})
}

func (t *tape) fuzzed(op []byte, data string) {
	socket, role := uint64(op[1]%8), event.Role(op[0]>>4%4)
	change := func(ev *event.Event) {
		ev.Request.Flags = event.RequestFlags(op[4])
		ev.Request.Class = op[0] >> 6
		ev.Request.Position += uint64(op[3] >> 5)
		ev.Request.Bytes += uint64(op[3] & 16)
		ev.Request.Error = -int32(op[4])
	}
	switch op[0] & 3 {
	case 0, 1:
		t.data(socket, role, event.Direction(op[2]&1), data, change)
	case 2:
		t.close(socket, change)
	default:
		t.now += uint64(op[3]) * uint64(time.Minute)
		t.a.Tick(t.now)
	}
}

func TestPeerName(t *testing.T) {
	table := names.New(10)
	table.Add(names.Asker{Process: event.ProcessKey{Start: 1, TGID: owner}, NetNS: 6},
		netip.MustParseAddr("10.0.0.9"), []byte("orders.shop.svc.cluster.local"), time.Minute, 1)
	p := newTape(Config{Names: table})
	at := func(ev *event.Event) { ev.Request.PeerAddr = [16]byte{10, 0, 0, 9} }
	p.data(1, client, send, get, at).data(1, client, recv, ok3, at)
	p.data(2, server, recv, get, at).data(2, server, send, ok3, at)
	p.data(3, client, send, get).data(3, client, recv, ok3)
	require.Len(t, p.ends, 3)
	require.Equal(t, "orders.shop.svc.cluster.local", p.ends[0].PeerName)
	require.Empty(t, p.ends[1].PeerName, "whoever asks is not called by a name that somebody looked up")
	require.Empty(t, p.ends[2].PeerName)
}

// What was left out whole is no gap, and costs nothing of what follows.
func TestSkippedRecords(t *testing.T) {
	done := 0
	a := New(Config{Emit: func(ex *exchange.Exchange) {
		require.Equal(t, exchange.Complete, ex.Incomplete)
		done++
		ex.Release()
	}})
	events, next := benchEvents(1)
	for i := range 12 {
		next()
		if i%3 == 1 {
			continue
		}
		events[0].Request.Skipped = i%3 == 2
		a.Handle(&events[0])
		a.Handle(&events[1])
	}
	require.Equal(t, 8, done)
	require.Zero(t, a.Stats().Gaps)
}
