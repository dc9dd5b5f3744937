package bpf

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// plainFrames is how the frames of this test look: as those of AMQP.
var plainFrames = event.Framing{
	Header: 7, Length: 3, Rest: 1, Kinds: 1<<1 | 1<<2 | 1<<3, Longest: 1 << 20, Keep: 1000, Bulk: 3,
}

const plainBeginning = "\x01\x00\x01\x00\x00\x00\x05hello\xce"

// plainText is what is said: frames of all lengths, most of them short, and where
// they begin.
func plainText() (all []byte, begins []int) {
	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same each time
	all = append(all, plainBeginning+plainBeginning...)
	for len(all) < 3<<20 {
		kind, length := byte(1+r.IntN(3)), r.IntN(60)
		switch r.IntN(64) {
		case 0:
			length = r.IntN(3000)
		case 1, 2:
			kind, length = plainFrames.Bulk, r.IntN(40000)
		}
		begins = append(begins, len(all))
		all = append(all, kind, 0, byte(r.IntN(9)))
		all = binary.BigEndian.AppendUint32(all, uint32(length))
		for range length {
			all = append(all, byte(r.Uint32()))
		}
		all = append(all, 0xce)
	}
	return all, begins
}

// talkPlain says it in calls that end anywhere, of one buffer or of up to 200.
func talkPlain() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	all, _ := plainText()
	for range 2 { // by the first it is known what comes, by the second where its frames begin
		if err := say(client, server, all[:len(plainBeginning)]); err != nil {
			return err
		}
		all = all[len(plainBeginning):]
	}
	r := rand.New(rand.NewPCG(9, 9)) //nolint:gosec // the same each time
	buf := make([]byte, 1<<20)
	for len(all) > 0 {
		n := min(16+r.IntN(50000), len(all))
		if r.IntN(2) == 0 {
			n, err = unix.Write(client, all[:n])
		} else {
			n, err = unix.Writev(client, cut(r, all[:n], 1+2*n/200))
		}
		if err != nil {
			return err
		}
		all = all[n:]
		for n > 0 {
			k, err := unix.Read(server, buf[:16+r.IntN(60000)])
			if err != nil {
				return err
			}
			n -= k
		}
	}
	return nil
}

// cut makes parts of up to most bytes.
func cut(r *rand.Rand, b []byte, most int) (parts [][]byte) {
	for len(b) > 0 {
		n := min(1+r.IntN(most), len(b))
		parts, b = append(parts, b[:n]), b[n:]
	}
	return parts
}

// TestPlainFrames: of calls that move many frames, all headers are copied, and of
// bodies as much as the framing says.
func TestPlainFrames(t *testing.T) {
	s := startsWith(3, plainBeginning[:7], event.MaxPayload)
	s.Every, s.Frames = true, plainFrames
	got := heard(t, Options{Signatures: []event.Signature{s}, RequestsRing: 32 << 20}, "plain")
	all, begins := plainText()
	for _, d := range []event.Direction{event.Send, event.Receive} {
		f := framesSeen{}
		for i := range got {
			if got[i].Direction == d {
				f.add(t, &got[i])
			}
		}
		require.Len(t, f.text, len(all))
		for _, begin := range begins {
			length := int(binary.BigEndian.Uint32(all[begin+3:])) + int(plainFrames.Rest)
			want := int(plainFrames.Header)
			if all[begin] != plainFrames.Bulk {
				want += min(length, int(plainFrames.Keep))
			}
			require.False(t, slices.Contains(f.known[begin:begin+want], false), "frame %d of %d bytes at %d", all[begin], length, begin)
			require.True(t, bytes.Equal(all[begin:begin+want], f.text[begin:begin+want]))
		}
		require.Less(t, f.kept, len(all)/2)
		t.Logf("%d of %d bytes were copied, for %d frames, in %d records", f.kept, len(all), len(begins), len(got))
	}
}
