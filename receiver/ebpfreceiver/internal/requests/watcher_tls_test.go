//go:build linux && (amd64 || arm64)

package requests_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/probesite"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// bothWays runs a test whose programs speak in plain text, and again with TLS.
func bothWays(t *testing.T, test func(t *testing.T, secure bool)) {
	t.Helper()
	t.Run("plain text", func(t *testing.T) { test(t, false) })
	t.Run("TLS", func(t *testing.T) { test(t, true) })
}

// watchAs is watch, and decodes what the libraries of this machine encrypt if the
// programs are secure.
func watchAs(t *testing.T, secure bool) *watcher {
	t.Helper()
	var opts bpf.Options
	if !secure {
		return watch(t, opts)
	}
	opts.TLS, opts.TLSClass = true, requests.ClassOfCipherText(requests.Protocols())
	w := watch(t, opts)
	w.followLibraries(t)
	return w
}

// measured are the prices of probes, which do not change from test to test.
var measured = sync.OnceValues(func() (probesite.Kernel, encryption.Prices) {
	kernel, prices, _ := encryption.Calibrate() // else they are assumed
	prices.Most = 5 * time.Microsecond
	return kernel, prices
})

// followLibraries has the host's libraries probed, and the executable of this
// test, by which Go programs encrypt.
func (w *watcher) followLibraries(t *testing.T) {
	t.Helper()
	kernel, prices := measured()
	finder := encryption.New(encryption.Config{Proc: "/proc", Root: "/", Kernel: kernel, Prices: prices, Log: zap.NewNop()}, w.agent)
	w.mu.Lock()
	w.finder = finder
	w.mu.Unlock()
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		finder.Run(quit, func() {})
	}()
	t.Cleanup(func() {
		close(quit)
		<-done
		finder.Wait()
	})
	self, err := os.Executable()
	require.NoError(t, err)
	user, _ := serve(t, "127.0.0.1:0") // as long as nobody runs it, it is nobody's library
	finder.Started(user.pid())
	w.requireFollowed(t, "/libssl.so.3")
	w.requireFollowed(t, self)
}

// requireFollowed waits until what is encrypted by a library or program whose path
// ends so is read.
func (w *watcher) requireFollowed(t *testing.T, end string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(w.finder.Libraries(), func(l encryption.Library) bool { return strings.HasSuffix(l.Path, end) && l.Read })
	}, patience, pollInterval, "%s is not followed: %+v", end, w.finder.Libraries())
}

// follow has the program of a process probed, as the receiver does when it starts;
// others that run the same file are then seen from their beginning.
func (w *watcher) follow(t *testing.T, pid uint32) {
	t.Helper()
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	require.NoError(t, err)
	w.finder.Started(pid)
	w.requireFollowed(t, exe)
}

// encrypts is a requests.Config.Encrypts, called with mu held.
func (w *watcher) encrypts(k event.ProcessKey) {
	if w.finder != nil {
		w.finder.Encrypts(k.TGID)
	}
}

// noteOpaque is a requests.Config.Opaque, called with mu held.
func (w *watcher) noteOpaque(ep *exchange.Endpoint, _ string, form exchange.Form) {
	w.opaque = append(w.opaque, opaque{owner: ep.Owner.TGID, form: form})
}

// opaque is a connection that is not decoded.
type opaque struct {
	owner uint32
	form  exchange.Form
}

// undecoded are the connections that are not decoded by now, whatever was waited
// for.
func (w *watcher) undecoded() []opaque {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asm.Tick(bootNow() + uint64(time.Minute))
	return slices.Clone(w.opaque)
}

// requireEncrypted makes sure that a test of encrypted connections was one.
func (w *watcher) requireEncrypted(t *testing.T, port string, secure bool) {
	t.Helper()
	for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
		for _, s := range w.at(port, role) {
			require.Equal(t, secure, s.Endpoint.Encryption != nil, "%+v", s)
			if secure {
				require.NotEmpty(t, s.Endpoint.Encryption.Version, "the handshake was seen")
			}
		}
	}
	if secure {
		require.Empty(t, w.undecoded())
	}
}

// certificate writes cert.pem and key.pem for this machine into a folder, and
// returns their paths. They belong to who owns the folder: servers run as users
// of their own, and refuse keys that others may read.
func certificate(tb testing.TB, dir string, uid, gid int) (cert, key string) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(tb, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(tb, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		require.NoError(tb, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
		require.NoError(tb, os.Chown(path, uid, gid))
	}
	return cert, key
}
