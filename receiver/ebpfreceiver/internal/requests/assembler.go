// Package requests turns the records of the requests ring into exchanges.
//
//	event.Event -> Assembler (one connection per socket) -> Protocol's parser -> exchange.Exchange -> spans.Translator
//
// The kernel says which socket moved which bytes when (event.Request); here the
// bytes are followed by the parser of the protocol that the socket speaks.
// Everything is driven by the records and their times: there is no goroutine
// and no clock in this package.
package requests

import (
	"iter"
	"time"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
)

// Config of an Assembler. Zero values mean the defaults.
type Config struct {
	// Protocols that are understood, in the order that their signatures were
	// given to the kernel in. Default: Protocols().
	Protocols []exchange.Protocol
	// MaxConnections bounds the connections that are followed at once; the one
	// that was silent for longest gives way. Default 65536, as in the kernel.
	MaxConnections int
	// MaxOpen bounds the requests under way on all connections. Default 65536.
	MaxOpen int
	// IdleTimeout forgets a connection without requests under way, OpenTimeout
	// one with such. The kernel tells when a socket ends: these are for what
	// it could not tell. Defaults 10 minutes and 6 hours.
	IdleTimeout, OpenTimeout time.Duration
	// Serves is told of every thread that begins to serve requests, and again
	// about every second while it does. What such a thread sends meanwhile gets that request as
	// Parent; whoever takes exchanges has to make sure that the thread runs one
	// piece of code to its end. Without it no exchange has a Parent.
	Serves func(Thread)
	// Names remembers which names processes look up; nil to forget them.
	Names *names.Table
	// Emit takes each exchange that ended, complete or not, and owns it.
	Emit func(*exchange.Exchange)
	// Opaque, if set, is told of each connection whose protocol is known and
	// which goes on in a form that is not decoded. ep is valid during the call;
	// of who made the calls it has only the process.
	Opaque func(ep *exchange.Endpoint, protocol string, form exchange.Form)
	// Encrypts, if set, is told of each connection that goes on encrypted, by the
	// process: whoever looks for its TLS library should do so now.
	Encrypts func(event.ProcessKey)
	// Judge, if set, tells the kernel side what a socket is not, by the bits of
	// classes, and which class it is instead; 0 when that is not known. All bits
	// are set for a socket of which nothing more is worth being reported. bursts
	// says that its long segments hold many messages, all of which are wanted.
	Judge func(socket uint64, refused uint32, class uint8, bursts bool)
}

// Stats are the counters of an Assembler since it was made, and its state.
type Stats struct {
	Records      uint64                      // handled
	Unknown      uint64                      // records of no protocol, or without a known beginning
	Late         uint64                      // records that came after what followed them; not used
	Gaps         uint64                      // times that bytes were found missing
	GapBytes     uint64                      // bytes that were missing
	Exchanges    [exchange.NumReasons]uint64 // emitted or counted, by exchange.Reason
	Bare         uint64                      // of these, counted only: nothing was known to emit
	Opaque       [exchange.NumForms]uint64   // connections that went on in a form that is not decoded
	Refused      uint64                      // connections that turned out to be of another protocol, or of none
	Opened       uint64                      // connections taken up
	Evicted      uint64                      // connections that gave way to others
	Expired      uint64                      // connections that were silent for too long
	Connections  int                         // followed now
	OpenRequests int                         // under way now
}

// Assembler follows connections. It is used by one goroutine.
type Assembler struct {
	cfg       Config
	pools     []*exchange.Pool
	conns     map[uint64]*conn // of streams, by socket
	talks     map[talk]*conn   // of datagrams
	streams   order
	datagrams order
	free      [][]*conn // by protocol
	refusals  refusals
	preambles preambles
	pieces    map[uint64]*piece // by socket
	joined    []byte            // reused
	encrypted encryptions
	open      exchange.List
	stats     Stats
	threads   threads          // that serve requests, and which
	seg       exchange.Segment // reused
}

