package requests

import (
	ctls "crypto/tls"
	"net"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// said is what one end of a connection writes at once.
type said struct {
	client bool
	bytes  []byte
}

// written notes what is written to a connection.
type written struct {
	net.Conn
	client bool
	all    *transcript
}

// transcript is what both ends have written, in turns: one may still close.
type transcript struct {
	mu   sync.Mutex
	said []said
}

func (w written) Write(b []byte) (int, error) {
	w.all.mu.Lock()
	w.all.said = append(w.all.said, said{w.client, slices.Clone(b)})
	w.all.mu.Unlock()
	return w.Conn.Write(b)
}

// handshakeOf is what both ends say until they may speak encrypted. They take
// turns, and a pipe keeps who is not heard waiting.
func handshakeOf(t *testing.T, version uint16) []said {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	defer certified.Close()
	near, far := net.Pipe()
	var all transcript
	client := ctls.Client(written{near, true, &all}, &ctls.Config{InsecureSkipVerify: true, ServerName: "db.example.com", MaxVersion: version}) //nolint:gosec // the certificate is made up
	server := ctls.Server(written{far, false, &all}, certified.TLS)
	done := make(chan error)
	go func() { done <- server.Handshake() }()
	require.NoError(t, client.Handshake())
	go func() { _ = client.Close() }() // what the server says last has to be read by somebody
	require.NoError(t, <-done)
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Clone(all.said)
}

// TestHandshakeAfterAnAgreement: clients and servers of databases agree in plain
// text to encrypt; what the handshake then tells is read.
func TestHandshakeAfterAnAgreement(t *testing.T) {
	greeting := append([]byte{0, 0, 0, 0, 10}, "8.0.36\x00"...)
	greeting = append(greeting, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0xff, 0xff, 0xff, 2, 0, 0xff, 0xdf, 21,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0)
	greeting = append(greeting, "caching_sha2_password\x00"...)
	greeting[0] = byte(len(greeting) - 4)
	asks := append([]byte{32, 0, 0, 1, 0x85, 0xae, 0xff, 0x19, 0, 0, 0, 1, 45}, make([]byte, 23)...)
	for name, plain := range map[string][]said{
		"postgresql": {{true, []byte{0, 0, 0, 8, 4, 210, 22, 47}}, {false, []byte("S")}},
		"mysql":      {{false, greeting}, {true, asks}},
	} {
		for version, want := range map[uint16]string{ctls.VersionTLS12: "1.2", ctls.VersionTLS13: "1.3"} {
			t.Run(name+" "+want, func(t *testing.T) {
				judged, asked := 0, 0
				a := New(Config{
					Judge:    func(uint64, uint32, uint8, bool) { judged++ },
					Encrypts: func(event.ProcessKey) { asked++ },
				})
				play(a, name, plain)
				require.Equal(t, 1, asked, "whoever attaches probes is told before the handshake")
				require.Zero(t, judged, "the handshake is still of interest")
				talk := append(slices.Clone(plain), handshakeOf(t, version)...)
				play(a, name, talk)
				known := a.encrypted.of(cipherSocket)
				require.Equal(t, want, known.Version)
				require.Equal(t, "db.example.com", known.ServerName)
				require.Equal(t, 1, judged, "what follows is of no interest")
			})
		}
	}
}

// play gives an assembler what was said over the socket, except for what it was
// given before.
func play(a *Assembler, protocol string, talk []said) {
	class := uint8(0)
	for i, p := range Protocols() {
		if p.Name() == protocol {
			class = uint8(i + 1)
		}
	}
	had := int(a.Stats().Records)
	var moved [2]uint64
	for i, s := range talk {
		d := event.Receive
		if s.client {
			d = event.Send
		}
		r := event.Request{
			Socket: cipherSocket, Class: class, Role: event.RoleClient, Direction: d, Position: moved[d],
			Opposite: uint32(moved[d.Opposite()]), Bytes: uint64(len(s.bytes)), Payload: s.bytes,
		}
		if i < had {
			moved[d] += r.Bytes
			continue
		}
		moved[d] += r.Bytes
		a.Handle(&event.Event{Header: event.Header{Type: event.TypeData, Time: uint64(i + 1), Key: event.ProcessKey{TGID: 5}}, Request: r})
	}
}
