package requests

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// toy is a protocol whose requests begin with a word and whose responses with
// another.
type toy struct{ name, ask, answer string }

func (p toy) Name() string                  { return p.name }
func (p toy) Signatures() []event.Signature { return nil }
func (p toy) NewFacts() exchange.Facts      { return &toyFacts{} }

func (p toy) NewParser(sink exchange.Sink) exchange.Parser { return &toyParser{toy: p, sink: sink} }

func (p toy) Classify(first []byte) exchange.Verdict {
	switch {
	case bytes.HasPrefix(first, []byte(p.ask)):
		return exchange.IsRequest
	case bytes.HasPrefix(first, []byte(p.answer)):
		return exchange.IsResponse
	}
	return exchange.Foreign
}

type toyFacts struct{}

func (*toyFacts) Reset() {}

// toyParser pairs each request with the next response; one that contains "no"
// tells it that the connection is foreign.
type toyParser struct {
	toy
	sink    exchange.Sink
	ex      *exchange.Exchange
	foreign bool
}

func (p *toyParser) Reset(sink exchange.Sink, _ bool) { p.sink, p.ex, p.foreign = sink, nil, false }

func (p *toyParser) Segment(s *exchange.Segment) {
	switch {
	case bytes.Contains(s.Payload, []byte("no")):
		p.foreign = true
		if p.ex != nil {
			p.sink.Drop(p.ex)
			p.ex = nil
		}
	case s.Side == exchange.Request:
		if p.ex == nil {
			p.ex = p.sink.New(s)
		}
	case p.ex != nil:
		p.end(s.End, exchange.Complete)
	}
}

func (p *toyParser) end(at uint64, why exchange.Reason) {
	if p.ex != nil {
		p.ex.End, p.ex.Incomplete = at, why
		p.sink.Done(p.ex)
		p.ex = nil
	}
}

func (p *toyParser) Gap(exchange.Side, uint64, uint64) {}
func (p *toyParser) EOF(_ exchange.Side, at uint64)    { p.end(at, exchange.ConnectionClosed) }
func (p *toyParser) Close(at uint64)                   { p.end(at, exchange.ConnectionClosed) }
func (p *toyParser) Tick(uint64)                       {}
func (p *toyParser) Abandon(why exchange.Reason)       { p.end(0, why) }
func (p *toyParser) Refused() bool                     { return p.foreign }
func (p *toyParser) Open() int {
	if p.ex != nil {
		return 1
	}
	return 0
}

type judgement struct {
	socket  uint64
	refused uint32
	class   uint8
}

// judged is a tape for two toys whose signatures the kernel may mistake.
func judged() (p *tape, verdicts *[]judgement) {
	verdicts = new([]judgement)
	p = &tape{position: map[uint64]*[2]uint64{}}
	p.a = New(Config{
		Protocols: []exchange.Protocol{toy{"one", "ASK-----", "TELL----"}, toy{"two", "ASK2----", "TELL2---"}},
		Emit: func(ex *exchange.Exchange) {
			p.got = append(p.got, ex.Protocol+" "+ex.Incomplete.String())
			p.ends = append(p.ends, ex.Endpoint)
			ex.Release()
		},
		Judge: func(socket uint64, refused uint32, class uint8, _ bool) {
			*verdicts = append(*verdicts, judgement{socket, refused, class})
		},
	})
	return p, verdicts
}

func head(ev *event.Event) { ev.Request.Flags |= event.RequestHead }

func TestMistakenProtocol(t *testing.T) {
	p, verdicts := judged()
	p.data(1, client, send, "ASK2---- x", head).data(1, client, recv, "TELL2--- y")
	require.Equal(t, []string{"two complete"}, p.got)
	require.Equal(t, []judgement{{1, 1 << 1, 2}}, *verdicts)
	require.EqualValues(t, 1, p.a.Stats().Refused)
	p.close(1)
	require.Empty(t, p.a.refusals)
}

func TestShortBeginningIsNotJudged(t *testing.T) {
	p, verdicts := judged()
	p.data(1, client, send, "A", head)
	require.Empty(t, *verdicts)
	require.Zero(t, p.a.Stats().Connections, "what follows decides")
	p.data(1, client, recv, "something", head)
	require.Empty(t, *verdicts)
	require.Equal(t, 1, p.a.Stats().Connections)
}

