package mongodb

import (
	"bytes"
	"compress/zlib"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// packed puts a message into an OP_COMPRESSED.
func packed(m string, way byte, pack func([]byte) []byte) string {
	h, body := parseHeader([]byte(m)), m[headerSize:]
	return message(opCompressed, int(h.id), int(h.response), le32(int(h.op))+le32(len(body))+string([]byte{way})+string(pack([]byte(body))))
}

var ways = map[byte]func([]byte) []byte{
	packedNot:    func(b []byte) []byte { return b },
	packedSnappy: func(b []byte) []byte { return snappy.Encode(nil, b) },
	packedZlib: func(b []byte) []byte {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
		return out.Bytes()
	},
	packedZstd: func(b []byte) []byte {
		w, _ := zstd.NewWriter(nil)
		return w.EncodeAll(b, nil)
	},
}

// TestUnpacked: a compressed message says what it says otherwise.
func TestUnpacked(t *testing.T) {
	asked, told := []string{ask(6, find), ask(7, find)}, []string{tell(6, fine), tell(7, denied)}
	plain := dbtest.NewScript(New(), true, false)
	plain.Req(asked[0]).Resp(told[0]).Req(asked[1]).Resp(told[1])
	require.Len(t, plain.Found, 2)
	for way, pack := range ways {
		for _, midway := range []bool{false, true} {
			s := dbtest.NewScript(New(), true, midway)
			for i := range asked {
				s.Req(packed(asked[i], way, pack)).Resp(packed(told[i], way, pack))
			}
			require.Equal(t, plain.Found, s.Found, "way %d", way)
			require.Empty(t, s.Opaqued)
		}
		s := dbtest.NewScript(New(), true, false) // most of the request is beyond the bound
		s.Req(asked[0]).Resp(told[0])
		s.Seg(exchange.Request, packed(asked[1], way, pack), headerSize+12).Resp(told[1])
		require.Len(t, s.Found, 1, "way %d", way)
		require.Equal(t, map[exchange.Reason]int{exchange.Truncated: 1}, s.Counted, "way %d", way)
	}
}
