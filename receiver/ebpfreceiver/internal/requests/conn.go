package requests

import (
	"net/netip"
	"slices"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/tls"
)

// conn is one end of a connection; the Sink of its parser.
type conn struct {
	a          *Assembler
	order      *order
	prev, next *conn // in the order of use
	parser     exchange.Parser
	refuser    exchange.Refuser // the parser, if it can refuse
	skipper    exchange.Skipper // the parser, if it can skip
	hellos     exchange.Parser  // takes what follows after an agreement in plain text to encrypt; nil before
	isTalk     bool             // datagrams
	ep         exchange.Endpoint
	proto      int
	owner      event.ProcessKey // who made the last record
	seen       uint64           // when the last record was made
	position   [2]uint64        // by Direction: where the next record should begin
	placed     [2]bool          // position is known
	low        [2]bool          // of it the lower 32 bits
	bursts     uint64           // long segments while several requests were under way
	heir       *conn            // that the rest of the segment being fed is for; nil for none
	rest       exchange.Segment // valid while heir is set
}

// begin prepares c for the socket of r, its first record.
func (c *conn) begin(r *event.Request, role event.Role, guessed bool) {
	preamble := c.a.preambles[r.Socket&^event.TLSStream]
	if r.Flags&event.RequestTLS != 0 {
		preamble.end = 0 // it was before the cipher text
	}
	c.ep = exchange.Endpoint{
		NetNS: r.NetNS, Socket: r.Socket, Family: r.Family,
		LocalPort: r.LocalPort, PeerPort: r.PeerPort, LocalAddr: r.LocalAddr, PeerAddr: r.PeerAddr,
		Role: role, RoleGuessed: guessed, Client: preamble.client,
	}
	midway := r.Flags&event.RequestMidway != 0 || r.Position != 0 && r.Position != preamble.end
	known := !midway && r.Role != event.RoleUnknown // else records may have been passed over
	c.position, c.placed, c.bursts = [2]uint64{}, [2]bool{known, known}, 0
	c.position[r.Direction], c.placed[r.Direction] = r.Position, true
	o := r.Direction.Opposite()
	if c.low = [2]bool{}; !known {
		c.position[o], c.placed[o], c.low[o] = uint64(r.Opposite), true, true
	}
	if r.Flags&event.RequestTLS != 0 {
		known := c.a.encrypted.of(r.Socket)
		known.decoded, known.waits = true, false
		c.ep.Encryption = &known.Encryption
	}
	c.parser.Reset(c, midway)
	if !known && r.Flags&event.RequestMidway == 0 && r.Role != event.RoleUnknown {
		c.beganUnseen(r, preamble.end)
	}
}

// beganUnseen tells the parser that the first requests of a connection, whose beginning
// the kernel side has seen, were lost: r is the first record that was not. They are under
// way where no answer has been moved.
func (c *conn) beganUnseen(r *event.Request, preamble uint64) {
	asked, answered := r.Position, uint64(r.Opposite)
	if c.side(r.Direction) == exchange.Response {
		asked, answered = answered, asked
	}
	if answered == 0 && asked > preamble {
		c.parser.Gap(exchange.Request, asked-preamble, 0)
	}
}

// name finds out by which name the process, whose first record ev is, reached
// its peer.
func (c *conn) name(ev *event.Event) {
	if c.a.cfg.Names == nil || c.ep.Role != event.RoleClient {
		return
	}
	var addr netip.Addr
	switch c.ep.Family {
	case familyInet:
		addr = netip.AddrFrom4([4]byte(c.ep.PeerAddr[:4]))
	case familyInet6:
		addr = netip.AddrFrom16(c.ep.PeerAddr)
	default:
		return
	}
	c.ep.PeerName = c.a.cfg.Names.Lookup(names.Asker{Process: ev.Key, NetNS: c.ep.NetNS}, addr, ev.Time)
}

// Address families, as in the kernel.
const (
	familyInet  = 2
	familyInet6 = 10
)

// teacher is implemented by the facts of protocols that look up names.
type teacher interface {
	Teach(t *names.Table, ex *exchange.Exchange)
}

// encrypter is implemented by facts that are described otherwise when the
// connection was encrypted.
type encrypter interface{ Encrypted() }

// side is what a direction means here.
func (c *conn) side(d event.Direction) exchange.Side {
	if (d == event.Receive) == (c.ep.Role == event.RoleServer) {
		return exchange.Request
	}
	return exchange.Response
}

