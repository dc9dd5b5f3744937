package event

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

// requestRecord is a record of the requests ring as bpf/requests.h lays it out.
func requestRecord(typ Type, payload string) []byte {
	raw := make([]byte, HeaderSize+requestFixed, HeaderSize+requestFixed+len(payload))
	le := binary.LittleEndian
	le.PutUint16(raw, uint16(typ))
	le.PutUint32(raw[4:], uint32(cap(raw)))
	le.PutUint64(raw[8:], 1001)
	le.PutUint64(raw[16:], 1002)
	le.PutUint32(raw[24:], 1003)
	le.PutUint32(raw[28:], 1004)
	b := raw[HeaderSize:]
	for i, v := range []uint64{2001, 2002, 2003, 2004, 2005} {
		le.PutUint64(b[8*i:], v)
	}
	le.PutUint32(b[40:], 3001)
	le.PutUint32(b[44:], 3002)
	copy(b[48:], "local address 16")
	copy(b[64:], "peer address  16")
	le.PutUint16(b[80:], 8080)
	le.PutUint16(b[82:], 40000)
	le.PutUint16(b[84:], 2)
	b[86], b[87] = 1, byte(RoleServer)
	b[88], b[89] = byte(Send), byte(RequestHead|RequestMidway)
	le.PutUint16(b[90:], uint16(len(payload)))
	var reset int32 = -104
	le.PutUint32(b[92:], uint32(reset))
	b[96] = 5
	le.PutUint32(b[100:], 4001)
	copy(b[104:], "tail!...")
	le.PutUint64(b[112:], 5001)
	return append(raw, payload...)
}

func TestDecodeData(t *testing.T) {
	var ev Event
	require.NoError(t, Decode(requestRecord(TypeData, "payload"), &ev))
	require.Equal(t, Header{
		Type: TypeData, Len: 159, Time: 1001, Key: ProcessKey{Start: 1002, TGID: 1003}, TID: 1004,
	}, ev.Header)
	require.Equal(t, Request{
		Socket: 2001, CgroupID: 2002, Enter: 2003, Position: 2004, Bytes: 2005,
		CgroupHierarchy: 3001, NetNS: 3002, Family: 2, LocalPort: 8080, PeerPort: 40000,
		LocalAddr: [16]byte([]byte("local address 16")), PeerAddr: [16]byte([]byte("peer address  16")),
		Role: RoleServer, Flags: RequestHead | RequestMidway, Class: 1,
		Direction: Send, Error: -104, Opposite: 4001, Payload: []byte("payload"), Tail: []byte("tail!"), Fiber: 5001,
	}, ev.Request)
}

func TestDecodeSocketClose(t *testing.T) {
	var ev Event
	require.NoError(t, Decode(requestRecord(TypeSocketClose, ""), &ev))
	require.EqualValues(t, 2004, ev.Request.Received)
	require.EqualValues(t, 2005, ev.Request.Sent)
	require.Zero(t, ev.Request.Position)
	require.Zero(t, ev.Request.Bytes)
	require.Empty(t, ev.Request.Payload)
	require.Empty(t, ev.Request.Tail)
}

func TestDecodeDataShort(t *testing.T) {
	var ev Event
	raw := requestRecord(TypeData, "payload")
	for n := range raw {
		cut := append([]byte(nil), raw[:n]...)
		if n >= 8 {
			binary.LittleEndian.PutUint32(cut[4:], uint32(n))
		}
		require.ErrorIs(t, Decode(cut, &ev), ErrShort, "%d bytes", n)
	}
	raw[HeaderSize+96] = requestTailSize + 1
	require.ErrorIs(t, Decode(raw, &ev), ErrShort)
}

// The payload of a long segment may end with the last bytes of it.
func TestDecodeDataRear(t *testing.T) {
	var ev Event
	raw := requestRecord(TypeData, "the beginning and the end")
	raw[HeaderSize+96] = 9
	require.NoError(t, Decode(raw, &ev))
	require.Equal(t, "the beginning an", string(ev.Request.Payload))
	require.Equal(t, "d the end", string(ev.Request.Tail))
	raw[HeaderSize+96] = 26
	require.ErrorIs(t, Decode(raw, &ev), ErrShort)
}

// Of a long segment the payload may be excerpts, the first of which need not be the
// beginning.
func TestDecodeDataExcerpts(t *testing.T) {
	excerpt := func(at uint32, b string) string {
		head := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, at), uint32(len(b)))
		return string(head) + b
	}
	for _, tt := range []struct {
		name, list, payload string
		excerpts            map[uint64]string
		short               bool
	}{
		{name: "from the beginning", list: excerpt(0, "head") + excerpt(9000, "more") + excerpt(9999, ""), payload: "head", excerpts: map[uint64]string{9000: "more", 9999: ""}},
		{name: "further on", list: excerpt(7, "more"), excerpts: map[uint64]string{7: "more"}},
		{name: "none"},
		{name: "the second is cut", list: excerpt(0, "head") + excerpt(9000, "more")[:11], payload: "head"},
		{name: "cut", list: excerpt(0, "head")[:11], short: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ev Event
			raw := requestRecord(TypeData, tt.list)
			raw[HeaderSize+98] = 1
			err := Decode(raw, &ev)
			if tt.short {
				require.ErrorIs(t, err, ErrShort)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.payload, string(ev.Request.Payload))
			for list := ev.Request.Excerpts; ; list.Next() {
				at, b, ok := list.Peek()
				if !ok {
					break
				}
				require.Equal(t, tt.excerpts[at], string(b))
				delete(tt.excerpts, at)
			}
			require.Empty(t, tt.excerpts)
		})
	}
}

func TestDecodeDataAllocates(t *testing.T) {
	raw := requestRecord(TypeData, "payload")
	var ev Event
	require.Zero(t, alloctest.PerRun(100, func() { _ = Decode(raw, &ev) }))
}

func TestDirectionOpposite(t *testing.T) {
	require.Equal(t, Send, Receive.Opposite())
	require.Equal(t, Receive, Send.Opposite())
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(requestRecord(TypeData, "payload"))
	f.Add(requestRecord(TypeSocketClose, ""))
	listed := requestRecord(TypeData, "\x00\x00\x00\x00\x03\x00\x00\x00abc\x09\x00\x00\x00\x02\x00\x00\x00de")
	listed[HeaderSize+98] = 1
	f.Add(listed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var ev Event
		if len(raw) < 2 || Decode(raw, &ev) != nil || ev.Type != TypeData && ev.Type != TypeSocketClose {
			return
		}
		require.LessOrEqual(t, len(ev.Request.Payload), len(raw))
		for list := ev.Request.Excerpts; len(list) > 0; list.Next() {
			_, b, _ := list.Peek()
			require.LessOrEqual(t, len(b), len(list))
		}
		require.LessOrEqual(t, len(ev.Request.Payload)+len(ev.Request.Tail), len(raw)-requestFixed+requestTailSize)
	})
}

func BenchmarkDecodeData(b *testing.B) {
	raw := requestRecord(TypeData, "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	var ev Event
	for b.Loop() {
		_ = Decode(raw, &ev)
	}
}
