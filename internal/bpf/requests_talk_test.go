package bpf

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// talks are what helpers do with sockets, both ends in one process, so that
// every call and its order are known.
var talks = map[string]func() error{
	"bursts":       talkBursts,
	"frames":       talkFrames,
	"plain":        talkPlain,
	"frames asked": talkFramesAsked,
	"multiplexed":  talkMultiplexed,
	"datagrams":    talkDatagrams,
	"messages":     talkMessages,
	"mistaken":     talkMistaken,
	"nothing":      talkNothing,
	"overload":     talkOverload,
	"uring":        talkURing,
	"gotls":        talkGoTLS,
	"lazy gotls":   talkLazily,
	"kerneltls":    talkKernelTLS,
}

// talk plays the part of a helper.
func talk(play func() error) int {
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// connection makes two connected TCP sockets.
func connection() (client, server int, err error) {
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(l)
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, 0, err
	}
	if err := unix.Listen(l, 1); err != nil {
		return 0, 0, err
	}
	at, err := unix.Getsockname(l)
	if err != nil {
		return 0, 0, err
	}
	if client, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, err
	}
	if err := unix.Connect(client, at); err != nil {
		return 0, 0, err
	}
	if server, _, err = unix.Accept(l); err != nil {
		return 0, 0, err
	}
	for _, fd := range []int{client, server} {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return 0, 0, err
		}
	}
	return client, server, nil
}

// say moves a message from one socket to the other, with a call for each end.
func say(from, to int, text []byte) error {
	if n, err := unix.Write(from, text); err != nil || n != len(text) {
		return fmt.Errorf("%d bytes written of %d: %w", n, len(text), err)
	}
	b := make([]byte, len(text))
	if n, err := unix.Read(to, b); err != nil || n != len(text) {
		return fmt.Errorf("%d bytes read of %d: %w", n, len(text), err)
	}
	return nil
}

// heard runs a helper under a running request capture and returns the records of
// its calls in the order of the ring.
func heard(t *testing.T, opts Options, part string, args ...string) []event.Request {
	t.Helper()
	requireRoot(t)
	opts.Requests = true
	a, err := Load(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	cmd := helper(t, part, args...)
	require.NoError(t, cmd.Run())
	return drain(t, a, cmd.Process.Pid)
}

// drain returns the records of a process's calls that wait in the ring.
func drain(t *testing.T, a *Agent, pid int) (all []event.Request) {
	t.Helper()
	var ev event.Event
	_, err := a.Requests().Drain(func(raw []byte) {
		require.NoError(t, event.Decode(raw, &ev))
		if ev.Type != event.TypeData || ev.Key.TGID != uint32(pid) {
			return
		}
		r := ev.Request
		r.Payload, r.Tail, r.Excerpts = slices.Clone(r.Payload), slices.Clone(r.Tail), slices.Clone(r.Excerpts)
		all = append(all, r)
	})
	require.NoError(t, err)
	return all
}

// startsWith is a signature.
func startsWith(class uint8, text string, bound uint16) event.Signature {
	s := event.Signature{Class: class, Bound: bound}
	for i := range min(len(text), event.SignatureBytes) {
		s.Value[i], s.Mask[i] = text[i], 0xff
	}
	return s
}