// Who reads the length of a message first shows its beginning in two parts.
func TestBeginningInParts(t *testing.T) {
	p, verdicts := judged()
	p.data(1, server, recv, "ASK2", head).data(1, server, recv, "---- x").data(1, server, send, "TELL2--- y")
	require.Equal(t, []string{"two complete"}, p.got)
	require.Equal(t, []judgement{{1, 1 << 1, 2}}, *verdicts)
	require.Zero(t, p.a.Stats().Unknown)
	require.Zero(t, p.a.Stats().Gaps)
	require.Empty(t, p.a.pieces)
	p.data(3, server, recv, "A", head).data(3, server, recv, "S").data(3, server, recv, "K2").data(3, server, recv, "---- x").data(3, server, send, "TELL2--- y")
	require.Equal(t, []string{"two complete", "two complete"}, p.got)
	p.data(2, server, recv, "ASK2", head)
	require.Len(t, p.a.pieces, 1)
	p.close(2)
	require.Empty(t, p.a.pieces)
	require.EqualValues(t, 1, p.a.Stats().Unknown)
	for socket := range uint64(maxPieces + 10) {
		p.data(100+socket, server, recv, "AS", head)
	}
	require.Len(t, p.a.pieces, maxPieces)
}

func TestForeignBeginnings(t *testing.T) {
	p, verdicts := judged()
	for range strikes - 1 {
		p.data(1, client, send, "something else", head)
		require.Empty(t, *verdicts, "may be the rest of a message")
	}
	for range 5 {
		p.data(1, client, send, "something else", head)
		require.Equal(t, []judgement{{1, 1 << 1, 0}}, *verdicts, "told once")
	}
	second := func(ev *event.Event) { ev.Request.Class = 2 }
	for range strikes {
		p.data(1, client, send, "something else", head, second)
	}
	require.Equal(t, judgement{1, anyClass, 0}, (*verdicts)[1], "nothing is left")
	require.Zero(t, p.a.Stats().Connections)
	require.EqualValues(t, 2, p.a.Stats().Refused)
}

func TestParserRefuses(t *testing.T) {
	p, verdicts := judged()
	p.data(1, client, send, "ASK-----", head).data(1, client, recv, "no")
	require.Empty(t, p.got)
	require.Equal(t, []judgement{{1, 1 << 1, 0}}, *verdicts)
	require.Zero(t, p.a.Stats().OpenRequests)
	require.Zero(t, p.a.Stats().Connections)
	p.data(1, client, send, "ASK2----").data(1, client, recv, "TELL2---")
	require.Equal(t, []string{"two complete"}, p.got, "by what it looks like, the kernel has not heeded it yet")
}

func TestRefusalsAreBounded(t *testing.T) {
	p, _ := judged()
	for i := range uint64(2*maxRefusals + 10) {
		p.data(i+1, client, send, "something else", head)
		require.LessOrEqual(t, len(p.a.refusals), maxRefusals)
	}
}

// datagram is a record of a datagram to or from a peer.
func (t *tape) datagram(socket uint64, peer byte, d event.Direction, data string) *tape {
	return t.data(socket, unknown, d, data, head, func(ev *event.Event) {
		ev.Request.Flags |= event.RequestDatagram
		ev.Request.PeerAddr = [16]byte{127, 0, 0, peer}
		ev.Request.Position, ev.Request.Opposite = 0, 1<<20 // count what went to all peers
	})
}

func TestDatagrams(t *testing.T) {
	p, _ := judged()
	p.datagram(1, 7, send, "ASK-----").datagram(1, 8, send, "ASK-----")
	p.datagram(1, 8, recv, "TELL----").datagram(1, 7, recv, "TELL----")
	p.datagram(2, 9, recv, "ASK-----").datagram(2, 9, send, "TELL----")
	require.Equal(t, []string{"one complete", "one complete", "one complete"}, p.got)
	for i, want := range []struct {
		peer byte
		role event.Role
	}{{8, client}, {7, client}, {9, server}} {
		require.Equal(t, want.peer, p.ends[i].PeerAddr[3])
		require.Equal(t, want.role, p.ends[i].Role)
	}
	s := p.a.Stats()
	require.Zero(t, s.Gaps)
	require.Equal(t, 3, s.Connections)
	p.a.Tick(p.now + uint64(datagramIdle) + 1)
	require.Zero(t, p.a.Stats().Connections, "soon forgotten")
	require.Zero(t, p.a.Stats().Expired)
}

func TestDatagramsGetTheirShare(t *testing.T) {
	p, _ := judged()
	p.a = New(Config{Protocols: p.a.cfg.Protocols, MaxConnections: 2 * datagramShare, IdleTimeout: time.Hour})
	p.data(1, client, send, "ASK-----", head)
	for peer := range byte(50) {
		p.datagram(2, peer, send, "ASK-----")
	}
	require.Equal(t, 3, p.a.Stats().Connections)
	require.NotNil(t, p.a.conns[1], "a stream does not give way")
	require.Len(t, p.a.talks, 2)
}

