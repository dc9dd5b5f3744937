package memcached

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request is what is remembered of a command under way.
type request struct {
	shape shape
	doubt bool // commands before it asked for no answer, unless one fails
}

// Parser follows one connection.
type Parser struct {
	q         dbconn.Queue[request]
	req, resp stream
	words     [][]byte // of the line at hand
	since     uint64   // when the command began
	taken     uint64   // bytes of it

	beginning  bool // nothing has been seen yet
	quiet      bool // the latest command asks for no answer
	reqHidden  bool // where the next command begins is not known
	respHidden bool // the same of the answers
	answering  bool // the answer to the oldest command has begun
	rows       int64
	stopped    bool // the connection goes on in another way
	refused    bool // it was never of this protocol
}

// stream is one side: lines, and values whose length a line tells.
type stream struct {
	lines dbconn.Lines
	left  uint64 // bytes to come of a value, its line end included
	own   bool   // which belongs to a command that is answered
}

func (st *stream) reset() {
	st.lines.Reset()
	st.left = 0
}

// survives walks over n bytes that were not seen at all.
func (st *stream) survives(n uint64) bool {
	if st.left <= n {
		return false
	}
	st.left -= n
	return true
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.q.Reset(sink, midway)
	p.forget()
	if cap(p.words) > maxKeys {
		p.words = nil
	}
	p.beginning, p.stopped, p.refused = !midway, false, false
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.reset()
	p.resp.reset()
	p.since, p.taken, p.rows = 0, 0, 0
	p.beginning, p.quiet = false, false
	p.reqHidden, p.respHidden, p.answering = false, false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.q.Lose(now, why)
	p.forget()
}

// stop ends the following of a connection that goes on in another way.
func (p *Parser) stop() {
	p.lose(0, exchange.Desynchronized)
	p.stopped = true
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	p.q.Discard()
	p.stop()
	p.refused = true
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// Open implements exchange.Parser.
func (p *Parser) Open() int { return p.q.Open() }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if p.stopped {
		return
	}
	if s.Side == exchange.Request {
		p.request(s)
		p.q.Replay(p.response)
	} else {
		p.response(s)
	}
	p.q.Seen(s)
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	switch {
	case p.stopped:
	case side == exchange.Request:
		if !p.req.survives(n) {
			p.q.Missed()
			p.lose(now, exchange.Desynchronized)
		}
	case !p.resp.survives(n):
		p.lose(now, exchange.ResponseLost)
	}
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	if side == exchange.Request {
		p.q.CallerGone(at)
		return
	}
	p.Close(at)
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) {
	p.q.Close(at, p.respHidden)
	p.forget()
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) { p.q.Tick(now) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.q.Abandon(why)
	p.forget()
}
