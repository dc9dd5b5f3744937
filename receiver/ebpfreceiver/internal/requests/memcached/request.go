package memcached

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request follows a segment of the client.
func (p *Parser) request(s *exchange.Segment) {
	if beginsBinary(s.Payload) && (p.beginning || p.Q.Adrift()) {
		p.Q.Sink.Opaque(exchange.Binary)
		p.Stop()
		return
	}
	if p.RespHidden && p.Q.Rested(s) && beginsRequest(s.Payload) {
		p.Q.End(exchange.Truncated) // so much is over, whatever else was under way
		p.lose(s.End, exchange.Truncated)
	}
	switch {
	case p.Q.Adrift():
		if !p.Q.Resync(s, beginsRequest(s.Payload)) {
			return
		}
		p.forget()
	case p.fresh(s):
		p.forget()
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		if p.reqHidden {
			p.Q.Torn()
			return
		}
		if !p.step(&c, s) {
			return
		}
	}
}

// fresh tells whether s begins a command whatever came before it.
func (p *Parser) fresh(s *exchange.Segment) bool {
	return p.Q.Len() == 0 && (p.Q.Rested(s) || p.reqHidden && p.Q.MayBegin(s)) && beginsRequest(s.Payload)
}

// step walks to the end of a line or a value. It returns false when the rest of
// the segment cannot be used.
func (p *Parser) step(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.req.left > 0 {
		n := c.Skip(p.req.left)
		p.req.left -= n
		if p.req.own && p.Q.Len() > 0 {
			p.Q.Took(p.Q.Last(), n, exchange.Request)
		}
		return true
	}
	if !p.req.lines.Begun() {
		p.since, p.taken = s.Start, 0
	}
	before := c.Left()
	text, found := p.req.lines.Next(c, maxLine)
	p.taken += before - c.Left()
	switch found {
	case dbconn.Lost:
		p.req.reset()
		p.reqHidden, p.beginning = true, false
		p.Q.Extra()
		p.Q.Sink.Count(exchange.Truncated)
		return true
	case dbconn.More:
		return true
	case dbconn.Whole:
		if p.command(text, s) {
			p.beginning = false
			return !p.Stopped && !p.Q.Adrift()
		}
	default:
	}
	if p.beginning {
		p.Refuse()
	} else {
		p.lose(s.End, exchange.Desynchronized)
		p.Q.Torn()
	}
	return false
}

// command takes a line of the client. It returns false when it is none.
func (p *Parser) command(text []byte, s *exchange.Segment) bool {
	p.words = appendWords(p.words[:0], text)
	words := p.words
	if len(words) == 0 {
		return true
	}
	c, ok := commands[string(words[0])]
	if !ok || len(words) < c.words {
		return false
	}
	if c.value > 0 {
		n, ok := dbconn.Number(words[c.value])
		if !ok || n < 0 || n > maxValue {
			return false
		}
		p.req.left = uint64(n) + 2
	}
	if c.shape == unknown || unanswered(c, words) {
		p.quiet, p.req.own = p.quiet || c.shape != unknown, false
		p.silent(c, words, s)
		return true
	}
	if p.RespHidden && p.Q.Len() == 1 && !p.Q.Pipelined() { // the client has read all of it
		p.end()
	}
	r := p.Q.Begin(s, p.since)
	if r == nil {
		p.forget()
		return true
	}
	r.Info = request{shape: c.shape, doubt: p.quiet}
	p.quiet, p.req.own = false, true
	if f := p.Q.Report(r, s); f != nil {
		p.Q.Took(r, p.taken, exchange.Request)
		describe(f, c, words)
	}
	return true
}

// silent reports a command with noreply: it is over when it was handed over. What q
// of meta commands asks for is answered in part, and not reported.
func (p *Parser) silent(c command, words [][]byte, s *exchange.Segment) {
	if c.shape == unknown || c.shape == meta || c.shape == metaSet {
		return
	}
	ex := p.Q.Sink.New(s)
	if ex == nil {
		return
	}
	ex.Start, ex.End = min(p.since, s.Start), s.End
	moved := p.taken + p.req.left
	if p.Q.Sink.Client() {
		ex.Sent = moved
	} else {
		ex.Received = moved
	}
	f := dbfacts.Of(ex)
	describe(f, c, words[:len(words)-1])
	f.Class, ex.Class = exchange.OneWay, exchange.OneWay
	p.Q.Sink.Done(ex)
}

// appendWords appends the words of a line.
func appendWords(dst [][]byte, b []byte) [][]byte {
	for {
		b = bytes.TrimLeft(b, " ")
		if len(b) == 0 {
			return dst
		}
		word, rest, _ := bytes.Cut(b, []byte{' '})
		dst = append(dst, word)
		b = rest
	}
}

// unanswered tells whether the client asks for no answer, if all goes well.
func unanswered(c command, words [][]byte) bool {
	if c.shape != meta && c.shape != metaSet {
		return string(words[len(words)-1]) == "noreply"
	}
	for _, flag := range words[c.words:] {
		if string(flag) == "q" {
			return true
		}
	}
	return false
}

// describe tells what a command is: its word and its keys, nothing else.
func describe(f *dbfacts.Facts, c command, words [][]byte) {
	f.System = System
	f.Class = c.class
	f.Operation = append(f.Operation, words[0]...)
	f.Text = append(f.Text, words[0]...)
	for i, word := range words[1:] {
		isKey := c.key > 0 && (i+1 == c.key || c.shape == values && i+1 > c.key)
		if !isKey || len(word) > maxKey {
			word = []byte{'?'}
		}
		if len(f.Text)+1+len(word) > maxText {
			f.TextCut = true
			return
		}
		f.Text = append(f.Text, ' ')
		f.Text = append(f.Text, word...)
	}
}

// maxText bounds the text of a command.
const maxText = 512
