package encryption

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// probed notes what is attached.
type probed struct {
	mu     sync.Mutex
	now    map[string]int // probes by path
	closed int
	tries  int
	err    error
}

func (p *probed) AttachTLS(path string, probes []bpf.TLSProbe) (io.Closer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries++
	if p.err != nil {
		return nil, p.err
	}
	if p.now == nil {
		p.now = map[string]int{}
	}
	p.now[path] += len(probes)
	return detach(func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.now, path)
		p.closed++
		return nil
	}), nil
}

type detach func() error

func (d detach) Close() error { return d() }

// library is this system's OpenSSL.
func systemOpenSSL(t *testing.T) string {
	t.Helper()
	for _, path := range systemLibraries {
		if libraryOf(path).name == "OpenSSL" {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	t.Skip("this system has no libssl.so.3")
	return ""
}

func newTestFinder(t *testing.T, p *probed, most time.Duration) *Finder {
	t.Helper()
	kernel, prices := probesite.Kernel{}, Prices{
		Of:   func(c probesite.Cost) time.Duration { return time.Duration(c) * 10 * time.Microsecond },
		Most: most,
	}
	return New(Config{Proc: "/proc", Root: t.TempDir(), Kernel: kernel, Prices: prices, Log: zap.NewNop()}, p)
}

// userOf runs a program that has a file mapped to be executed: the dynamic linker
// loads it.
func userOf(t *testing.T, library string) uint32 {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.Env = append(os.Environ(), "LD_PRELOAD="+library)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	pid := uint32(cmd.Process.Pid)
	require.Eventually(t, func() bool {
		maps, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/maps")
		return err == nil && len(executableFiles(bytes.NewReader(maps))) > 2
	}, time.Minute, time.Millisecond)
	return pid
}

func TestLibrariesAreProbedOnce(t *testing.T) {
	library := filepath.Join(t.TempDir(), "libssl.so.3")
	copyFile(t, systemOpenSSL(t), library)
	p := &probed{}
	f := newTestFinder(t, p, time.Minute)
	one, two := userOf(t, library), userOf(t, library)
	f.look(one)
	f.look(two)
	f.look(two)
	require.Len(t, p.now, 1)
	f.publish()
	all := f.Libraries()
	require.Len(t, all, 1)
	require.Equal(t, Library{Name: "OpenSSL", Path: library, Processes: 2, Read: true}, all[0])
	require.Equal(t, ReasonUnmatched, f.Why(one))
	parent := t

	t.Run("replaced while it is used", func(t *testing.T) {
		require.NoError(t, os.Remove(library))
		copyFile(t, systemOpenSSL(t), library)
		f.look(userOf(parent, library))
		require.Len(t, p.now, 2)
		f.look(one)
		require.Len(t, p.now, 2, "the old file is known")
	})
	t.Run("nobody uses it", func(t *testing.T) {
		f.forget(one)
		f.forget(two)
		f.sweep(time.Now().Add(unusedFor + time.Second))
		require.Len(t, p.now, 1)
		require.Equal(t, 1, p.closed)
	})
}

// What Python and others call has no cheap place of its own to return from.
func TestTwinsAreProbedWithin(t *testing.T) {
	content, err := os.Open(systemOpenSSL(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, content.Close()) }()
	kernel, prices := pricesOf(assumed)
	prices.Most = 5 * time.Microsecond
	all, missing, err := libraries[0].probes(content, kernel, &prices)
	require.NoError(t, err)
	require.NoError(t, missing)
	places := map[bpf.TLSProgram]int{}
	for _, p := range all {
		places[p.Program]++
	}
	require.Equal(t, 1, places[bpf.TLSReadCounted], "one for both ways to read")
	require.Equal(t, 1, places[bpf.TLSWrite])
	require.Zero(t, places[bpf.TLSRead])
}

// What one function of GnuTLS hands to another one is told once.
func TestFunctionsThroughOthersAreLeftAlone(t *testing.T) {
	at := slices.IndexFunc(systemLibraries, func(path string) bool {
		_, err := os.Stat(path)
		return err == nil && libraryOf(path).name == "GnuTLS"
	})
	if at < 0 {
		t.Skip("this system has no libgnutls.so.30")
	}
	content, err := os.Open(systemLibraries[at])
	require.NoError(t, err)
	defer func() { require.NoError(t, content.Close()) }()
	kernel, prices := pricesOf(assumed)
	prices.Most = 5 * time.Microsecond
	all, _, err := libraryOf(systemLibraries[at]).probes(content, kernel, &prices)
	require.NoError(t, err)
	writes := 0
	for _, p := range all {
		if p.Program == bpf.TLSWrite {
			writes++
		}
	}
	require.Equal(t, 1, writes)
}

// Where programs are told at which probe they are, reads are seen by what they
// copy.
func TestReadsAreProbedWhereTheyCopy(t *testing.T) {
	content, err := os.Open(systemOpenSSL(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, content.Close()) }()
	kernel, prices := pricesOf(assumed)
	kernel.Cookies = true
	prices.Most = 5 * time.Microsecond
	all, missing, err := libraries[0].probes(content, kernel, &prices)
	require.NoError(t, err)
	require.NoError(t, missing)
	places := map[bpf.TLSProgram]int{}
	for _, p := range all {
		places[p.Program]++
		require.Equal(t, p.Program == bpf.TLSCopied, p.Copied != bpf.TLSCopy{})
	}
	require.NotZero(t, places[bpf.TLSCopied])
	require.Equal(t, 2, places[bpf.TLSHandshake], "of servers and clients")
	require.Equal(t, 1, places[bpf.TLSWrite])
	require.Zero(t, places[bpf.TLSRead]+places[bpf.TLSReadCounted]+places[bpf.TLSReadReturn])
}

func TestWhereArgumentsOfACopyAre(t *testing.T) {
	stack := func(above uint16) probesite.Place { return probesite.Place{OnStack: true, Above: above} }
	register := probesite.Place{Register: probesite.R13}
	for _, tt := range []struct {
		name      string
		arguments []probesite.Place
		want      bpf.TLSCopy
	}{
		{"on the stack", []probesite.Place{stack(0x28), stack(4), stack(0)}, bpf.TLSCopy{Session: 10, Kind: 1}},
		{"far up", []probesite.Place{stack(0x110), stack(0x13c), stack(0x138)}, bpf.TLSCopy{Kind: 11, Peek: 10, Window: 0x110}},
		{"in registers", []probesite.Place{register, register, register}, bpf.TLSCopy{Session: 0x8d, Kind: 0x8d, Peek: 0x8d}},
		{"in both", []probesite.Place{register, stack(0x1c), stack(0x18)}, bpf.TLSCopy{Session: 0x8d, Kind: 1, Window: 0x18}},
	} {
		got, err := copyOf(tt.arguments)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, got, tt.name)
	}
	for name, arguments := range map[string][]probesite.Place{
		"too far":     {stack(0x48), stack(4), stack(8)},
		"not aligned": {stack(10), stack(4), stack(8)},
	} {
		_, err := copyOf(arguments)
		require.ErrorIs(t, err, probesite.ErrNoSite, name)
	}
}

func TestTooDear(t *testing.T) {
	p := &probed{}
	f := newTestFinder(t, p, time.Nanosecond)
	pid := userOf(t, systemOpenSSL(t))
	f.look(pid)
	require.Empty(t, p.now)
	require.Contains(t, f.Why(pid), errTooDear.Error())
}

func TestAttachFails(t *testing.T) {
	p := &probed{err: errors.New("refused")}
	f := newTestFinder(t, p, time.Minute)
	pid := userOf(t, systemOpenSSL(t))
	f.look(pid)
	f.publish()
	require.False(t, f.Libraries()[0].Read)
	require.Contains(t, f.Why(pid), "refused")
}

// What says nothing about the library is neither noted nor logged.
func TestEndsMeanwhile(t *testing.T) {
	for name, err := range map[string]error{"the process": os.ErrNotExist, "the agent": os.ErrClosed} {
		t.Run(name, func(t *testing.T) {
			p := &probed{err: err}
			f := newTestFinder(t, p, time.Minute)
			logged, logs := observer.New(zap.WarnLevel)
			f.cfg.Log = zap.New(logged)
			pid := userOf(t, systemOpenSSL(t))
			f.look(pid)
			require.Empty(t, f.files)
			p.err = nil
			f.look(pid)
			require.Len(t, p.now, 1, "it is tried again")
			require.Zero(t, logs.Len())
		})
	}
}

func TestProbingAgainFails(t *testing.T) {
	for err, lines := range map[error]int{os.ErrClosed: 0, errors.New("refused"): 1} {
		f := newTestFinder(t, nil, time.Minute)
		logged, logs := observer.New(zap.WarnLevel)
		f.cfg.Log = zap.New(logged)
		content, errOpen := os.Open(systemOpenSSL(t))
		require.NoError(t, errOpen)
		f.hold(&file{content: content}, 0, func(string) (io.Closer, error) { return nil, err })
		require.NoError(t, content.Close())
		require.Equal(t, lines, logs.Len(), err)
	}
}

func TestRun(t *testing.T) {
	p := &probed{}
	f := newTestFinder(t, p, time.Minute)
	quit := make(chan struct{})
	done := make(chan struct{})
	go func() { defer close(done); f.Run(quit, func() {}) }()
	f.Started(userOf(t, systemOpenSSL(t)))
	require.Eventually(t, func() bool { return len(f.Libraries()) > 0 }, time.Minute, 5*time.Millisecond)
	close(quit)
	<-done
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.now) == 0
	}, time.Minute, 5*time.Millisecond)
}

func TestReason(t *testing.T) {
	require.Equal(t, "Java's own TLS", reason(nil, []mapping{{path: "/usr/lib/jvm/bin/java"}}))
	require.Equal(t, ReasonUnknown, reason(nil, []mapping{{path: "/usr/bin/other"}}))
	require.Equal(t, "OpenSSL: no", reason([]*file{{Library: Library{Name: "OpenSSL", Reason: "no"}}}, nil))
}

func TestLibraryOf(t *testing.T) {
	for path, want := range map[string]string{
		"/lib/libssl.so.3": "OpenSSL", "/opt/libssl-91cf.so.1.1": "OpenSSL", "/lib/libgnutls.so.30": "GnuTLS", "/lib/libssl3.so": "", "/bin/libssl": "",
	} {
		name := ""
		if l := libraryOf(path); l != nil {
			name = l.name
		}
		require.Equal(t, want, name, path)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o755)) //nolint:gosec // a library has to be executable
}
