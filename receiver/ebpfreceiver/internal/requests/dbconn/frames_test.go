package dbconn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// header is one byte: the length of what follows; 255 is none.
var header = Header{
	Size:   1,
	Length: func(head []byte) (uint64, bool) { return uint64(head[0]), head[0] != 255 },
	Keep:   func([]byte) int { return 3 },
}

func TestFrames(t *testing.T) {
	var f Frames
	next := func(c *Cursor, want Found, body string, length uint64) {
		t.Helper()
		m, found := f.Next(c, &header)
		require.Equal(t, want, found)
		if want == Whole {
			require.Equal(t, body, string(m.Body))
			require.Equal(t, length, m.Len)
			require.Equal(t, uint64(len(body)) < length, m.Cut())
		}
	}
	c := Cursor{Data: []byte("\x02ab\x00\x05cd")}
	next(&c, Whole, "ab", 2)
	require.True(t, f.Between())
	next(&c, Whole, "", 0)
	next(&c, More, "", 0)
	require.False(t, f.Between())
	c = Cursor{Data: []byte("efg\x04"), Unseen: 4}
	next(&c, Whole, "cde", 5) // as much as is kept of one in parts
	next(&c, Whole, "", 4)    // not at hand
	require.Zero(t, c.Left())
	c = Cursor{Unseen: 1}
	next(&c, Lost, "", 0)
	c = Cursor{Data: []byte{255}}
	next(&c, Foreign, "", 0)
	f.Reset()
	c = Cursor{Data: []byte("\x09a")}
	next(&c, More, "", 0)
	require.False(t, f.Survives(8), "the end may be in it")
	require.True(t, f.Survives(7))
	c = Cursor{Data: []byte("z\x01")}
	next(&c, Whole, "a", 9)
}

func TestLines(t *testing.T) {
	var l Lines
	next := func(c *Cursor, want Found, text string) {
		t.Helper()
		line, found := l.Next(c, 8)
		require.Equal(t, want, found)
		require.Equal(t, text, string(line))
	}
	c := Cursor{Data: []byte("ab\r\ncd\nef")}
	next(&c, Whole, "ab")
	next(&c, Whole, "cd")
	next(&c, More, "")
	require.True(t, l.Begun())
	c = Cursor{Data: []byte("g\r\nh"), Unseen: 5}
	next(&c, Whole, "efg")
	next(&c, Lost, "")
	l.Reset()
	c = Cursor{Data: []byte("123456789")}
	next(&c, Foreign, "")
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "17": 17, "-1": -1, "999999999999999": 999999999999999} {
		n, ok := Number([]byte(text))
		require.True(t, ok, text)
		require.Equal(t, want, n)
	}
	for _, text := range []string{"", "-", "1x", "+1", "1000000000000000", " 1"} {
		_, ok := Number([]byte(text))
		require.False(t, ok, text)
	}
}