// inOrder tells whether r may be fed, after the parser was told of bytes that
// are missing before it.
func (c *conn) inOrder(r *event.Request, now uint64) bool {
	d, o := r.Direction, r.Direction.Opposite()
	if r.Skipped && c.skipper != nil && c.placed[o] {
		c.skip(r, now)
		return true
	}
	if c.low[d] {
		c.position[d], c.low[d] = r.Position-uint64(int64(int32(uint32(r.Position)-uint32(c.position[d])))), false
	}
	var missing [2]uint64
	if ahead := int32(r.Opposite - uint32(c.position[o])); c.placed[o] && ahead > 0 {
		missing[o] = uint64(ahead)
	}
	want, late := c.position[d], false
	if c.placed[d] {
		missing[d], late = max(r.Position, want)-want, r.Position < want
	}
	c.gaps(missing, now)
	if late { // it was taken for lost already
		c.a.stats.Late++
		return false
	}
	c.position[d], c.placed[d] = r.Position+r.Bytes, true
	return true
}

// gaps tells the parser of bytes that are missing, and goes on behind them. Of the
// responses it is told first: requests of which no answer was moved are under way.
func (c *conn) gaps(missing [2]uint64, now uint64) {
	first := event.Send
	if c.side(first) == exchange.Request {
		first = event.Receive
	}
	for _, d := range []event.Direction{first, first.Opposite()} {
		if missing[d] > 0 {
			c.gap(d, missing[d], now)
			c.position[d] += missing[d]
		}
	}
}

// skip goes on at r, before which whole exchanges were left out. The kernel has
// counted their records.
func (c *conn) skip(r *event.Request, now uint64) {
	d, o := r.Direction, r.Direction.Opposite()
	if ahead := int32(r.Opposite - uint32(c.position[o])); ahead > 0 {
		c.position[o] += uint64(ahead)
	}
	c.position[d], c.placed[d], c.low[d] = r.Position+r.Bytes, true, false
	c.skipper.Skip(now)
}

func (c *conn) gap(d event.Direction, n, now uint64) {
	c.a.stats.Gaps++
	c.a.stats.GapBytes += n
	c.current().Gap(c.side(d), n, now)
}

// current is the parser of what comes now.
func (c *conn) current() exchange.Parser {
	if c.hellos != nil {
		return c.hellos
	}
	return c.parser
}

// feed gives the parser the bytes of a record.
func (c *conn) feed(ev *event.Event) {
	r := &ev.Request
	s := &c.a.seg
	*s = exchange.Segment{
		Side: c.side(r.Direction), Start: ev.Time, End: ev.Time,
		Len: r.Bytes, Payload: r.Payload, Tail: r.Tail, Excerpts: r.Excerpts, Datagram: c.isTalk,
		Who: exchange.Who{
			Owner: ev.Key, TID: ev.TID, Fiber: r.Fiber, CgroupID: r.CgroupID, CgroupHierarchy: r.CgroupHierarchy,
			Loop: r.Flags&event.RequestLoop != 0,
		},
	}
	if uint64(len(s.Payload)) > s.Len {
		s.Payload = s.Payload[:s.Len]
	}
	if r.Direction == event.Send && r.Enter != 0 {
		s.Start = min(r.Enter, ev.Time)
	}
	several := c.several(r)
	c.current().Segment(s)
	if several || c.several(r) {
		c.burst()
	}
}

// Bursts of messages. Of short segments all is copied, by the kernel side; how
// often it is told that of long ones all is wanted has to be less than it heeds it
// for.
const (
	longSegment = 1024
	burstsTold  = 64
)

// several tells whether more than one request is under way on a connection, the
// answers of which come in order, while a long segment is handled.
func (c *conn) several(r *event.Request) bool {
	return r.Bytes >= longSegment && c.skipper != nil && !c.isTalk && c.parser.Open() > 1
}

// burst notes a long segment that may hold many messages, and tells the kernel side.
func (c *conn) burst() {
	if c.bursts%burstsTold == 0 && c.a.cfg.Judge != nil {
		c.a.cfg.Judge(c.ep.Socket, c.a.refusals[c.ep.Socket].classes, uint8(c.proto+1), true)
	}
	c.bursts++
}

// end takes a call that moved nothing: the peer has ended its side, or the
// connection broke.
func (c *conn) end(ev *event.Event) {
	r := &ev.Request
	peer := c.side(event.Receive)
	switch {
	case r.Error == 0 && r.Direction == event.Receive:
		c.parser.EOF(peer, ev.Time)
	case r.Error == 0:
	case !breaks(r.Error): // the next call may succeed
	case peer == exchange.Request || r.Direction == event.Receive:
		c.parser.EOF(peer, ev.Time)
	}
}

// Errors of the kernel after which nothing comes from the peer any more.
const (
	errPipe        = -32
	errNetUnreach  = -101
	errConnAborted = -103
	errConnReset   = -104
	errNotConn     = -107
	errTimedOut    = -110
	errConnRefused = -111
	errHostUnreach = -113
)

func breaks(errno int32) bool {
	switch errno {
	case errPipe, errNetUnreach, errConnAborted, errConnReset, errNotConn, errTimedOut, errConnRefused, errHostUnreach:
		return true
	}
	return false
}

