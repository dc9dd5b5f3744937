package bpf

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// talkNothing receives in ways that take nothing out of the stream and return 0,
// as its end does.
func talkNothing() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	b := make([]byte, 64)
	empty := func(n int, err error) error {
		if err == nil && n != 0 {
			return errors.New("want nothing")
		}
		return err
	}
	for _, do := range []func() error{
		func() error { return say(client, server, []byte("Q one")) },
		func() error { return empty(unix.Read(client, nil)) },
		func() error { return unix.SetsockoptInt(client, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1) },
		func() error { return unix.Sendto(client, []byte("Q two"), unix.MSG_ZEROCOPY, nil) },
		func() error { _, err := unix.Read(server, b); return err },
		// that the kernel is done with the bytes
		func() error {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(client)}}, -1)
			return err
		},
		func() error {
			n, _, _, _, err := unix.Recvmsg(client, nil, make([]byte, 256), unix.MSG_ERRQUEUE)
			return empty(n, err)
		},
		func() error { return say(server, client, []byte("R two")) },
		func() error { return unix.Close(server) },
		func() error { return empty(unix.Read(client, b)) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func TestNothingIsNoEnd(t *testing.T) {
	var got []string
	for _, r := range heard(t, Options{Signatures: []event.Signature{startsWith(5, "Q ", 64), startsWith(5, "R ", 64)}}, "nothing") {
		if r.Direction == event.Receive {
			got = append(got, string(r.Payload))
		}
	}
	require.Equal(t, []string{"Q one", "Q two", "R two", ""}, got)
}
