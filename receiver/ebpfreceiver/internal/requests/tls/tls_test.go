package tls

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// hellos are what the two ends of a real handshake send first.
func hellos(t *testing.T, version uint16, name string) (client, server []byte) {
	t.Helper()
	a, b := net.Pipe()
	var sent [2]bytes.Buffer
	listener := httptest.NewUnstartedServer(nil)
	listener.StartTLS()
	t.Cleanup(listener.Close)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Server(tap{b, &sent[1]}, &tls.Config{Certificates: listener.TLS.Certificates, MinVersion: version, MaxVersion: version}).Handshake()
	}()
	err := tls.Client(tap{a, &sent[0]}, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}).Handshake()
	require.NoError(t, err)
	require.NoError(t, a.Close())
	<-done
	return sent[0].Bytes(), sent[1].Bytes()
}

// tap keeps what is sent.
type tap struct {
	net.Conn
	sent *bytes.Buffer
}

func (c tap) Write(b []byte) (int, error) {
	c.sent.Write(b)
	return c.Conn.Write(b)
}

func clientHelloOf(t *testing.T, version uint16) []byte {
	t.Helper()
	client, _ := hellos(t, version, "h")
	return client[:64]
}

// sink is an exchange.Sink of cipher text.
type sink struct {
	exchange.Sink
	told   exchange.Encryption
	opaque int
}

func (s *sink) Encryption() *exchange.Encryption { return &s.told }
func (s *sink) Opaque(exchange.Form)             { s.opaque++ }

func TestClassify(t *testing.T) {
	p := New()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		first := clientHelloOf(t, version)
		assert.Equal(t, exchange.IsRequest, p.Classify(first))
		var matches int
		for _, s := range p.Signatures() {
			if s.Matches(first) {
				matches++
			}
		}
		assert.Equal(t, 2, matches, "the kernel must recognise it too, as a hello and as a record")
	}
	for _, other := range []string{"", "\x16\x03\x01", "GET / HTTP/1.1", "\x17\x03\x03\x00\x20secret", "\x16\x04\x01\x00\x20\x01"} {
		assert.Equal(t, exchange.Foreign, p.Classify([]byte(other)), "%q", other)
	}
	assert.Equal(t, exchange.IsResponse, p.Classify([]byte{handshake, major, 3, 0, 90, serverHello}))
}

func TestHandshake(t *testing.T) {
	for version, want := range map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"} {
		client, server := hellos(t, version, "Shop.example")
		for _, step := range []int{1, 5, 97, 1 << 20} {
			s := &sink{}
			p := New().NewParser(s)
			p.Reset(s, false)
			for side, sent := range [][]byte{client, server} {
				for len(sent) > 0 {
					n := min(step, len(sent))
					p.Segment(&exchange.Segment{Side: exchange.Side(side), Payload: sent[:n], Len: uint64(n)})
					sent = sent[n:]
				}
			}
			assert.Equal(t, exchange.Encryption{ServerName: "shop.example", Version: want}, s.told, "in steps of %d", step)
			assert.Equal(t, 1, s.opaque)
		}
	}
}

func TestHelloIsCut(t *testing.T) {
	client, server := hellos(t, tls.VersionTLS13, "shop.example")
	for _, sent := range [][]byte{client, server} {
		for n := range len(sent) {
			s := &sink{}
			p := New().NewParser(s)
			p.Reset(s, false)
			p.Segment(&exchange.Segment{Payload: sent[:n], Len: uint64(len(sent)) + 1})
			assert.Contains(t, []string{"", "shop.example"}, s.told.ServerName)
			assert.Contains(t, []string{"", "1.2", "1.3"}, s.told.Version)
		}
	}
}

func TestMidwayIsToldAtOnce(t *testing.T) {
	s := &sink{}
	p := New().NewParser(s)
	p.Reset(s, true)
	for range 2 {
		p.Segment(&exchange.Segment{Payload: []byte{application, major, 3, 0, 64}, Len: 69})
	}
	assert.Equal(t, 1, s.opaque)
	assert.Zero(t, s.told)
}

func TestHostName(t *testing.T) {
	for given, want := range map[string]string{
		"A.b-C_9": "a.b-c_9", "AZ.az-09": "az.az-09", strings.Repeat("a", maxServerName): strings.Repeat("a", maxServerName),
		"": "", "a b": "", "a\x00": "", "\xc3\xa4": "", strings.Repeat("a", maxServerName+1): "",
	} {
		assert.Equal(t, want, hostName([]byte(given)))
	}
}

func FuzzHello(f *testing.F) {
	f.Add([]byte{handshake, major, 1, 0, 4, clientHello, 0, 0, 0})
	f.Add([]byte{handshake, major, 3, 0, 46, serverHello, 0, 0, 42, 3, 3})
	f.Fuzz(func(t *testing.T, sent []byte) {
		var e exchange.Encryption
		helloIn(sent, &e)
		if len(e.ServerName) > maxServerName || hostName([]byte(e.ServerName)) != e.ServerName {
			t.Fatalf("%q is no name of a host", e.ServerName)
		}
	})
}
