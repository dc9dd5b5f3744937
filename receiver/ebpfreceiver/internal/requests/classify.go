package requests

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// anyClass has the bits of all classes.
const anyClass = ^uint32(0)

// strikes is how many beginnings of messages have to be foreign before the
// protocol is refused on their account alone: the rest of a long message may by
// chance begin as a message does.
const strikes = 3

// tellingBytes is how many first bytes it takes to say that a message is none of
// a protocol.
const tellingBytes = 8

// maxRefusals bounds the sockets of which it is known what they are not.
const maxRefusals = 4096

// refusal is what a socket turned out not to be.
type refusal struct {
	classes uint32 // bits of refused classes
	strikes uint8
}

// refusals are by socket.
type refusals map[uint64]refusal

// note keeps what is known of a socket. When there is no room, all is forgotten:
// whoever is seen again is refused again.
func (rs *refusals) note(socket uint64, r refusal) {
	if *rs == nil || len(*rs) >= maxRefusals {
		*rs = refusals{}
	}
	(*rs)[socket] = r
}

// classify tells the protocol of a socket and which end it is; role is unknown
// when it cannot be followed. The direction of the first message is the best
// witness of the role; without it the kernel's opinion counts.
//
// The kernel knows protocols by the first bytes of their messages, which may be
// those of another one's: where it saw a message begin, the protocol has to
// recognize it, or another one may. Once it has not, what follows has to be
// recognized too: of some classes the kernel looks at the first message only.
func (a *Assembler) classify(r *event.Request) (proto int, role event.Role, guessed bool) {
	proto = int(r.Class) - 1
	known := proto >= 0 && proto < len(a.cfg.Protocols) && a.refusals[r.Socket].classes>>r.Class&1 == 0
	verdict := exchange.Foreign
	if known {
		verdict = a.cfg.Protocols[proto].Classify(r.Payload)
	}
	doubtful := isBeginning(r) || a.refusals[r.Socket].strikes > 0
	if verdict == exchange.Foreign && (!known || doubtful) {
		if proto, verdict = a.other(r); proto < 0 {
			a.strike(r)
			return 0, event.RoleUnknown, false
		}
		if r.Class != 0 {
			a.refuse(r.Socket, r.Class, uint8(proto+1))
		}
	}
	switch {
	case verdict == exchange.Foreign, verdict == exchange.IsEither:
		return proto, r.Role, r.Flags&event.RequestGuessed != 0
	case (verdict == exchange.IsRequest) == (r.Direction == event.Receive):
		return proto, event.RoleServer, false
	}
	return proto, event.RoleClient, false
}

// isBeginning tells whether a record shows the beginning of a message, by what
// the kernel knows, and enough of it to tell.
func isBeginning(r *event.Request) bool {
	return r.Flags&event.RequestHead != 0 && len(r.Payload) >= tellingBytes
}

// other finds another protocol that recognizes the bytes of a record; its place
// is negative when there is none.
func (a *Assembler) other(r *event.Request) (int, exchange.Verdict) {
	refused := a.refusals[r.Socket].classes | 1<<r.Class
	for i, p := range a.cfg.Protocols {
		if refused>>(i+1)&1 != 0 {
			continue
		}
		if v := p.Classify(r.Payload); v != exchange.Foreign {
			return i, v
		}
	}
	return -1, exchange.Foreign
}

// strike notes that nothing recognizes what the kernel takes for a message.
func (a *Assembler) strike(r *event.Request) {
	if r.Class == 0 {
		return
	}
	known := a.refusals[r.Socket]
	if known.classes>>r.Class&1 != 0 {
		return // the kernel has been told, and will heed it soon
	}
	if known.strikes++; known.strikes < strikes {
		a.refusals.note(r.Socket, known)
		return
	}
	a.refuse(r.Socket, r.Class, 0)
}

// refuse notes that a socket is not of a class but of another, 0 when that is
// not known.
func (a *Assembler) refuse(socket uint64, class, instead uint8) {
	known := a.refusals[socket]
	if known.classes>>class&1 == 0 {
		a.stats.Refused++
	}
	known.classes |= 1 << class
	known.strikes = 0
	a.refusals.note(socket, known)
	all := uint32(1)<<(len(a.cfg.Protocols)+1) - 2
	if known.classes&all == all {
		known.classes = anyClass
	}
	a.judge(socket, known.classes, instead)
}

func (a *Assembler) judge(socket uint64, refused uint32, class uint8) {
	if a.cfg.Judge != nil {
		a.cfg.Judge(socket, refused, class, false)
	}
}

// refused takes a connection from a parser that finds that it is not of its
// protocol, and looks for another by the record that told.
func (a *Assembler) refused(c *conn, ev *event.Event) {
	a.remove(c)
	r := &ev.Request
	a.refuse(r.Socket, uint8(c.proto+1), 0)
	if next := a.take(r); next != nil {
		next.name(ev)
		a.follow(next, ev)
	}
}
