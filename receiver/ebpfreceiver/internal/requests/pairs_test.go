package requests

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// dialect makes the messages of a protocol whose answers come in the order of the
// requests. Each number has a length of its own, on both sides.
type dialect struct {
	protocol          string
	request, response func(n int) string
}

func pad(n int) string { return strings.Repeat("x", n) }

// framed puts the length of what follows, itself included, behind a byte.
func framed(kind byte, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))) + body
}

// packet is one of MySQL's.
func packet(seq byte, body string) string {
	return string([]byte{byte(len(body)), byte(len(body) >> 8), 0, seq}) + body
}

var dialects = []dialect{
	{
		"redis",
		func(n int) string { return fmt.Sprintf("*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", 100+n, pad(100+n)) },
		func(n int) string { return fmt.Sprintf("$%d\r\n%s\r\n", 100+n, pad(100+n)) },
	}, {
		"postgresql",
		func(n int) string { return framed('Q', "SELECT '"+pad(n)+"'\x00") },
		func(n int) string {
			return framed('D', "\x00\x01\xff\xff\xff\xff"+pad(n)) + framed('C', "SELECT 1\x00") + framed('Z', "I")
		},
	}, {
		"mysql",
		func(n int) string { return packet(0, "\x03DO '"+pad(n)+"'") },
		func(n int) string { return packet(1, "\x00\x00\x00\x02\x00\x00\x00"+pad(n)) },
	}, {
		"memcached",
		func(n int) string { return "get " + pad(1+n) + "\r\n" },
		func(n int) string {
			return fmt.Sprintf("VALUE %s 0 %d\r\n%s\r\nEND\r\n", pad(1+n), 100+n, pad(100+n))
		},
	}, {
		"http",
		func(n int) string { return "GET /" + pad(n) + " HTTP/1.1\r\nHost: h\r\n\r\n" },
		func(n int) string {
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 100+n, pad(100+n))
		},
	},
}

// caller is how a program uses a connection.
type caller struct {
	name   string
	tasks  int  // that use the connection, each of which waits for its own answers
	bursts bool // one task, which sends several requests and waits for all answers
}

var callers = []caller{{"one", 1, false}, {"bursts", 1, true}, {"two", 2, false}, {"three", 3, false}}

// numbers bounds the requests of a conversation: memcached's keys are short.
const numbers = 180

// conversation is a simulation of a connection; what happens at both of its ends is
// recorded.
type conversation struct {
	r     *rand.Rand
	d     *dialect
	now   uint64
	queue []step // that are to come
	ends  [2]tapeEnd
	sent  int // requests

	pipes [2]pipe // to the server, to the client
	work  []int   // of the server
	tasks map[int]func()
}

type step struct {
	at uint64
	do func()
}

// pipe is the way of messages to an end, and what waits there to be read.
type pipe struct {
	last  uint64 // when the youngest message arrives
	inbox []int
	reads bool
}

// tapeEnd is one end's records.
type tapeEnd struct {
	role     event.Role
	position [2]uint64
	records  []event.Event
}

// after has something done in a while of at least 1 and less than most us.
func (c *conversation) after(most int, do func()) { c.at(c.now+1000+uint64(c.r.IntN(most*1000)), do) }

func (c *conversation) at(when uint64, do func()) {
	at, _ := slices.BinarySearchFunc(c.queue, when+1, func(s step, t uint64) int { return int(int64(s.at - t)) })
	c.queue = slices.Insert(c.queue, at, step{when, do})
}

// record notes what a call has moved.
func (c *conversation) record(e *tapeEnd, d event.Direction, data string) {
	c.now += 100
	ev := event.Event{
		Header: event.Header{Type: event.TypeData, Time: c.now, Key: event.ProcessKey{Start: 1, TGID: owner}, TID: 78},
		Request: event.Request{
			Socket: 1, Role: e.role, Family: 2, LocalPort: 80, PeerPort: 4000, Direction: d,
			Bytes: uint64(len(data)), Payload: []byte(data),
			Position: e.position[d], Opposite: uint32(e.position[d.Opposite()]),
		},
	}
	if d == event.Send {
		ev.Request.Enter = c.now - 50
	}
	e.position[d] += uint64(len(data))
	e.records = append(e.records, ev)
}

// The ends, and the pipes that lead to them.
const (
	atServer = 0
	atClient = 1
)

// text is messages on their way to an end.
func (c *conversation) text(to int, list []int) string {
	var b strings.Builder
	for _, n := range list {
		if to == atServer {
			b.WriteString(c.d.request(n))
		} else {
			b.WriteString(c.d.response(n))
		}
	}
	return b.String()
}

// send sends messages by one call to an end, which reads all that has come a moment
// after the first.
func (c *conversation) send(to int, list ...int) {
	c.record(&c.ends[1-to], event.Send, c.text(to, list))
	p := &c.pipes[to]
	p.last = max(p.last+1, c.now+5000+uint64(c.r.IntN(20000)))
	c.at(p.last, func() {
		p.inbox = append(p.inbox, list...)
		if !p.reads {
			p.reads = true
			c.after(15, func() { c.read(to) })
		}
	})
}

func (c *conversation) read(to int) {
	p := &c.pipes[to]
	list := p.inbox
	p.inbox, p.reads = nil, false
	c.record(&c.ends[to], event.Receive, c.text(to, list))
	if to == atClient {
		for _, n := range list {
			c.after(5, c.tasks[n])
		}
		return
	}
	idle := len(c.work) == 0
	if c.work = append(c.work, list...); idle {
		c.after(40, c.serve)
	}
}

