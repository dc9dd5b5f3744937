package bpf

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// mistakes is how often the conversation is repeated: more often than it takes
// the kernel side to look for a verdict.
const mistakes = 40

// talkMistaken says what two protocols may begin with, again after each line of
// the input.
func talkMistaken() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	for {
		for range mistakes {
			if err := say(client, server, []byte("HELLO what is it")); err != nil {
				return err
			}
		}
		fmt.Println("said")
		if _, err := in.ReadString('\n'); err != nil {
			return nil //nolint:nilerr // the end
		}
	}
}

// TestJudge: user space knows better which protocol a socket speaks, or that it
// speaks none.
func TestJudge(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{Requests: true, Signatures: []event.Signature{startsWith(1, "HE", 8), startsWith(2, "HELLO", 16)}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	cmd := helper(t, "mistaken")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	round := func() (last map[uint64]event.Request) {
		_, err := lines.ReadString('\n')
		require.NoError(t, err)
		last = map[uint64]event.Request{}
		for _, r := range drain(t, a, cmd.Process.Pid) {
			last[r.Socket] = r
		}
		return last
	}
	again := func() map[uint64]event.Request {
		_, err := in.Write([]byte("\n"))
		require.NoError(t, err)
		return round()
	}
	first := round()
	require.Len(t, first, 2)
	for socket, r := range first {
		require.EqualValues(t, 1, r.Class)
		require.Len(t, r.Payload, 8)
		require.NoError(t, a.Judge(socket, 1<<1, 2, false))
	}
	for _, r := range again() {
		require.EqualValues(t, 2, r.Class, "the class that it was told")
		require.Len(t, r.Payload, 16)
	}
	for socket := range first {
		require.NoError(t, a.Judge(socket, 1<<2, 0, false))
	}
	for socket, r := range again() {
		require.EqualValues(t, 1, r.Class, "another one that it found")
		require.NoError(t, a.Judge(socket, ^uint32(0), 0, false))
	}
	again()
	require.Empty(t, again(), "left alone")
	s, err := a.RequestStats()
	require.NoError(t, err)
	require.EqualValues(t, 6, s.Corrected)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}
