package cql

import (
	"encoding/binary"
	"testing"

	"github.com/golang/snappy"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// packed compresses the body of an envelope.
func packed(envelope string, pack func(body []byte) []byte) string {
	head, body := []byte(envelope[:envelopeHeader]), pack([]byte(envelope[envelopeHeader:]))
	head[1] |= flagCompressed
	binary.BigEndian.PutUint32(head[5:], uint32(len(body)))
	return string(head) + string(body)
}

func byLZ4(body []byte) []byte {
	dst := make([]byte, 4+lz4.CompressBlockBound(len(body)))
	binary.BigEndian.PutUint32(dst, uint32(len(body)))
	var c lz4.Compressor
	n, err := c.CompressBlock(body, dst[4:])
	if err != nil {
		panic(err)
	}
	return dst[:4+n]
}

func bySnappy(body []byte) []byte { return snappy.Encode(nil, body) }

func TestCompressed(t *testing.T) {
	plain := dbtest.NewScript(New(), true, false)
	plain.Req(startup).Resp(ready).Req(one).Resp(oneRow).Req(one).Resp(failure(3, 0x2200))
	require.Len(t, plain.Found, 2)
	for name, pack := range map[string]func([]byte) []byte{"lz4": byLZ4, "snappy": bySnappy} {
		play := func(s *dbtest.Script) *dbtest.Script {
			return s.Req(packed(one, pack)).Resp(packed(oneRow, pack)).Req(packed(one, pack)).Resp(packed(failure(3, 0x2200), pack))
		}
		s := dbtest.NewScript(New(), true, false)
		s.Req(req(1, opStartup, short(1)+text("COMPRESSION")+text(name))).Resp(ready)
		require.Equal(t, plain.Found, play(s).Found, name)
		require.Empty(t, s.Opaqued)
		// What STARTUP said was not seen: the bytes tell.
		require.Len(t, play(dbtest.NewScript(New(), true, true)).Found, 2, name)
	}
}

// TestCompressedOtherwise: what cannot be unpacked is told, and nothing is made up.
func TestCompressedOtherwise(t *testing.T) {
	for name, start := range map[string]string{
		"version 5":    "\x05" + req(1, opStartup, short(1)+text("COMPRESSION")+text("lz4"))[1:],
		"another kind": req(1, opStartup, short(1)+text("COMPRESSION")+text("brotli")),
	} {
		s := dbtest.NewScript(New(), true, false)
		s.Req(start).Resp(string([]byte{start[0] | response}) + ready[1:]).Req(one).Resp(oneRow)
		require.Equal(t, []exchange.Form{exchange.Compressed}, s.Opaqued, name)
		require.Empty(t, s.Found, name)
	}
	s := dbtest.NewScript(New(), true, false)
	s.Req(req(1, opStartup, short(1)+text("COMPRESSION")+text("lz4"))).Resp(ready)
	noise := func([]byte) []byte { return []byte("\x00\x00\x10\x00 what is this, then?") }
	s.Req(packed(one, noise)).Resp(packed(oneRow, noise)).Req(packed(one, byLZ4)).Resp(packed(oneRow, byLZ4))
	require.Len(t, s.Found, 2)
	require.Equal(t, "{} textcut @3+4+4 rowshidden", s.Found[0])

	s = dbtest.NewScript(New(), true, false)
	s.Req(req(1, opStartup, short(1)+text("COMPRESSION")+text("lz4"))).Resp(failure(1, 0xa)).Req(one).Resp(oneRow)
	require.Empty(t, s.Opaqued)
	require.Len(t, s.Found, 2)
}
