package bpf

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// multiplexed is a conversation of which only the beginning is known by its
// looks: who speaks (the client at even places) and how much.
var multiplexed = []int{24, 9, 500, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 700, 700, 9}

func multiplexedText(i int) []byte {
	if i == 0 {
		return []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	}
	return bytes.Repeat([]byte{byte(i)}, multiplexed[i])
}

func talkMultiplexed() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	for i := range multiplexed {
		from, to := client, server
		if i%2 == 1 {
			from, to = server, client
		}
		// twice, so that not every segment begins a turn
		for range 2 {
			if err := say(from, to, multiplexedText(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestEverySegment: once such a socket is known, the beginning of each segment
// of either side is copied, whatever it looks like and for how long it goes on.
func TestEverySegment(t *testing.T) {
	const bound = 512
	s := startsWith(3, "PRI * HT", bound)
	s.Every = true
	got := heard(t, Options{Signatures: []event.Signature{s}}, "multiplexed")
	require.Equal(t, 4*len(multiplexed), len(got)) //nolint:testifylint // Len would print them all
	for n := range got {
		r, want := &got[n], multiplexedText(n/4)
		require.EqualValues(t, 3, r.Class, n)
		require.EqualValues(t, len(want), r.Bytes, n)
		require.Equal(t, want[:min(len(want), bound)], r.Payload, n)
		require.Zero(t, r.Flags&event.RequestBoring, n)
		if len(want) > bound {
			require.Equal(t, want[len(want)-8:], r.Tail, n)
		}
	}
}
