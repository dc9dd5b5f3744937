package unpack

import (
	"bytes"
	"compress/zlib"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
)

// texts are of several kinds and lengths.
func texts() map[string][]byte {
	noise := make([]byte, 70_000)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	mixed := bytes.Repeat(append([]byte("insert into things values "), noise[:300]...), 20)
	return map[string][]byte{
		"one byte": {7}, "short": []byte("find"), "the same": bytes.Repeat([]byte{'a'}, 10_000),
		"words": []byte(strings.Repeat("select name from users where id = ? ", 200)), "noise": noise, "mixed": mixed,
	}
}

// ways pack a text by a library, and unpack it.
var ways = map[string]struct {
	pack   func(text []byte) []byte
	unpack func(s *Streams, packed []byte, most int) []byte
	blocks bool // nothing comes out of a part of one
}{
	"LZ4": {pack: func(text []byte) []byte {
		dst := make([]byte, lz4.CompressBlockBound(len(text)))
		var c lz4.Compressor
		n, err := c.CompressBlock(text, dst)
		if err != nil || n == 0 {
			panic("not packed")
		}
		return dst[:n]
	}, unpack: func(_ *Streams, packed []byte, most int) []byte { return LZ4(nil, packed, most) }},
	"Snappy": {pack: func(text []byte) []byte { return snappy.Encode(nil, text) }, unpack: func(_ *Streams, packed []byte, most int) []byte {
		out, _ := Snappy(nil, packed, most)
		return out
	}},
	"zlib": {pack: func(text []byte) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write(text)
		_ = w.Close()
		return b.Bytes()
	}, unpack: func(s *Streams, packed []byte, most int) []byte { return s.Zlib(nil, packed, most) }},
	"Zstandard": {pack: func(text []byte) []byte {
		w, _ := zstd.NewWriter(nil)
		return w.EncodeAll(text, nil)
	}, unpack: func(s *Streams, packed []byte, most int) []byte { return s.Zstd(nil, packed, most) }, blocks: true},
}

// TestUnpack compares with what was packed, of which the beginning is asked for or
// at hand.
func TestUnpack(t *testing.T) {
	for name, way := range ways {
		var s Streams
		for kind, text := range texts() {
			packed := way.pack(text)
			for _, most := range []int{len(text), 1, 100, 4096} {
				require.Equal(t, text[:min(most, len(text))], way.unpack(&s, packed, most), "%s, %s, %d", name, kind, most)
			}
			for cut := 0; cut < len(packed); cut += 1 + len(packed)/50 {
				got := way.unpack(&s, packed[:cut], 4096)
				require.True(t, bytes.HasPrefix(text, got), "%s, %s, cut at %d", name, kind, cut)
			}
			half := way.unpack(&s, packed[:len(packed)*3/4], 100)
			if !way.blocks && len(text) > 5000 {
				require.NotEmpty(t, half, "%s, %s", name, kind)
			}
		}
	}
}

func TestSnappyLength(t *testing.T) {
	_, n := Snappy(nil, snappy.Encode(nil, make([]byte, 5000)), 10)
	require.EqualValues(t, 5000, n)
	for _, bad := range []string{"", "\xff", "\xff\xff\xff\xff\x7f"} {
		_, n = Snappy(nil, []byte(bad), 10)
		require.Zero(t, n)
	}
}

// FuzzUnpack: nothing that is packed in any way makes more come out than is asked
// for, and blocks that a library takes come out as there.
func FuzzUnpack(f *testing.F) {
	for _, text := range texts() {
		for _, way := range ways {
			f.Add(way.pack(text[:min(len(text), 2000)]))
		}
	}
	const most = 4096
	f.Fuzz(func(t *testing.T, packed []byte) {
		var s Streams
		for name, way := range ways {
			require.LessOrEqual(t, len(way.unpack(&s, packed, most)), most, name)
		}
		if n, err := snappy.DecodedLen(packed); err == nil && n <= most {
			if want, err := snappy.Decode(nil, packed); err == nil {
				got, _ := Snappy(nil, packed, most)
				require.Equal(t, len(want), len(got)) //nolint:testifylint // Len would print them
				require.True(t, bytes.Equal(want, got))
			}
		}
		dst := make([]byte, most)
		if n, err := lz4.UncompressBlock(packed, dst); err == nil {
			require.True(t, bytes.HasPrefix(LZ4(nil, packed, most), dst[:n]))
		}
	})
}
