package requests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

const traced = "GET /a HTTP/1.1\r\nHost: h\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n\r\n"

func on(tid uint32) func(*event.Event) { return func(ev *event.Event) { ev.TID = tid } }

func inLoop(ev *event.Event) { ev.Request.Flags |= event.RequestLoop }

// family plays a tape to an assembler and returns the exchanges by socket.
func family(t *testing.T, play func(*tape)) map[uint64]*exchange.Exchange {
	t.Helper()
	got := map[uint64]*exchange.Exchange{}
	p := newTape(Config{})
	p.a = New(Config{
		Serves: func(th Thread) { require.EqualValues(t, owner, th.Process.TGID) },
		Emit:   func(ex *exchange.Exchange) { got[ex.Socket] = ex },
	})
	play(p)
	p.a.Close()
	require.Empty(t, p.a.threads.busy, "what is over must be forgotten")
	return got
}

func TestChildOfWhatTheThreadServes(t *testing.T) {
	got := family(t, func(p *tape) {
		p.data(1, server, recv, get, on(5)).
			data(2, client, send, get, on(5)).data(2, client, recv, ok3, on(5)).
			data(3, client, send, get, on(6)).data(3, client, recv, ok3, on(6)).
			data(1, server, send, ok3, on(5)).
			data(4, client, send, get, on(5)).data(4, client, recv, ok3, on(5))
	})
	parent := got[1]
	require.True(t, got[2].Parent.Valid())
	assert.Equal(t, exchange.Context{Trace: parent.Trace, Span: parent.Span}, got[2].Parent)
	assert.False(t, got[3].Parent.Valid(), "another thread")
	assert.False(t, got[4].Parent.Valid(), "the request had been answered")
	assert.False(t, parent.Parent.Valid())
}

func goroutine(g uint64, tid uint32) func(*event.Event) {
	return func(ev *event.Event) { ev.Request.Fiber, ev.TID = g, tid }
}

func TestChildOfWhatTheGoroutineServes(t *testing.T) {
	const a, b = 0xc000000001c0, 0xc000000002a0
	got := family(t, func(p *tape) {
		p.data(1, server, recv, get, goroutine(a, 5), inLoop).data(5, server, recv, get, goroutine(b, 5)).
			data(2, client, send, get, goroutine(a, 6)).data(2, client, recv, ok3, goroutine(a, 7)).
			data(3, client, send, get, goroutine(b, 6)).data(3, client, recv, ok3, goroutine(b, 6)).
			data(4, client, send, get, goroutine(0xc000000009c0, 5)).data(4, client, recv, ok3, goroutine(a, 5)).
			data(1, server, send, ok3, goroutine(a, 8)).data(5, server, send, ok3, goroutine(b, 5)).
			data(6, client, send, get, goroutine(a, 5)).data(6, client, recv, ok3, goroutine(a, 5))
	})
	assert.Equal(t, got[1].Span, got[2].FiberParent.Span, "whichever thread the goroutine is on")
	assert.Equal(t, got[5].Span, got[3].FiberParent.Span)
	assert.False(t, got[4].FiberParent.Valid(), "another goroutine on the same thread")
	assert.False(t, got[6].FiberParent.Valid(), "the request had been answered")
}

// net/http waits for the next request in a goroutine that ends with its first byte.
func TestNoChildOfWhoReadsOneByte(t *testing.T) {
	got := family(t, func(p *tape) {
		p.data(1, server, recv, get[:1], goroutine(0xc000000001c0, 5)).data(1, server, recv, get[1:], goroutine(0xc000000002a0, 5)).
			data(2, client, send, get, goroutine(0xc000000001c0, 6)).data(2, client, recv, ok3).data(1, server, send, ok3)
	})
	assert.False(t, got[2].FiberParent.Valid())
}

func TestChildInTheTraceOfTheRequest(t *testing.T) {
	got := family(t, func(p *tape) {
		p.data(1, server, recv, traced, on(5)).data(2, client, send, get, on(5)).
			data(2, client, recv, ok3, on(5)).data(1, server, send, ok3, on(5))
	})
	c := got[2].Parent
	assert.Equal(t, byte(0x0a), c.Trace[0])
	assert.Equal(t, byte(0x9c), c.Trace[15])
	assert.Equal(t, got[1].Span, c.Span)
	assert.NotEqual(t, []byte{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}, c.Span[:], "the child of our span, not of the caller's")
	assert.Equal(t, byte(1), c.Flags)
	assert.Equal(t, "a=b", c.State)
}

// Wherever it is not certain, there is no parent.
func TestNoParentRatherThanAWrongOne(t *testing.T) {
	child := func(p *tape, change ...func(*event.Event)) *tape {
		return p.data(2, client, send, get, change...).data(2, client, recv, ok3, change...)
	}
	for name, play := range map[string]func(*tape){
		"an event loop received it": func(p *tape) { child(p.data(1, server, recv, get, on(5), inLoop), on(5)) },
		"an event loop sends":       func(p *tape) { child(p.data(1, server, recv, get, on(5)), on(5), inLoop) },
		"two requests at once": func(p *tape) {
			child(p.data(1, server, recv, get, on(5)).data(3, server, recv, get, on(5)), on(5))
		},
		"two at once, of which one was answered": func(p *tape) {
			child(p.data(1, server, recv, get, on(5)).data(3, server, recv, get, on(5)).data(3, server, send, ok3, on(5)), on(5))
		},
		"another process's thread of the same number": func(p *tape) {
			p.data(1, server, recv, get, on(5))
			child(p, on(5), func(ev *event.Event) { ev.Key.TGID = 3 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := family(t, play)
			require.Contains(t, got, uint64(2))
			assert.False(t, got[2].Parent.Valid())
		})
	}
}
