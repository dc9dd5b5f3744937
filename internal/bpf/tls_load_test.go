package bpf

import (
	"fmt"
	"testing"
	"time"

	"github.com/cilium/ebpf/asm"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// newTestTLS are programs of which none is loaded yet.
func newTestTLS(t *testing.T) *probePrograms {
	t.Helper()
	requireRoot(t)
	a, err := Load(Options{Requests: true, TLS: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	p, err := a.newTLS(a.requests.(*capture))
	require.NoError(t, err)
	t.Cleanup(func() {
		select {
		case <-p.done:
		default: // the test has ended early
			p.unwanted.Store(true)
			_ = p.load()
		}
		p.close()
	})
	return p
}

// TestProgramsAreLoadedInTurn: what somebody waits for is loaded before the rest, and
// he does not wait for that.
func TestProgramsAreLoadedInTurn(t *testing.T) {
	p := newTestTLS(t)
	wants := []TLSProbe{{Program: TLSFree}, {Program: TLSCork}}
	attached := make(chan error)
	go func() {
		programs, err := p.await(wants)
		if err == nil && (programs[TLSFree] == nil || programs[TLSCork] == nil) {
			err = ErrNoTLS
		}
		attached <- err
	}()
	require.Equal(t, string(TLSWrite), p.next(), "most libraries need it")
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.wanted) == len(wants)
	}, patience, time.Millisecond)
	for range wants {
		name := p.next()
		require.True(t, p.wanted[name], name)
		one := p.programs[name]
		one.program, one.err = p.loadOne(name)
		close(one.ready)
	}
	require.NoError(t, <-attached)
	require.False(t, p.wanted[p.next()])

	_, err := p.await([]TLSProbe{{Program: "other"}})
	require.ErrorContains(t, err, "other")
	require.NoError(t, p.load(), "the rest")
}

// TestProgramThatIsRefused: a program that the kernel does not take in the fastest mode
// is loaded in the other one, and if it is refused there, too, those who need it are told.
func TestProgramThatIsRefused(t *testing.T) {
	p := newTestTLS(t)
	if p.slower == nil {
		t.Skip("this kernel has one mode (bpf_rdonly_cast is of Linux 6.2)")
	}
	broken := asm.Instructions{asm.Mov.Reg(asm.R0, asm.R5), asm.Return()} // R5 was never set
	for _, name := range []TLSProgram{TLSFree, TLSCork} {
		p.fastest.spec.Programs[string(name)].Instructions = broken
	}
	slower, err := p.slower()
	require.NoError(t, err)
	slower.spec.Programs[string(TLSCork)].Instructions = broken
	require.ErrorContains(t, p.load(), string(TLSCork))
	got, err := p.await([]TLSProbe{{Program: TLSFree}, {Program: TLSUncork}})
	require.NoError(t, err)
	info, err := got[TLSFree].Info()
	require.NoError(t, err)
	if n, ok := info.VerifiedInstructions(); ok {
		require.Greater(t, int(n), len(broken))
	}
	_, err = p.await([]TLSProbe{{Program: TLSFree}, {Program: TLSCork}})
	require.ErrorIs(t, err, ErrNoTLS)
}

// TestProgramIsTriedAgain: what could not be loaded for a reason that passes is loaded when
// somebody wants it later, and only then nobody needs what programs are made of.
func TestProgramIsTriedAgain(t *testing.T) {
	p := newTestTLS(t)
	fastest, slower, types := p.fastest, p.slower, p.types
	require.NoError(t, p.load())
	require.Nil(t, p.fastest)
	p.fastest, p.slower, p.types = fastest, slower, types
	free, cork := p.programs[string(TLSFree)], p.programs[string(TLSCork)]
	for one, why := range map[*probeProgram]error{free: unix.ENOMEM, cork: unix.EPERM} {
		require.NoError(t, one.program.Close())
		one.program, one.err = nil, fmt.Errorf("loading: %w", why)
	}
	p.trim()
	require.NotNil(t, p.fastest, "something is to be tried again")

	_, err := p.await([]TLSProbe{{Program: TLSUncork}})
	require.NoError(t, err)
	require.ErrorIs(t, free.err, unix.ENOMEM, "nobody has asked for it")
	got, err := p.await([]TLSProbe{{Program: TLSFree}})
	require.NoError(t, err)
	_, err = got[TLSFree].Info()
	require.NoError(t, err)
	recovered, failed := p.recovery()
	require.True(t, recovered)
	require.ErrorIs(t, failed, unix.EPERM)
	recovered, _ = p.recovery()
	require.False(t, recovered, "it is told once")
	require.Nil(t, p.fastest)
	_, err = p.await([]TLSProbe{{Program: TLSCork}})
	require.ErrorIs(t, err, unix.EPERM, "that stays")
}
