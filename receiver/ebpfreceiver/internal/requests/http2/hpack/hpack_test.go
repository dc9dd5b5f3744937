package hpack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestStaticTable(t *testing.T) {
	require.Len(t, static, 62)
	require.Equal(t, ":authority", string(static[1].Name))
	require.Equal(t, "www-authenticate", string(static[61].Name))
}

// read decodes a block to lines; what is not known is a question mark.
func read(d *Decoder, block []byte) (lines []string, state State) {
	r := d.Read(block)
	var f Field
	for r.Next(&f) {
		name, value := string(f.Name), string(f.Value)
		if f.Name == nil {
			name = "?"
			if f.Value == nil {
				value = "?"
			}
		}
		lines = append(lines, name+": "+value)
	}
	return lines, r.State
}

func newDecoder() *Decoder {
	d := &Decoder{}
	d.Reset()
	return d
}

// Examples of RFC 7541, appendix C.4: three requests with Huffman codes.
func TestExamples(t *testing.T) {
	d := newDecoder()
	for _, tt := range []struct {
		block string
		want  []string
	}{
		{"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff", []string{
			":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com",
		}},
		{"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf", []string{
			":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache",
		}},
		{"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf", []string{
			":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value",
		}},
	} {
		lines, state := read(d, []byte(tt.block))
		require.Equal(t, Fine, state)
		require.Equal(t, tt.want, lines)
	}
}

func TestStates(t *testing.T) {
	for _, tt := range []struct {
		name, block string
		want        State
	}{
		{"empty", "", Fine},
		{"index 0", "\x80", Bad},
		{"an integer that does not end", "\xff\xff", Cut},
		{"an integer that is too large", "\xff\xff\xff\xff\xff\xff\xff", Bad},
		{"no value", "\x41", Cut},
		{"half a value", "\x41\x05abc", Cut},
		{"an empty name", "\x40\x00\x01a", Fine},
		{"bad Huffman code", "\x41\x84\xff\xff\xff\xff", Bad},
		{"sizes at the beginning", "\x20\x3f\xe1\x1f\x82", Fine},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, state := read(newDecoder(), []byte(tt.block))
			require.Equal(t, tt.want, state)
		})
	}
}

// encoder makes the blocks of a random conversation.
type encoder struct {
	r   *rand.Rand
	buf bytes.Buffer
	enc *hpack.Encoder
}

func newEncoder(r *rand.Rand) *encoder {
	e := &encoder{r: r}
	e.enc = hpack.NewEncoder(&e.buf)
	e.enc.SetMaxDynamicTableSizeLimit(1 << 20)
	return e
}

// block makes a block and the lines that it means.
func (e *encoder) block() (block []byte, lines []string) {
	r := e.r
	if r.IntN(10) == 0 {
		e.enc.SetMaxDynamicTableSize(uint32(r.IntN(9000)))
	}
	e.buf.Reset()
	for range 1 + r.IntN(8) {
		f := hpack.HeaderField{Name: fmt.Sprintf("n%d", r.IntN(6)), Value: fmt.Sprint(r.IntN(8)), Sensitive: r.IntN(12) == 0}
		switch r.IntN(12) {
		case 0:
			f.Name, f.Value = ":method", "GET"
		case 1:
			f.Name = "content-type"
		case 2:
			f.Value = strings.Repeat("v", r.IntN(6000))
		case 3:
			f.Value = strings.Repeat("\x01", r.IntN(300)) // longer as a Huffman code
		}
		_ = e.enc.WriteField(f)
		lines = append(lines, f.Name+": "+f.Value)
	}
	return bytes.Clone(e.buf.Bytes()), lines
}

// What is read from the beginning is all known, as long as the encoder's table
// is no larger than ours.
func TestAgainstEncoder(t *testing.T) {
	for seed := range uint64(200) {
		e := newEncoder(rand.New(rand.NewPCG(seed, 1)))
		d := newDecoder()
		for range 60 {
			block, want := e.block()
			lines, state := read(d, block)
			require.Equal(t, Fine, state)
			require.Equal(t, want, lines, "seed %d", seed)
			requireTable(t, &d.table)
		}
	}
}

// Blocks are lost, and reading may begin anywhere: what is told to be known is
// true, and what is inserted later is known again.
func TestLosses(t *testing.T) {
	unknownLines := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		e := newEncoder(r)
		d := newDecoder()
		for range r.IntN(20) {
			e.block()
		}
		for range 60 {
			block, want := e.block()
			switch r.IntN(20) {
			case 0:
				d.Lose()
				continue
			case 1:
				block = block[:r.IntN(len(block))]
			}
			lines, state := read(d, block)
			require.NotEqual(t, Bad, state)
			if state == Cut || len(lines) < len(want) {
				d.Lose()
			}
			for i, line := range lines {
				name, value, _ := strings.Cut(line, ": ")
				wantName, wantValue, _ := strings.Cut(want[i], ": ")
				if name == "?" || value == "?" {
					unknownLines++
				}
				require.True(t, name == "?" || name == wantName, "seed %d: %s for %s", seed, line, want[i])
				require.True(t, value == "?" || value == wantValue, "seed %d", seed)
			}
		}
	}
	require.Positive(t, unknownLines)
}

func requireTable(t *testing.T, tb *table) {
	t.Helper()
	size := 0
	for i := range tb.n {
		size += tb.at(i).size()
	}
	require.Equal(t, size, tb.size)
	require.LessOrEqual(t, tb.size, MaxSize)
	memory := 0
	for i := range tb.ring {
		memory += cap(tb.ring[i].bytes)
	}
	require.LessOrEqual(t, memory, 4*MaxSize+len(tb.ring)*2*keepEntry)
}

func TestAllocates(t *testing.T) {
	alloctest.NotRaced(t)
	e := newEncoder(rand.New(rand.NewPCG(1, 1)))
	e.enc.SetMaxDynamicTableSize(4096)
	d := newDecoder()
	var blocks [2][]byte
	for i := range blocks {
		e.buf.Reset()
		for _, name := range []string{":path", ":authority", "user-agent"} {
			_ = e.enc.WriteField(hpack.HeaderField{Name: name, Value: "/a.b/c"})
		}
		_ = e.enc.WriteField(hpack.HeaderField{Name: "traceparent", Value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Sensitive: true})
		blocks[i] = bytes.Clone(e.buf.Bytes())
	}
	n := 0
	play := func() {
		for _, b := range blocks {
			r := d.Read(b)
			var f Field
			for r.Next(&f) {
				n++
			}
		}
	}
	for range 200 { // every slot of the ring has its memory
		play()
	}
	require.Zero(t, alloctest.PerRun(100, play))
}

func FuzzDecoder(f *testing.F) {
	e := newEncoder(rand.New(rand.NewPCG(1, 3)))
	for range 8 {
		a, _ := e.block()
		b, _ := e.block()
		f.Add(a, b)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		d := newDecoder()
		for _, block := range [][]byte{a, b, a} {
			_, state := read(d, block)
			if state != Fine {
				d.Lose()
			}
			requireTable(t, &d.table)
		}
		// A block that the reference takes whole means the same here.
		ref := hpack.NewDecoder(4096, nil)
		list, err := ref.DecodeFull(a)
		if err != nil {
			return
		}
		lines, state := read(newDecoder(), a)
		require.Equal(t, Fine, state)
		require.Len(t, lines, len(list))
		for i := range list {
			require.Equal(t, list[i].Name+": "+list[i].Value, lines[i])
		}
	})
}
