package requests

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

const (
	get   = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
	ok3   = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	owner = 77
)

// tape makes the records of sockets as the kernel side would, and plays them to
// an assembler.
type tape struct {
	a        *Assembler
	now      uint64
	position map[uint64]*[2]uint64
	got      []string
	ends     []exchange.Endpoint
}

func newTape(cfg Config) *tape {
	t := &tape{position: map[uint64]*[2]uint64{}}
	cfg.Emit = func(ex *exchange.Exchange) {
		what := ex.Protocol
		if f, ok := ex.Facts.(*httpfacts.Facts); ok {
			what = string(f.Method) + " " + string(f.Target)
		}
		t.got = append(t.got, what+" "+ex.Incomplete.String())
		t.ends = append(t.ends, ex.Endpoint)
		ex.Release()
	}
	t.a = New(cfg)
	return t
}

// event is the frame of a record of a socket.
func (t *tape) event(socket uint64, typ event.Type, role event.Role) *event.Event {
	t.now += 1000
	return &event.Event{
		Header: event.Header{Type: typ, Time: t.now, Key: event.ProcessKey{Start: 1, TGID: owner}, TID: 78},
		Request: event.Request{
			Socket: socket, Role: role, Class: 1, Family: 2, CgroupID: 5, NetNS: 6, LocalPort: 80, PeerPort: 4000,
		},
	}
}

func (t *tape) at(socket uint64) *[2]uint64 {
	if t.position[socket] == nil {
		t.position[socket] = &[2]uint64{}
	}
	return t.position[socket]
}

// data is bytes moved over a socket of a role; change may alter the record.
func (t *tape) data(socket uint64, role event.Role, d event.Direction, data string, change ...func(*event.Event)) *tape {
	ev := t.event(socket, event.TypeData, role)
	r := &ev.Request
	r.Direction, r.Bytes, r.Payload = d, uint64(len(data)), []byte(data)
	at := t.at(socket)
	r.Position, r.Opposite = at[d], uint32(at[d.Opposite()])
	at[d] += r.Bytes
	if d == event.Send {
		r.Enter = ev.Time - 10
	}
	for _, c := range change {
		c(ev)
	}
	t.a.Handle(ev)
	return t
}

// lost is bytes of which the record was lost.
func (t *tape) lost(socket uint64, d event.Direction, n uint64) *tape {
	t.at(socket)[d] += n
	return t
}

// serve is an exchange as a server sees it.
func (t *tape) serve(socket uint64) *tape {
	return t.data(socket, event.RoleServer, event.Receive, get).data(socket, event.RoleServer, event.Send, ok3)
}

func (t *tape) close(socket uint64, change ...func(*event.Event)) *tape {
	ev := t.event(socket, event.TypeSocketClose, event.RoleServer)
	at := t.at(socket)
	ev.Request.Received, ev.Request.Sent = at[event.Receive], at[event.Send]
	for _, c := range change {
		c(ev)
	}
	t.a.Handle(ev)
	return t
}
