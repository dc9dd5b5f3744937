package requests

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/tls"
)

const cipherSocket = 77

// cipherRecord is a record of application data on a connection older than the agent.
func cipherRecord(t *testing.T, at uint64) *event.Event {
	t.Helper()
	class := uint8(0)
	for i, p := range Protocols() {
		if p.Name() == tls.New().Name() {
			class = uint8(i + 1)
		}
	}
	require.NotZero(t, class)
	return &event.Event{
		Header: event.Header{Type: event.TypeData, Time: at, Key: event.ProcessKey{TGID: 5}},
		Request: event.Request{
			Socket: cipherSocket, Class: class, Role: event.RoleClient, Flags: event.RequestMidway, Bytes: 40,
			Payload: []byte{23, 3, 3, 0, 35, 1, 2, 3},
		},
	}
}

func announcement() *event.Event {
	return &event.Event{
		Header:  event.Header{Type: event.TypeData},
		Request: event.Request{Socket: cipherSocket | event.TLSStream, Flags: event.RequestTLS, Direction: event.Send},
	}
}

func socketClose(flags event.RequestFlags) *event.Event {
	return &event.Event{Header: event.Header{Type: event.TypeSocketClose}, Request: event.Request{Socket: cipherSocket, Flags: flags}}
}

func TestOpaqueUnlessAnnounced(t *testing.T) {
	const begin = uint64(time.Hour)
	late := func(a *Assembler) { a.Tick(begin + 1 + uint64(opaqueGrace)) }
	handle := func(ev *event.Event) func(*Assembler) { return func(a *Assembler) { a.Handle(ev) } }
	cipher := handle(cipherRecord(t, begin))
	for name, tt := range map[string]struct {
		play []func(*Assembler)
		want int
	}{
		"before the grace ends":  {[]func(*Assembler){cipher, func(a *Assembler) { a.Tick(begin + uint64(opaqueGrace) - 1) }}, 0},
		"never":                  {[]func(*Assembler){cipher, late, late}, 1},
		"in time":                {[]func(*Assembler){cipher, handle(announcement()), late}, 0},
		"before anything":        {[]func(*Assembler){handle(announcement()), cipher, late}, 0},
		"too late":               {[]func(*Assembler){cipher, late, handle(announcement()), late}, 1},
		"the end comes first":    {[]func(*Assembler){cipher, handle(socketClose(0)), late}, 1},
		"the end says covered":   {[]func(*Assembler){cipher, handle(socketClose(event.RequestCovered)), late}, 0},
		"everything ends":        {[]func(*Assembler){cipher, (*Assembler).Close}, 1},
		"everything ends, known": {[]func(*Assembler){cipher, handle(announcement()), (*Assembler).Close}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			told, asked := 0, 0
			a := New(Config{
				Opaque: func(ep *exchange.Endpoint, protocol string, form exchange.Form) {
					told++
					require.EqualValues(t, 5, ep.Owner.TGID)
					require.Equal(t, "tls", protocol)
					require.Equal(t, exchange.TLS, form)
				},
				Encrypts: func(k event.ProcessKey) { asked++; require.EqualValues(t, 5, k.TGID) },
			})
			for _, step := range tt.play {
				step(a)
			}
			require.Equal(t, tt.want, told)
			require.EqualValues(t, tt.want, a.Stats().Opaque[exchange.TLS])
			require.LessOrEqual(t, asked, 1)
		})
	}
}

// A stream of plain text that is announced again begins anew: its bytes are
// counted from there.
func TestAnnouncedAgain(t *testing.T) {
	a := New(Config{})
	request := func() *event.Event {
		text := []byte("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
		return &event.Event{
			Header: event.Header{Type: event.TypeData, Time: uint64(time.Hour), Key: event.ProcessKey{TGID: 5}},
			Request: event.Request{
				Socket: cipherSocket | event.TLSStream, Flags: event.RequestTLS | event.RequestMidway | event.RequestHead, Role: event.RoleClient,
				Direction: event.Send, Bytes: uint64(len(text)), Payload: text,
			},
		}
	}
	for n := range 3 {
		a.Handle(announcement())
		a.Handle(request())
		require.EqualValues(t, n+1, a.Stats().Opened)
		require.Equal(t, 1, a.Stats().OpenRequests, "the one before has no answer that could be seen")
	}
	require.Zero(t, a.Stats().Late)
}

func TestEncryptionsAreBounded(t *testing.T) {
	a := New(Config{MaxConnections: 3})
	for socket := range uint64(10) {
		a.encrypted.of(socket).Version = "1.3"
	}
	require.Len(t, a.encrypted.bySocket, 3)
	require.Equal(t, "1.3", a.encrypted.of(9|event.TLSStream).Version)
}

// A hello of any length is one of TLS, whatever other protocols begin with a length.
func TestHelloIsNothingElse(t *testing.T) {
	all, protocols := Signatures(Protocols()), Protocols()
	for _, kind := range []byte{1, 2} { // the client's and the server's
		for size := range 1 << 14 {
			record := size + 4
			first := []byte{22, 3, 1, byte(record >> 8), byte(record), kind, 0, byte(size >> 8), byte(size), 3, 3, 0x3f, 0xcb, 0x33, 0x34, 0x9a}
			i := slices.IndexFunc(all, func(s event.Signature) bool { return !s.Datagram && s.Matches(first) })
			require.GreaterOrEqual(t, i, 0, size)
			require.Equal(t, "tls", protocols[all[i].Class-1].Name(), "%d bytes", size)
		}
	}
}