// talk names what a socket of datagrams says to one peer, and hears of it.
type talk struct {
	socket uint64
	port   uint16
	addr   [16]byte
}

// Defaults of Config.
const (
	defaultConnections = 65536
	defaultOpen        = 65536
	defaultIdle        = 10 * time.Minute
	defaultOpenTimeout = 6 * time.Hour
)

// Datagrams have no connections that end: each pair of a socket and a peer is
// forgotten soon, and all of them get a part of the room.
const (
	datagramIdle  = 30 * time.Second
	datagramShare = 8
)

// New returns an assembler.
func New(cfg Config) *Assembler {
	if cfg.Protocols == nil {
		cfg.Protocols = Protocols()
	}
	cfg.MaxConnections = orDefault(cfg.MaxConnections, defaultConnections)
	cfg.MaxOpen = orDefault(cfg.MaxOpen, defaultOpen)
	cfg.IdleTimeout = orDefault(cfg.IdleTimeout, defaultIdle)
	cfg.OpenTimeout = orDefault(cfg.OpenTimeout, defaultOpenTimeout)
	if cfg.Emit == nil {
		cfg.Emit = (*exchange.Exchange).Release
	}
	a := &Assembler{
		cfg:     cfg,
		conns:   make(map[uint64]*conn),
		pieces:  make(map[uint64]*piece),
		talks:   make(map[talk]*conn),
		free:    make([][]*conn, len(cfg.Protocols)),
		threads: newThreads(cfg.Serves),
	}
	a.encrypted = encryptions{bySocket: make(map[uint64]*encrypted), max: cfg.MaxConnections}
	for _, p := range cfg.Protocols {
		a.pools = append(a.pools, exchange.NewPool(p))
	}
	a.streams.init(cfg.MaxConnections, cfg.IdleTimeout)
	a.datagrams.init(max(1, cfg.MaxConnections/datagramShare), min(datagramIdle, cfg.IdleTimeout))
	return a
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Stats returns the counters.
func (a *Assembler) Stats() Stats {
	s := a.stats
	s.Connections, s.OpenRequests = a.streams.len+a.datagrams.len, a.open.Len()
	return s
}

// Open lists the exchanges that are under way. They stay the assembler's.
func (a *Assembler) Open() iter.Seq[*exchange.Exchange] { return a.open.All() }

// Handle takes the next record of the requests ring. It keeps nothing of ev.
// Records of other types are ignored.
func (a *Assembler) Handle(ev *event.Event) {
	switch ev.Type {
	case event.TypeData:
		a.stats.Records++
		if isAnnouncement(&ev.Request) {
			a.encrypted.announced(ev.Request.Socket)
			if c := a.conns[ev.Request.Socket]; c != nil { // it was not followed for a while
				a.abandon(c)
			}
			return
		}
		a.data(ev)
	case event.TypeSocketClose:
		a.stats.Records++
		delete(a.refusals, ev.Request.Socket)
		delete(a.preambles, ev.Request.Socket)
		a.forget(ev.Request.Socket)
		if c := a.conns[ev.Request.Socket]; c != nil {
			c.close(ev)
			a.remove(c)
		}
		a.endEncrypted(ev.Request.Socket, ev.Request.Flags&event.RequestCovered != 0)
	default:
	}
}

// data finds the connection of a record and feeds it.
func (a *Assembler) data(ev *event.Event) {
	r := &ev.Request
	if p := a.pieces[r.Socket]; p != nil && !a.join(p, ev) {
		return
	}
	c := a.find(r)
	if c == nil {
		if !a.preambles.pass(r) || a.hold(ev) {
			return
		}
		if c = a.take(r); c == nil {
			a.stats.Unknown++
			return
		}
		c.name(ev)
	}
	a.follow(c, ev)
}

// follow gives a record to its connection.
func (a *Assembler) follow(c *conn, ev *event.Event) {
	r := &ev.Request
	c.order.touch(c)
	c.seen, c.owner = ev.Time, ev.Key
	switch {
	case r.Bytes == 0:
		c.end(ev)
	case c.isTalk || c.inOrder(r, ev.Time):
		c.feed(ev)
		switch {
		case c.heir != nil:
			a.handOver(c)
		case c.refuser != nil && c.refuser.Refused():
			a.refused(c, ev)
		}
	}
}

// find returns the connection of a record, nil when it is not followed.
func (a *Assembler) find(r *event.Request) *conn {
	if r.Flags&event.RequestDatagram != 0 {
		return a.talks[talkOf(r)]
	}
	return a.conns[r.Socket]
}

func talkOf(r *event.Request) talk {
	return talk{socket: r.Socket, port: r.PeerPort, addr: r.PeerAddr}
}

// take begins to follow the socket of a record, unless nothing tells which of
// its ends is which.
func (a *Assembler) take(r *event.Request) *conn {
	if r.Bytes == 0 {
		return nil
	}
	proto, role, guessed := a.classify(r)
	if role == event.RoleUnknown {
		return nil
	}
	order := &a.streams
	isTalk := r.Flags&event.RequestDatagram != 0
	if isTalk {
		order = &a.datagrams
	}
	if order.len >= order.max {
		a.stats.Evicted++
		a.abandon(order.oldest())
	}
	c := a.newConn(proto)
	c.begin(r, role, guessed)
	c.order, c.isTalk = order, isTalk
	if isTalk {
		a.talks[talkOf(r)] = c
	} else {
		a.conns[r.Socket] = c
	}
	order.add(c)
	a.stats.Opened++
	return c
}

// ticks bounds the connections that one Tick looks at.
const ticks = 1024

// Tick lets time pass: now is in ns since boot. It should be called about every
// second; a call looks at a bounded number of connections.
func (a *Assembler) Tick(now uint64) {
	a.tellEncrypted(now - min(now, uint64(opaqueGrace)))
	a.threads.forget()
	for _, o := range []*order{&a.streams, &a.datagrams} {
		for range min(ticks, o.len) {
			c := o.turn()
			idle := o.idle
			if c.parser.Open() > 0 {
				idle = a.cfg.OpenTimeout
			}
			if now > c.seen+uint64(idle) {
				if !c.isTalk {
					a.stats.Expired++
				}
				a.abandon(c)
				continue
			}
			c.parser.Tick(now)
		}
	}
}

// Close gives up everything that is under way. The assembler must not be used
// afterwards, except for Stats.
func (a *Assembler) Close() {
	a.tellEncrypted(^uint64(0))
	for _, o := range []*order{&a.streams, &a.datagrams} {
		for o.len > 0 {
			a.abandon(o.oldest())
		}
	}
}

func (a *Assembler) abandon(c *conn) {
	c.parser.Abandon(exchange.Expired)
	a.remove(c)
}

// remove forgets a connection whose parser holds nothing any more.
func (a *Assembler) remove(c *conn) {
	c.order.remove(c)
	c.hellos = nil
	if c.isTalk {
		delete(a.talks, talk{socket: c.ep.Socket, port: c.ep.PeerPort, addr: c.ep.PeerAddr})
	} else {
		delete(a.conns, c.ep.Socket)
	}
	if free := &a.free[c.proto]; len(*free) < maxFree {
		*free = append(*free, c)
	}
}

// maxFree bounds the connections that are kept for reuse.
const maxFree = 1024

func (a *Assembler) newConn(proto int) *conn {
	if free := a.free[proto]; len(free) > 0 {
		c := free[len(free)-1]
		a.free[proto] = free[:len(free)-1]
		return c
	}
	c := &conn{a: a, proto: proto}
	c.parser = a.cfg.Protocols[proto].NewParser(c)
	c.refuser, _ = c.parser.(exchange.Refuser)
	c.skipper, _ = c.parser.(exchange.Skipper)
	return c
}