// serve answers the oldest requests.
func (c *conversation) serve() {
	n := 1 + c.r.IntN(min(2, len(c.work)))
	c.send(atClient, c.work[:n]...)
	if c.work = c.work[n:]; len(c.work) > 0 {
		c.after(40, c.serve)
	}
}

// think is the time until a task asks again, in us: now and then so long that the
// connection may rest.
func (c *conversation) think() int {
	if c.r.IntN(40) == 0 {
		return 3_000_000
	}
	return []int{2, 30, 300}[c.r.IntN(3)]
}

// ask is a task that asks for one thing after the other.
func (c *conversation) ask() {
	if c.sent >= numbers {
		return
	}
	n := c.sent
	c.sent++
	c.tasks[n] = func() { c.after(c.think(), c.ask) }
	c.send(atServer, n)
}

// burst is a task that asks for several things at once, by one call or by several.
func (c *conversation) burst() {
	size := 1 + c.r.IntN(4)
	if c.sent+size > numbers {
		return
	}
	var list []int
	owed := size
	for range size {
		list = append(list, c.sent)
		c.tasks[c.sent] = func() {
			if owed--; owed == 0 {
				c.after(c.think(), c.burst)
			}
		}
		c.sent++
	}
	if c.r.IntN(2) == 0 {
		c.send(atServer, list...)
		return
	}
	for _, n := range list {
		c.send(atServer, n)
	}
}

// converse simulates a connection; begun says that its ends see it from a point on at
// which it is at rest.
func converse(r *rand.Rand, d *dialect, by caller, begun uint64) *conversation {
	c := &conversation{r: r, d: d, now: 1e9, tasks: map[int]func(){}}
	for i, role := range []event.Role{server, client} {
		c.ends[i] = tapeEnd{role: role, position: [2]uint64{begun, begun}}
	}
	for range by.tasks {
		if by.bursts {
			c.after(c.think(), c.burst)
		} else {
			c.after(c.think(), c.ask)
		}
	}
	for len(c.queue) > 0 {
		s := c.queue[0]
		c.queue = c.queue[1:]
		c.now = max(c.now, s.at)
		s.do()
	}
	return c
}

// tally is what became of the requests of conversations.
type tally struct{ sent, right, wrong int }

// replay has the records of an end followed, all but those that are lost, and compares
// the lengths of what was paired.
func (c *conversation) replay(e *tapeEnd, class uint8, isLost func(i int) bool, into *tally) (wrong []string) {
	lengths := map[uint64]uint64{}
	for n := range c.sent {
		lengths[uint64(len(c.d.request(n)))] = uint64(len(c.d.response(n)))
	}
	into.sent += c.sent
	a := New(Config{Emit: func(ex *exchange.Exchange) {
		defer ex.Release()
		if ex.Incomplete != exchange.Complete {
			return
		}
		asked, answered := ex.Received, ex.Sent
		if ex.Role == client {
			asked, answered = answered, asked
		}
		if lengths[asked] == answered {
			into.right++
			return
		}
		into.wrong++
		wrong = append(wrong, fmt.Sprintf("asked %d, answered %d at %d", asked, answered, ex.Start))
	}})
	for i := range e.records {
		if isLost(i) {
			continue
		}
		ev := e.records[i]
		ev.Request.Class = class
		a.Handle(&ev)
	}
	a.Close()
	return wrong
}

// singly loses one record in n, and never two of a few.
func singly(r *rand.Rand, n int) func(int) bool {
	last := -4
	return func(i int) bool {
		if i < last+4 || r.IntN(n) > 0 {
			return false
		}
		last = i
		return true
	}
}

// seeds is how many conversations there are of each kind.
const seeds = uint64(24)

// TestPairsAfterLosses: however a program uses a connection, and whichever records
// are lost, no answer is taken for that to another request.
func TestPairsAfterLosses(t *testing.T) {
	protocols := Protocols()
	for _, d := range dialects {
		class := uint8(1 + slices.IndexFunc(protocols, func(p exchange.Protocol) bool { return p.Name() == d.protocol }))
		for _, by := range callers {
			var whole, lossy tally
			for seed := range seeds {
				r := rand.New(rand.NewPCG(seed, 5))
				begun := uint64(0)
				if d.protocol == "postgresql" || d.protocol == "mysql" || seed%4 == 3 {
					begun = 1000 // of what was before nothing is known
				}
				c := converse(r, &d, by, begun)
				for i := range c.ends {
					e := &c.ends[i]
					require.Empty(t, c.replay(e, class, func(int) bool { return false }, &whole), "%s %s %d %d", d.protocol, by.name, seed, i)
					lose := singly(r, 40)
					drop := func(i int) bool { return lose(i) && (i > 0 || begun == 0) }
					if bad := c.replay(e, class, drop, &lossy); len(bad) > 0 {
						t.Errorf("%s %s seed %d role %d: %v", d.protocol, by.name, seed, e.role, bad)
					}
				}
			}
			t.Logf("%s %s: %+v, with losses %+v", d.protocol, by.name, whole, lossy)
			if by.tasks == 1 && !by.bursts {
				require.Equal(t, whole.sent, whole.right, "%s: who waits for each answer", d.protocol)
				require.Greater(t, lossy.right, lossy.sent*9/10, "%s: and goes on being followed", d.protocol)
			}
		}
	}
}
