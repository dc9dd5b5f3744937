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
	dbconn.Conn[request]

	req, resp stream
	words     [][]byte // of the line at hand
	since     uint64   // when the command began
	taken     uint64   // bytes of it

	beginning bool // nothing has been seen yet
	unproven  bool // no answer has been seen: other protocols have commands of these names
	quiet     bool // the latest command asks for no answer
	reqHidden bool // where the next command begins is not known
	answering bool // the answer to the oldest command has begun
	rows      int64
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

// between tells whether the next byte begins a line that belongs to nothing before.
func (st *stream) between() bool { return st.left == 0 && !st.lines.Begun() }

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
	p.Restart(sink, midway)
	p.forget()
	if cap(p.words) > maxKeys {
		p.words = nil
	}
	p.beginning, p.unproven = !midway, true
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.reset()
	p.resp.reset()
	p.since, p.taken, p.rows = 0, 0, 0
	p.beginning, p.quiet = false, false
	p.reqHidden, p.RespHidden, p.answering = false, false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.Q.Lose(now, why)
	p.forget()
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.Q.Gap(side, now, p.req.between() && !p.reqHidden && !p.RespHidden)
	switch {
	case p.Stopped:
	case side == exchange.Request:
		if !p.req.survives(n) {
			p.Q.Missed()
			p.lose(now, exchange.Desynchronized)
		}
	case !p.resp.survives(n):
		p.lose(now, exchange.ResponseLost)
	}
}
