package bpf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf/features"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/probesite"
)

// goTLSTurns are the lengths of what client and server of crypto/tls say in
// turns. Those of more than a record are handed over in several pieces.
var goTLSTurns = []int{20, 100, 4000, 50000, 20, 10}

func goTLSText(turn int) []byte {
	text := make([]byte, goTLSTurns[turn])
	copy(text, "PING")
	for i := 4; i < len(text); i++ {
		text[i] = byte('a' + turn)
	}
	return text
}

// wrapped is a connection of the program's own around one of the net package.
type wrapped struct{ net.Conn }

// goTLSPair is a connection of crypto/tls, client and server in this process.
type goTLSPair struct{ client, server *tls.Conn }

func newGoTLSPair() (p goTLSPair, err error) {
	if p, err = goTLSOver(func(_, _ net.Conn) error { return nil }); err != nil {
		return p, err
	}
	shaken := make(chan error, 1)
	go func() { shaken <- p.server.Handshake() }()
	if err := errors.Join(p.client.Handshake(), <-shaken); err != nil {
		p.close()
		return p, err
	}
	return p, nil
}

// goTLSOver is a pair that has not shaken hands yet, over a connection on which both ends
// have said something before.
func goTLSOver(before func(dialled, accepted net.Conn) error) (p goTLSPair, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return p, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return p, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return p, err
	}
	defer listener.Close()
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return p, err
	}
	accepted, err := listener.Accept()
	if err != nil {
		return p, errors.Join(err, dialled.Close())
	}
	if err := before(dialled, accepted); err != nil {
		return p, errors.Join(err, dialled.Close(), accepted.Close())
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	p.client = tls.Client(wrapped{dialled}, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate is made up
	p.server = tls.Server(accepted, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	return p, nil
}

func (p goTLSPair) close() {
	_ = p.client.NetConn().Close()
	_ = p.server.NetConn().Close()
}

// talk has both ends say goTLSTurns.
func (p goTLSPair) talk() error {
	for turn := range goTLSTurns {
		from, to := p.client, p.server
		if turn%2 == 1 {
			from, to = p.server, p.client
		}
		done := make(chan error, 1)
		go func() {
			text, err := untouched(goTLSText(turn))
			if err == nil {
				_, err = from.Write(text)
			}
			done <- err
		}()
		if _, err := io.ReadFull(to, make([]byte, goTLSTurns[turn])); err != nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

func talkGoTLS() error {
	pair, err := newGoTLSPair()
	if err != nil {
		return err
	}
	defer pair.close()
	return pair.talk()
}

// untouched returns a text in memory that nobody has touched, which the kernel has
// to fetch from a file first; where programs on probes cannot wait for that, the
// text itself.
func untouched(text []byte) ([]byte, error) {
	if version, err := features.LinuxVersionCode(); err != nil || version < sleepsSince {
		return text, err
	}
	file, err := os.CreateTemp("", "text")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return nil, err
	}
	return unix.Mmap(int(file.Fd()), 0, len(text), unix.PROT_READ, unix.MAP_PRIVATE)
}

// goTLSProbes are the places in this program, which the go command linked
// without a symbol table.
func goTLSProbes(t *testing.T) []TLSProbe {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer self.Close()
	file, err := probesite.Open(self)
	require.NoError(t, err)
	places, err := file.GoTLS(probesite.Kernel{})
	require.NoError(t, err)
	return []TLSProbe{{Program: TLSGoRead, Offset: places.Read.Offset}, {Program: TLSGoWrite, Offset: places.Write.Offset}}
}

// TestGoTLS: both ends of a connection of crypto/tls are seen with all that they
// write and read, in order.
func TestGoTLS(t *testing.T) {
	requireRoot(t)
	s := startsWith(3, "PING", 64)
	s.Every = true
	a, err := Load(Options{Requests: true, TLS: true, Signatures: []event.Signature{s}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	probes, err := a.AttachTLS("/proc/self/exe", goTLSProbes(t))
	require.NoError(t, err)
	defer probes.Close()
	if files := &a.requests.(*capture).files; files.used != nil {
		require.NoError(t, files.set(0, never), "what is attached to other files does not matter")
	}
	cmd := helper(t, "gotls")
	require.NoError(t, cmd.Run())

	type half struct {
		role      event.Role
		direction event.Direction
	}
	moved := map[half]uint64{}
	for _, r := range drain(t, a, cmd.Process.Pid) {
		if r.Flags&event.RequestTLS == 0 || r.Bytes == 0 {
			continue
		}
		require.NotZero(t, r.Socket&event.TLSStream)
		require.Zero(t, r.Flags&event.RequestMidway, "seen from the beginning")
		key := half{r.Role, r.Direction}
		require.Equal(t, moved[key], r.Position, "nothing is left out")
		if r.Position == 0 {
			require.Equal(t, "PING", string(r.Payload[:4]))
		}
		moved[key] += r.Bytes
	}
	var said [2]uint64
	for turn, n := range goTLSTurns {
		said[turn%2] += uint64(n)
	}
	require.Equal(t, map[half]uint64{
		{event.RoleClient, event.Send}: said[0], {event.RoleServer, event.Receive}: said[0],
		{event.RoleServer, event.Send}: said[1], {event.RoleClient, event.Receive}: said[1],
	}, moved)
	stats, err := a.TLSStats()
	require.NoError(t, err)
	require.Zero(t, stats.Unbound)
}
