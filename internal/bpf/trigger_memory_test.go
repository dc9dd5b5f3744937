package bpf

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/sightglass/sightglass/internal/event"
)

// memory is an argument that points to something: what the kernel is given,
// and what the record must say about it.
type memory interface {
	pointer(c *call) unsafe.Pointer
	compare(t *testing.T, name string, a *event.Arg, ret int64)
}

// dataMax is how much of a buffer comes along.
const dataMax = 80

// data is a buffer whose length another argument tells.
type data []byte

func (d data) pointer(*call) unsafe.Pointer { return unsafe.Pointer(&d[0]) }

func (d data) compare(t *testing.T, name string, a *event.Arg, _ int64) {
	t.Helper()
	compareData(t, name, d, a)
}

func compareData(t *testing.T, name string, want []byte, a *event.Arg) {
	t.Helper()
	assert.Equal(t, string(want[:min(len(want), dataMax)]), string(a.Bytes), name)
	assert.Equal(t, len(want) > dataMax, a.Flags&event.ArgTruncated != 0, name)
}

// room is a buffer that the kernel fills as far as the result says.
type room []byte

func (r room) pointer(*call) unsafe.Pointer { return unsafe.Pointer(&r[0]) }

func (r room) compare(t *testing.T, name string, a *event.Arg, ret int64) {
	t.Helper()
	compareData(t, name, r[:max(ret, 0)], a)
}

// message is a struct mmsghdr, which begins with its struct msghdr. sent is the
// number of bytes that are told of one that the kernel filled.
type message struct {
	name  sockaddr
	parts [2][]byte
	raw   struct {
		name     unsafe.Pointer
		nameLen  uint64
		vector   unsafe.Pointer
		count    uint64
		control  [3]uint64
		received uint32
	}
	vector [2]struct {
		base unsafe.Pointer
		len  uint64
	}
	filled bool // by the kernel
}

func (m *message) pointer(c *call) unsafe.Pointer {
	for i, p := range m.parts {
		if len(p) > 0 {
			m.vector[i].base, m.vector[i].len = unsafe.Pointer(&p[0]), uint64(len(p))
			c.pin.Pin(&p[0])
			m.raw.count++
		}
	}
	m.raw.vector = unsafe.Pointer(&m.vector[0])
	if len(m.name.raw) > 0 {
		m.raw.name, m.raw.nameLen = unsafe.Pointer(&m.name.raw[0]), uint64(len(m.name.raw))
		c.pin.Pin(&m.name.raw[0])
	}
	c.pin.Pin(m)
	return unsafe.Pointer(&m.raw)
}

func (m *message) compare(t *testing.T, name string, a *event.Arg, ret int64) {
	t.Helper()
	want := m.parts[0]
	if m.filled {
		n := ret
		if m.raw.received != 0 { // one of many: the result counts messages
			n = int64(m.raw.received)
		}
		want = want[:min(int(n), len(want))]
	}
	compareData(t, name, want, a)
	if m.raw.name != nil {
		assert.Equal(t, m.name.family, a.Socket.Family, name)
		assert.Equal(t, m.name.port, a.Socket.PeerPort, name)
		assert.Equal(t, m.name.addr, a.Socket.PeerAddr, name)
	}
}

// from is room for an address that the kernel tells: that of want.
type from struct {
	raw  *[128]byte
	want sockaddr
}

func (f from) pointer(*call) unsafe.Pointer { return unsafe.Pointer(f.raw) }

func (f from) compare(t *testing.T, name string, a *event.Arg, _ int64) {
	t.Helper()
	assert.Equal(t, f.want.family, a.Socket.Family, name)
	assert.Equal(t, f.want.port, a.Socket.PeerPort, name)
	assert.Equal(t, f.want.addr, a.Socket.PeerAddr, name)
}

// words is a struct of 64-bit words of which the first few are told.
type words struct {
	mem  []uint64
	told int
}

func (w words) pointer(*call) unsafe.Pointer { return unsafe.Pointer(&w.mem[0]) }

func (w words) compare(t *testing.T, name string, a *event.Arg, _ int64) {
	t.Helper()
	assert.Equal(t, w.mem[:w.told], a.Words[:w.told], name)
}

// words32 is a struct or array of 32-bit words that the kernel writes, of which
// the first few are told.
type words32 struct {
	mem  []uint32
	told int
}

func (w words32) pointer(*call) unsafe.Pointer { return unsafe.Pointer(&w.mem[0]) }

func (w words32) compare(t *testing.T, name string, a *event.Arg, ret int64) {
	t.Helper()
	if ret < 0 {
		return
	}
	for i := range w.told {
		assert.EqualValues(t, w.mem[i], a.Words[i], "%s: word %d", name, i)
	}
}
