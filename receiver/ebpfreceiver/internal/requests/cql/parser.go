package cql

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// side is one direction of a connection: envelopes, which are in segments if
// framed.
type side struct {
	which  exchange.Side
	inSync bool // the next byte is the one that the fields below say
	framed bool
	env    dbconn.Frames
	first  exchange.Segment // that the current envelope began in

	raw     [segmentHeader]byte // of the header of a segment
	n       int                 // how many of it are there
	left    uint32              // bytes of its payload to come
	trailer uint32              // bytes of its checksum to come
}

func (sd *side) reset() {
	sd.env.Reset()
	sd.n, sd.left, sd.trailer = 0, 0, 0
}

// Parser follows one connection.
//
// The two sides are followed apart from each other; what they share is the
// streams under way. A side that lost bytes is followed again from the next
// segment that begins with an envelope.
type Parser struct {
	proto    *Protocol
	sink     exchange.Sink
	sides    [2]side // by exchange.Side
	streams  map[int16]*stream
	free     []*stream
	order    []int16 // reused
	keyspace []byte

	early   int  // streams whose request was not reported yet
	doubts  int  // streams whose response may have been lost
	missing bool // bytes of the client were lost, and perhaps requests
	latest  uint64
	lossAt  uint64 // when bytes of either side were lost last; 0: never

	starting int16   // the stream of STARTUP, while it is under way; else -1
	version  byte    // of STARTUP
	packing  packing // what follows STARTUP may be compressed so
	certain  bool    // it is of this protocol
	strikes  int     // how often it was not, while that was not certain
	patience int     // how many are enough to refuse it
	stopped  bool    // the connection goes on in another way
	refused  bool    // it was never of this protocol
}

// midwayPatience is how often a connection that was joined in its midst, perhaps
// in the midst of an envelope, may look like none of this protocol.
const midwayPatience = 3

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.sink = sink
	if p.strikes, p.patience = 0, 1; midway {
		p.patience = midwayPatience
	}
	for i := range p.sides {
		sd := &p.sides[i]
		sd.reset()
		*sd = side{which: exchange.Side(i), inSync: !midway, env: sd.env}
	}
	clear(p.streams)
	p.keyspace = p.keyspace[:0]
	p.early, p.doubts, p.latest, p.lossAt, p.starting = 0, 0, 0, 0, -1
	p.missing, p.packing, p.certain, p.stopped, p.refused = false, packedNot, false, false, false
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.streams) }

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if p.stopped {
		return
	}
	p.latest = max(p.latest, s.End)
	sd := &p.sides[s.Side]
	if !sd.inSync && !p.resync(sd, s) {
		p.unseen(sd, s.End)
		return
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && sd.inSync && !p.stopped {
		if sd.framed {
			p.segment(sd, &c, s)
		} else {
			p.envelope(sd, &c, s)
		}
	}
}

// resync tells whether a side can be followed from the beginning of s.
func (p *Parser) resync(sd *side, s *exchange.Segment) bool {
	asks := sd.which == exchange.Request
	switch {
	case beginsSegment(s.Payload, s.Len, asks):
		p.sides[0].framed, p.sides[1].framed = true, true
	case sd.framed || !beginsBare(s.Payload, s.Len, asks):
		return false
	}
	sd.reset()
	sd.inSync = true
	return true
}

// segment walks over a part of s, to the end of a part of a segment of the
// protocol.
func (p *Parser) segment(sd *side, c *dbconn.Cursor, s *exchange.Segment) {
	switch {
	case sd.trailer > 0:
		sd.trailer -= uint32(c.Skip(uint64(sd.trailer)))
		return
	case sd.left == 0:
		p.segmentHeader(sd, c, s)
		return
	}
	n := min(uint64(sd.left), c.Left())
	seen := min(n, uint64(len(c.Data)))
	inner := dbconn.Cursor{Data: c.Data[:seen], Unseen: n - seen}
	c.Skip(n)
	sd.left -= uint32(n)
	if sd.left == 0 {
		sd.trailer = segmentTrailer
	}
	for inner.Left() > 0 && sd.inSync && !p.stopped {
		p.envelope(sd, &inner, s)
	}
}

