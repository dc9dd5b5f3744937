package bpf

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// Bursts: so many long segments a round, of so many bytes.
const (
	burstRound  = 20
	burstLength = 20_000
	burstsFirst = 16 // that are told whole before anybody has asked, as in the C side
)

// burst is a long segment: each place of it says where it is.
func burst() []byte {
	var b []byte
	for len(b) < burstLength {
		b = fmt.Appendf(b, "%d ", len(b))
	}
	return b[:burstLength]
}

// talkBursts answers a request at length, again after each line of the input: in one
// buffer and in many parts by turns.
func talkBursts() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(server, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20); err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	for {
		if err := say(client, server, []byte("HELLO all")); err != nil {
			return err
		}
		for i := range burstRound {
			if err := sayInParts(server, client, burst(), i%2*700); err != nil {
				return err
			}
		}
		fmt.Println("said")
		if _, err := in.ReadString('\n'); err != nil {
			return nil //nolint:nilerr // the end
		}
	}
}

// TestBursts: long segments are told whole at first, and again when user space asks.
func TestBursts(t *testing.T) {
	requireRoot(t)
	s := startsWith(1, "HELLO", 512)
	s.Every, s.Apart = true, true
	a, err := Load(Options{Requests: true, Signatures: []event.Signature{s}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	cmd := helper(t, "bursts")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	for round, whole := range []int{burstsFirst, 0, burstRound} {
		_, err := lines.ReadString('\n')
		require.NoError(t, err)
		told := map[uint64][]event.Request{}
		for _, r := range drain(t, a, cmd.Process.Pid) {
			if r.Bytes > 512 {
				told[r.Socket] = append(told[r.Socket], r)
			}
		}
		require.Len(t, told, 2, "both ends")
		for socket, list := range told {
			requireBursts(t, list, whole)
			if round == 1 {
				require.NoError(t, a.Judge(socket, 0, 1, true))
			}
		}
		_, err = in.Write([]byte("\n"))
		require.NoError(t, err)
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}

// requireBursts makes sure that of the segments of a round the first ones were told
// whole, in several records, and of the others the beginning and the end.
func requireBursts(t *testing.T, list []event.Request, whole int) {
	t.Helper()
	text := burst()
	for n := range burstRound {
		var got []byte
		moved := uint64(0)
		for moved < burstLength {
			require.NotEmpty(t, list, "segment %d", n)
			r := &list[0]
			got, moved, list = append(got, r.Payload...), moved+r.Bytes, list[1:]
			if n < whole {
				require.Len(t, r.Payload, int(r.Bytes), "segment %d", n)
			}
		}
		if n < whole {
			require.True(t, bytes.Equal(text, got), "segment %d", n)
		} else {
			require.Equal(t, text[:512], got, "segment %d", n)
		}
	}
	require.Empty(t, list)
}
