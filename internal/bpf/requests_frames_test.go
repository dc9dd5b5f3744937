package bpf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// Kinds of HTTP/2 frames.
const (
	kindData     = 0
	kindHeaders  = 1
	kindSettings = 4
)

// frame is one of HTTP/2, whose payload says which it is.
func frame(kind byte, stream uint32, n int) []byte {
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, 0}
	b = binary.BigEndian.AppendUint32(b, stream)
	return append(b, bytes.Repeat([]byte{'a' + byte(stream%26)}, n)...)
}

// framesAsked and framesAnswered are what the two sides of a connection say, in the
// pieces of its calls: short and long ones, headers that two calls share, blocks
// behind long bodies.
func framesAsked() [][]byte {
	text := joined([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(kindSettings, 0, 0), frame(kindHeaders, 1, 300))
	return [][]byte{text[:100], text[100:], frame(kindHeaders, 3, 40)}
}

// framesAskedLong is what clients say whose first request comes right behind what they
// begin with, by a call of its own or not, in calls that are longer than what is copied;
// the last body is longer than most peers take.
func framesAskedLong() [][][]byte {
	begins := joined([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(kindSettings, 0, 12))
	rest := joined(
		frame(kindHeaders, 1, 300), frame(kindData, 1, 30000), frame(kindHeaders, 3, 200), frame(kindData, 3, 3<<20), frame(kindHeaders, 5, 50),
	)
	cut := func(text []byte) [][]byte { return slices.Collect(slices.Chunk(text, 31000)) }
	return [][][]byte{append([][]byte{begins}, cut(rest)...), cut(joined(begins, rest))}
}

func framesAnswered() [][]byte {
	first := joined(frame(kindSettings, 0, 18), frame(kindHeaders, 1, 100))
	bodies := joined(
		frame(kindData, 1, 8000), frame(kindData, 3, 16384), frame(kindHeaders, 3, 700), frame(kindData, 1, 20000),
		frame(kindHeaders, 1, 30), frame(kindData, 5, 3), frame(kindHeaders, 5, 10),
	)
	return [][]byte{first, bodies[:8000+4], bodies[8000+4 : 30000], bodies[30000 : len(bodies)-20], bodies[len(bodies)-20:]}
}

func joined(all ...[]byte) []byte { return bytes.Join(all, nil) }

// sayInParts is say by writev, in parts of n bytes.
func sayInParts(from, to int, text []byte, n int) error {
	if n == 0 {
		return say(from, to, text)
	}
	var parts [][]byte
	for rest := text; len(rest) > 0; {
		k := min(n, len(rest))
		parts, rest = append(parts, rest[:k]), rest[k:]
	}
	if k, err := unix.Writev(from, parts); err != nil || k != len(text) {
		return fmt.Errorf("%d bytes written of %d: %w", k, len(text), err)
	}
	b := make([]byte, len(text))
	if k, err := unix.Read(to, b); err != nil || k != len(text) {
		return fmt.Errorf("%d bytes read of %d: %w", k, len(text), err)
	}
	return nil
}

// framesParts are the lengths of the parts in which the answers are written; 0: one.
var framesParts = []int{0, 501, 1000}

func talkFrames() error {
	for _, n := range framesParts {
		client, server, err := connection()
		if err != nil {
			return err
		}
		for _, fd := range []int{client, server} {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20); err != nil {
				return err
			}
		}
		for _, b := range framesAsked() {
			if err := say(client, server, b); err != nil {
				return err
			}
		}
		for _, b := range framesAnswered() {
			if err := sayInParts(server, client, b, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestFrames: of segments that are longer than what is copied, the beginning of
// each frame is there, wherever it lies, and header blocks are whole.
func TestFrames(t *testing.T) {
	s := startsWith(3, "PRI * HTTP/2.0\r\n", event.MaxPayload)
	s.Every, s.Frames = true, event.Framing{HTTP2: true}
	got := heard(t, Options{Signatures: []event.Signature{s}}, "frames")
	asked, answered := framesAsked(), framesAnswered()
	require.Equal(t, 2*len(framesParts)*(len(asked)+len(answered)), len(got)) //nolint:testifylint // Len would print them all

	streams := map[uint64]*framesSeen{}
	for i := range got {
		r := &got[i]
		if streams[r.Socket] == nil {
			streams[r.Socket] = &framesSeen{}
		}
		if r.Role == event.RoleServer == (r.Direction == event.Send) {
			streams[r.Socket].add(t, r)
		}
	}
	require.Len(t, streams, 2*len(framesParts))
	text := bytes.Join(answered, nil)
	for _, f := range streams {
		f.check(t, text, 0)
	}
}

// talkFramesAsked has a connection begin with long requests, behind another one on the
// same CPU in which the place of the frames has to be found.
func talkFramesAsked() error {
	runtime.LockOSThread()
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return err
	}
	first := 0
	for !allowed.IsSet(first) {
		first++
	}
	one.Set(first)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	client, server, err := connection()
	if err != nil {
		return err
	}
	if err := say(server, client, frame(kindSettings, 0, 18)); err != nil { // nothing tells what this is
		return err
	}
	for _, b := range framesAsked() {
		if err := say(client, server, b); err != nil {
			return err
		}
	}
	if err := say(server, client, frame(kindHeaders, 1, 50)); err != nil {
		return err
	}
	for _, calls := range framesAskedLong() {
		if client, server, err = connection(); err != nil {
			return err
		}
		for _, b := range calls {
			if err := say(client, server, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestFramesAsked: of a connection that was followed from its first byte, no frame is
// missed, however long it is, and whatever was looked for in others before.
func TestFramesAsked(t *testing.T) {
	s := startsWith(3, "PRI * HTTP/2.0\r\n", event.MaxPayload)
	s.Every, s.Frames = true, event.Framing{HTTP2: true}
	got := heard(t, Options{Signatures: []event.Signature{s}}, "frames asked")
	long := framesAskedLong()
	for _, role := range []event.Role{event.RoleClient, event.RoleServer} {
		var all []*framesSeen // in the order of their connections
		streams := map[uint64]*framesSeen{}
		for i := range got {
			r := &got[i]
			if r.Role != role || r.Direction == event.Send != (role == event.RoleClient) {
				continue
			}
			if streams[r.Socket] == nil {
				streams[r.Socket] = &framesSeen{}
				all = append(all, streams[r.Socket])
			}
			streams[r.Socket].add(t, r)
		}
		require.Greater(t, len(all), len(long))
		for i, f := range all[len(all)-len(long):] {
			f.check(t, bytes.Join(long[i], nil), len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		}
	}
}

// framesSeen is what was copied of the answers at one end.
type framesSeen struct {
	text  []byte // zero where it was not
	known []bool
	kept  int
}

func (f *framesSeen) put(at uint64, b []byte) {
	for i, c := range b {
		f.text[at+uint64(i)], f.known[at+uint64(i)] = c, true
	}
	f.kept += len(b)
}

func (f *framesSeen) add(t *testing.T, r *event.Request) {
	t.Helper()
	require.EqualValues(t, len(f.text), r.Position)
	f.text, f.known = append(f.text, make([]byte, r.Bytes)...), append(f.known, make([]bool, r.Bytes)...)
	f.put(r.Position, r.Payload)
	for list := r.Excerpts; ; list.Next() {
		at, b, ok := list.Peek()
		if !ok {
			break
		}
		f.put(r.Position+at, b)
	}
}

// check checks it against all that was said, whose frames begin behind some bytes.
func (f *framesSeen) check(t *testing.T, text []byte, begin int) {
	t.Helper()
	require.Len(t, f.text, len(text))
	for at := begin; at < len(text); {
		n := 9 + int(binary.BigEndian.Uint32(text[at:])>>8)
		want := min(n, 9+23)
		if text[at+3] != kindData {
			want = n
		}
		for i := at; i < at+want; i++ {
			require.Truef(t, f.known[i], "byte %d of the frame at %d", i-at, at)
			require.Equal(t, text[i], f.text[i])
		}
		at += n
	}
	require.Less(t, f.kept, 5000, "bodies are not copied")
}