func TestDatagramRefused(t *testing.T) {
	p, _ := judged()
	p.datagram(1, 7, send, "ASK-----")
	p.data(1, unknown, recv, "", func(ev *event.Event) {
		ev.Request.Flags |= event.RequestDatagram
		ev.Request.PeerAddr = [16]byte{127, 0, 0, 7}
		ev.Request.Error = errConnRefused
	})
	require.Equal(t, []string{"one connection_closed"}, p.got)
}

// Requests of Kafka begin with a length and small numbers, as messages of others
// do. DNS is right about the oldest version of Fetch as often as by chance.
func TestKafkaIsNobodyElses(t *testing.T) {
	for key := range int16(95) {
		for version := range int16(20) {
			for _, size := range []uint32{40, 300, 5000} {
				b := binary.BigEndian.AppendUint32(nil, size)
				b = binary.BigEndian.AppendUint16(b, uint16(key))
				b = binary.BigEndian.AppendUint16(b, uint16(version))
				b = append(b, "\x00\x00\x00\x07\x00\x07rdkafka"...)
				b = append(b, make([]byte, 40-len(b)+lengthOfSize)...)
				for _, p := range Protocols() {
					if p.Name() != "kafka" && (p.Name() != "dns" || version != 0) {
						require.Equal(t, exchange.Foreign, p.Classify(b), "%s takes version %d of %d for its own", p.Name(), version, key)
					}
				}
			}
		}
	}
}

const lengthOfSize = 4

// What servers of HTTP/2 say first is taken for nothing else, whatever they
// limit: over TLS they say it before the client's preface.
func TestSettingsAreNobodyElses(t *testing.T) {
	const maxStreams, windowSize, maxFrame = 3, 4, 5
	for name, params := range map[string][][2]uint32{
		"none":     nil,
		"Apache":   {{maxStreams, 100}},
		"lighttpd": {{maxStreams, 8}, {windowSize, 65536}, {6, 65535}, {8, 1}, {9, 1}},
		"nginx":    {{maxStreams, 128}, {windowSize, 65536}, {maxFrame, 1<<24 - 1}},
		"Go":       {{maxFrame, 1 << 20}, {maxStreams, 250}, {6, 1048896}, {windowSize, 1 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			frame := []byte{0, 0, byte(6 * len(params)), 4, 0, 0, 0, 0, 0}
			for _, p := range params {
				frame = binary.BigEndian.AppendUint16(frame, uint16(p[0]))
				frame = binary.BigEndian.AppendUint32(frame, p[1])
			}
			window := append(bytes.Clone(frame), 0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 3, 0, 1)
			ack := append(bytes.Clone(frame), 0, 0, 0, 4, 1, 0, 0, 0, 0)
			for _, first := range [][]byte{frame, window, ack} {
				for _, s := range Signatures(Protocols()) {
					if s.Matches(first) {
						require.Equal(t, "http2", Protocols()[s.Class-1].Name(), "% x", first)
						break
					}
				}
			}
		})
	}
}

// A client of a SOCKS proxy says at first what a request of CQL could be; once
// that is refused, what follows is whole.
func TestBehindSOCKS(t *testing.T) {
	p := newTape(Config{})
	cql := func(ev *event.Event) {
		ev.Request.Class = uint8(1 + slices.IndexFunc(p.a.cfg.Protocols, func(p exchange.Protocol) bool { return p.Name() == "cql" }))
	}
	for _, role := range []event.Role{client, server} {
		ask, answer := send, recv
		if role == server {
			ask, answer = recv, send
		}
		socket := uint64(role)
		p.data(socket, role, ask, "\x05\x02\x00\x02", cql, head).data(socket, role, answer, "\x05\x00", cql)
		p.data(socket, role, ask, "\x05\x01\x00\x01\x7f\x00\x00\x01\x46\xa0", cql, head)
		p.data(socket, role, answer, "\x05\x00\x00\x01\x7f\x00\x00\x01\x46\xa0", cql)
		p.data(socket, role, ask, get, cql).data(socket, role, answer, ok3, cql).data(socket, role, ask, get, cql).data(socket, role, answer, ok3, cql)
	}
	require.Equal(t, []string{"GET /a complete", "GET /a complete", "GET /a complete", "GET /a complete"}, p.got)
	require.Zero(t, p.a.Stats().Gaps)
}