// close takes the end of the socket.
func (c *conn) close(ev *event.Event) {
	r := &ev.Request
	if r.Flags&event.RequestBoring != 0 {
		c.parser.Gap(exchange.Response, 1, ev.Time) // at least: whatever is under way may have gone on
	} else {
		total := [2]uint64{event.Receive: r.Received, event.Send: r.Sent}
		for d, want := range c.position {
			if c.placed[d] && !c.low[d] && total[d] > want {
				c.gap(event.Direction(d), total[d]-want, ev.Time)
			}
		}
	}
	c.parser.Close(ev.Time)
}

// New implements exchange.Sink.
func (c *conn) New(s *exchange.Segment) *exchange.Exchange {
	if c.a.open.Len() >= c.a.cfg.MaxOpen {
		c.Count(exchange.Expired) // refused: it will not be followed
		return nil
	}
	ex := c.a.pools[c.proto].Get()
	c.a.open.Add(ex)
	ex.Endpoint = c.ep
	ex.Owner, ex.TID, ex.Fiber = s.Who.Owner, s.Who.TID, fiberOf(s)
	ex.CgroupID, ex.CgroupHierarchy = s.Who.CgroupID, s.Who.CgroupHierarchy
	ex.Start = s.Start
	if e, ok := ex.Facts.(encrypter); ok && c.ep.Encryption != nil {
		e.Encrypted()
	}
	c.a.threads.begin(ex, s.Who.Loop)
	return ex
}

// Done implements exchange.Sink.
func (c *conn) Done(ex *exchange.Exchange) {
	c.a.open.Remove(ex)
	c.a.threads.end(ex)
	c.a.stats.Exchanges[ex.Incomplete]++
	if t, ok := ex.Facts.(teacher); ok && c.a.cfg.Names != nil {
		t.Teach(c.a.cfg.Names, ex)
	}
	c.a.cfg.Emit(ex)
}

// Drop implements exchange.Sink.
func (c *conn) Drop(ex *exchange.Exchange) {
	c.a.open.Remove(ex)
	c.a.threads.end(ex)
	ex.Release()
}

// Count implements exchange.Sink.
func (c *conn) Count(why exchange.Reason) {
	c.a.stats.Exchanges[why]++
	c.a.stats.Bare++
}

// Opaque implements exchange.Sink.
func (c *conn) Opaque(form exchange.Form) {
	if form == exchange.TLS && c.ep.Encryption == nil {
		c.a.encrypts(c)
		if c.hellos == nil && c.awaitHellos() {
			return
		}
		c.a.judge(c.ep.Socket, anyClass, 0)
		return
	}
	c.a.judge(c.ep.Socket, anyClass, 0)
	c.a.stats.Opaque[form]++
	if c.a.cfg.Opaque != nil {
		ep := c.ep
		ep.Owner = c.owner
		c.a.cfg.Opaque(&ep, c.a.cfg.Protocols[c.proto].Name(), form)
	}
}

// Switch implements exchange.Switcher.
func (c *conn) Switch(protocol string, ex *exchange.Exchange, rest *exchange.Segment) bool {
	proto := slices.IndexFunc(c.a.cfg.Protocols, func(p exchange.Protocol) bool { return p.Name() == protocol })
	if proto < 0 {
		return false
	}
	heir := c.a.newConn(proto)
	parser, ok := heir.parser.(exchange.Heir)
	if !ok {
		return false
	}
	heir.ep, heir.isTalk, heir.owner, heir.seen = c.ep, c.isTalk, c.owner, c.seen
	heir.position, heir.placed, heir.low = c.position, c.placed, c.low
	heir.parser.Reset(heir, false)
	before := c.a.pools[proto].Get()
	ex.Become(before)
	parser.Inherit(ex, before.Facts)
	before.Release()
	c.heir, c.rest = heir, *rest
	return true
}

// handOver has the heir of a connection take its place.
func (a *Assembler) handOver(c *conn) {
	heir, rest := c.heir, c.rest
	c.heir, c.rest = nil, exchange.Segment{}
	heir.order = c.order
	a.remove(c)
	a.conns[heir.ep.Socket] = heir
	heir.order.add(heir)
	if rest.Len > 0 {
		heir.parser.Segment(&rest)
	}
}

// awaitHellos has what follows an agreement in plain text read by the protocol of
// encrypted connections, which calls Opaque again when it has enough; false when
// that is what c is followed by already.
func (c *conn) awaitHellos() bool {
	if _, is := c.a.cfg.Protocols[c.proto].(*tls.Protocol); is {
		return false
	}
	c.hellos = tls.New().NewParser(c)
	return true
}

// Encryption implements exchange.EncryptionSink.
func (c *conn) Encryption() *exchange.Encryption {
	return &c.a.encrypted.of(c.ep.Socket).Encryption
}

// Client implements exchange.Sink.
func (c *conn) Client() bool { return c.ep.Role == event.RoleClient }