func (p *Parser) segmentHeader(sd *side, c *dbconn.Cursor, s *exchange.Segment) {
	n := copy(sd.raw[sd.n:], c.Data)
	sd.n += n
	c.Skip(uint64(n))
	if sd.n < segmentHeader {
		if c.Unseen > 0 {
			p.lose(sd, s.End, exchange.Truncated)
		}
		return
	}
	length, _, ok := parseSegment(sd.raw[:])
	if sd.n = 0; !ok {
		p.lose(sd, s.End, exchange.Desynchronized)
		return
	}
	sd.left = length
}

// envelope walks over a part of an envelope.
func (p *Parser) envelope(sd *side, c *dbconn.Cursor, s *exchange.Segment) {
	if sd.env.Between() {
		sd.first = exchange.Segment{Side: s.Side, Start: s.Start, End: s.End, Who: s.Who}
	}
	m, found := sd.env.Next(c, &headers[sd.which])
	switch found {
	case dbconn.Lost:
		p.lose(sd, s.End, exchange.Truncated)
	case dbconn.Foreign:
		if p.strikes++; !p.certain && p.strikes >= p.patience {
			p.refuse()
			return
		}
		p.lose(sd, s.End, exchange.Desynchronized)
	case dbconn.Whole:
		h := parseHeader(m.Head)
		if sd.which == exchange.Request {
			p.request(&h, &m, s)
		} else {
			p.response(&h, &m, s)
		}
	default:
	}
}

// lose gives up following a side: why says how the bytes that it goes on with
// came to be unknown.
func (p *Parser) lose(sd *side, now uint64, why exchange.Reason) {
	sd.inSync = false
	sd.reset()
	p.unseenAs(sd, now, why)
}

// unseen takes note of bytes of a side that is not followed.
func (p *Parser) unseen(sd *side, now uint64) { p.unseenAs(sd, now, exchange.Desynchronized) }

func (p *Parser) unseenAs(sd *side, now uint64, why exchange.Reason) {
	p.lossAt = max(now, 1)
	if sd.which == exchange.Request {
		p.settle() // a request in these bytes may be on the stream of another one
		p.missing = true
		p.keyspace = p.keyspace[:0]
		return
	}
	p.suspect(now, why)
	if !p.sides[exchange.Request].inSync {
		p.settle()
	}
}

// stop ends the following of a connection.
func (p *Parser) stop() {
	p.finishAll(p.latest, exchange.Desynchronized)
	p.stopped = true
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	for _, id := range p.ids() {
		p.drop(p.streams[id])
	}
	p.stopped, p.refused = true, true
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(which exchange.Side, n, now uint64) {
	sd := &p.sides[which]
	switch {
	case p.stopped:
	case !sd.inSync:
		p.unseenAs(sd, now, exchange.ResponseLost)
	case sd.framed || !sd.env.Survives(n):
		p.lose(sd, now, exchange.ResponseLost)
	}
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(which exchange.Side, at uint64) {
	p.latest = max(p.latest, at)
	if which == exchange.Request {
		for _, st := range p.streams {
			st.facts().CallerGone = true
		}
		return
	}
	p.finishAll(at, exchange.ConnectionClosed)
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) { p.finishAll(at, exchange.ConnectionClosed) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) { p.finishAll(p.latest, why) }

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	if p.early == 0 && p.doubts == 0 {
		return
	}
	for _, id := range p.ids() {
		switch st := p.streams[id]; {
		case st.early && now > st.ended+quiet:
			p.drop(st)
		case st.doubt != 0 && now > st.doubt+doubtful:
			p.finish(st, st.doubt, st.doubtWhy)
		}
	}
}
