package tls

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// clientHelloOf is what a real client sends first.
func clientHelloOf(t *testing.T, version uint16) []byte {
	t.Helper()
	client, server := net.Pipe()
	go func() {
		_ = tls.Client(client, &tls.Config{ServerName: "h", MinVersion: version, MaxVersion: version}).Handshake()
	}()
	first := make([]byte, 64)
	_, err := io.ReadFull(server, first)
	require.NoError(t, err)
	require.NoError(t, server.Close())
	return first
}

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
		assert.Equal(t, 1, matches, "the kernel must recognise it too")
	}
	for _, other := range []string{"", "\x16\x03\x01", "GET / HTTP/1.1", "\x17\x03\x03\x00\x20secret", "\x16\x04\x01\x00\x20\x01"} {
		assert.Equal(t, exchange.Foreign, p.Classify([]byte(other)), "%q", other)
	}
	assert.Equal(t, exchange.IsResponse, p.Classify([]byte{handshake, major, 3, 0, 90, serverHello}))
}
