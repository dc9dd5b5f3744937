package bpf

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// lazyText is the first that a client says, by which it begins the handshake, and asks
// and agrees are what both ends say before that, as those of PostgreSQL do.
const lazyText, asks, agrees = "PING of who did not wait", "ASK?", "S"

// talkLazily has a client of crypto/tls write before it shakes hands, over a connection
// on which nothing was said before, and over one on which encryption was asked for.
func talkLazily() error {
	return errors.Join(talkLazilyAfter(""), talkLazilyAfter(asks))
}

func talkLazilyAfter(agreement string) error {
	pair, err := goTLSOver(func(dialled, accepted net.Conn) error {
		if agreement == "" {
			return nil
		}
		for _, s := range []struct {
			from, to net.Conn
			text     string
		}{{dialled, accepted, agreement}, {accepted, dialled, agrees}} {
			if _, err := io.WriteString(s.from, s.text); err != nil {
				return err
			}
			if _, err := io.ReadFull(s.to, make([]byte, len(s.text))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer pair.close()
	answered := make(chan error, 1)
	go func() { answered <- answerOnce(pair.server) }()
	if _, err := io.WriteString(pair.client, lazyText); err != nil {
		return err
	}
	_, err = io.ReadFull(pair.client, make([]byte, len(lazyText)))
	return errors.Join(err, <-answered)
}

// answerOnce says what is said to it.
func answerOnce(c *tls.Conn) error {
	text := make([]byte, len(lazyText))
	if _, err := io.ReadFull(c, text); err != nil {
		return err
	}
	_, err := c.Write(text)
	return err
}

// TestGoTLSShakesWithinItsFirstWrite: of a handshake that a write begins the cipher text is
// told, by which it is known what both ends agreed upon, and the plain text from its beginning.
func TestGoTLSShakesWithinItsFirstWrite(t *testing.T) {
	requireRoot(t)
	var signatures []event.Signature
	for class, text := range map[uint8]string{2: asks, 3: lazyText, 4: "\x16\x03\x01"} {
		s := startsWith(class, text, 4096)
		s.Every = true
		signatures = append(signatures, s)
	}
	a, err := Load(Options{Requests: true, TLS: true, Signatures: signatures})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	probes, err := a.AttachTLS("/proc/self/exe", goTLSProbes(t))
	require.NoError(t, err)
	defer probes.Close()
	cmd := helper(t, "lazy gotls")
	require.NoError(t, cmd.Run())

	const clientHello, serverHello = 1, 2 // the types of messages, behind the head of their record
	hellos, plain := map[[2]byte]int{}, map[event.Direction]int{}
	for _, r := range drain(t, a, cmd.Process.Pid) {
		switch {
		case r.Role != event.RoleClient || r.Bytes == 0:
		case r.Flags&event.RequestTLS != 0:
			require.Equal(t, lazyText, string(r.Payload))
			plain[r.Direction]++
		case len(r.Payload) > 5 && r.Payload[0] == 0x16:
			hellos[[2]byte{byte(r.Direction), r.Payload[5]}]++
		}
	}
	require.Equal(t, map[[2]byte]int{{byte(event.Send), clientHello}: 2, {byte(event.Receive), serverHello}: 2}, hellos)
	require.Equal(t, map[event.Direction]int{event.Send: 2, event.Receive: 2}, plain)
}
