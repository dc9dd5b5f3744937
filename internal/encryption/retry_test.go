package encryption

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
)

// failure is how bpf tells of one.
func failure(err error) error { return fmt.Errorf("bpf: probing a file: %w", err) }

// A file that could not be probed for a reason that passes is tried again, less and less
// often, and told once. All who use it get to know.
func TestPassingFailuresAreTriedAgain(t *testing.T) {
	p := &probed{err: failure(unix.ENOMEM)}
	f := newTestFinder(t, p, time.Minute)
	logged, logs := observer.New(zap.WarnLevel)
	f.cfg.Log = zap.New(logged)
	one, two := userOf(t, systemOpenSSL(t)), userOf(t, systemOpenSSL(t))
	f.look(one)
	f.look(two)
	require.Equal(t, 1, p.tries)
	require.Contains(t, f.Why(two), "cannot allocate memory")

	began := time.Now()
	f.sweep(began)
	require.Equal(t, 1, p.tries, "it is too early")
	f.sweep(began.Add(firstRetry + time.Minute))
	require.Equal(t, 2, p.tries, "once for all who use it")
	for _, known := range f.files {
		require.Equal(t, 2*firstRetry, known.again.after)
	}
	p.err = nil
	f.sweep(time.Now().Add(firstRetry))
	require.Equal(t, 2, p.tries, "later than the first time")
	f.sweep(time.Now().Add(2*firstRetry + time.Minute))
	require.Equal(t, 3, p.tries)
	require.Len(t, p.now, 1)
	for _, pid := range []uint32{one, two} {
		require.Equal(t, ReasonUnmatched, f.Why(pid))
	}
	f.sweep(time.Now().Add(lastRetry + time.Minute))
	require.Equal(t, 3, p.tries, "it is followed")
	require.Equal(t, 1, logs.Len())
}

// What a file is refused for stays.
func TestRefusalsAreNotTriedAgain(t *testing.T) {
	p := &probed{err: failure(unix.EPERM)}
	f := newTestFinder(t, p, time.Minute)
	f.look(userOf(t, systemOpenSSL(t)))
	f.sweep(time.Now().Add(lastRetry + time.Minute))
	require.Equal(t, 1, p.tries)
}

func TestWhatPasses(t *testing.T) {
	for _, err := range []error{unix.EINTR, unix.EAGAIN, unix.ENOMEM, unix.EBUSY, unix.EMFILE, errReplaced, bpf.ErrManyFiles} {
		require.True(t, passes(failure(err)), err)
	}
	for _, err := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, errTooDear, errNoFunctions, errors.New("other")} {
		require.False(t, passes(failure(err)), err)
	}
	var r retry
	now := time.Now()
	for range 20 {
		r = r.failed(unix.EAGAIN, now)
		require.False(t, r.due(now))
		require.True(t, r.due(now.Add(lastRetry)))
	}
	require.Equal(t, lastRetry, r.after)
	require.False(t, r.failed(unix.EPERM, now).due(now.Add(time.Hour)))
}

// A file that takes the place of another while it is looked at is not taken for it.
func TestFileIsReplacedMeanwhile(t *testing.T) {
	library := filepath.Join(t.TempDir(), "libssl.so.3")
	copyFile(t, systemOpenSSL(t), library)
	id, v, err := identify(library)
	require.NoError(t, err)
	p := &probed{}
	f := newTestFinder(t, p, time.Minute)
	known := &file{version: v}
	require.NoError(t, os.Rename(library, library+".old"))
	copyFile(t, systemOpenSSL(t), library)
	require.ErrorIs(t, f.probe(known, id, library, libraryOf(library)), errReplaced)
	require.NoError(t, os.WriteFile(library, []byte("half of it"), 0o644))
	require.ErrorIs(t, f.probe(known, id, library, libraryOf(library)), errReplaced)
	require.Zero(t, p.tries)
	require.NoError(t, f.probe(known, id, library+".old", libraryOf(library)))
	f.drop(known)
}

// Who cannot be probed again after a pause is tried later.
func TestProbingAgainIsTriedAgain(t *testing.T) {
	p := &probed{}
	f := newTestFinder(t, p, time.Minute)
	logged, logs := observer.New(zap.WarnLevel)
	f.cfg.Log = zap.New(logged)
	pid := userOf(t, systemOpenSSL(t))
	f.look(pid)
	require.Len(t, f.users[pid], 1)
	u := f.users[pid][0]
	require.NoError(t, u.detach())
	p.err = failure(unix.EINTR)
	for range 2 {
		f.hold(u, 0, func(path string) (io.Closer, error) { return p.AttachTLS(path, u.sites) })
	}
	require.Equal(t, 1, logs.Len())
	p.err = nil
	f.sweep(time.Now())
	require.Empty(t, u.probes)
	f.sweep(time.Now().Add(lastRetry))
	require.Len(t, u.probes, 1)
	require.Equal(t, retry{}, u.again)
}
