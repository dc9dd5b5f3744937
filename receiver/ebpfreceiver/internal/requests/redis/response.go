package redis

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// response follows a segment of the server.
func (p *Parser) response(s *exchange.Segment) {
	if isAcknowledgement(s.Payload) {
		p.replication()
		return
	}
	if p.Q.Len() == 0 && !p.Q.Adrift() {
		if p.unasked(s) {
			return
		}
		p.answersAgain()
		p.surplus()
	}
	if !p.Q.Response(s) {
		return
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && p.Q.Len() > 0 && !p.Stopped {
		if !p.answer(&c, s) {
			return
		}
	}
	if c.Left() > 0 && !p.Stopped {
		rest := *s
		rest.Payload, rest.Len = c.Data, c.Left()
		if !p.unasked(&rest) {
			p.surplus()
			p.Q.Response(&rest)
		}
	}
}

// isAcknowledgement recognises what a replica says once a second.
func isAcknowledgement(b []byte) bool {
	const beginning = "*3\r\n$8\r\nREPLCONF\r\n"
	return len(b) >= len(beginning) && string(b[:len(beginning)]) == beginning
}

// unasked takes messages that the server pushes. It returns false when there is
// anything else.
func (p *Parser) unasked(s *exchange.Segment) bool {
	if p.RespHidden {
		return p.subscribed
	}
	if p.vals.between() && (len(s.Payload) == 0 || s.Payload[0] != '>' && !p.subscribed) {
		return false
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		switch p.vals.next(&c) {
		case dbconn.Foreign:
			p.lose(s.End, exchange.Desynchronized)
			return true
		case dbconn.Lost:
			p.RespHidden = true
			return true
		default:
		}
	}
	return true
}

// answer walks over a part of the answer to the oldest command. It returns false
// when the rest of the segment cannot be used.
func (p *Parser) answer(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.RespHidden {
		if p.Q.Crowded(s) || !p.answering {
			p.lose(s.End, exchange.Truncated)
			return false
		}
		p.Q.Answer(s, c.Left(), false)
		c.Drain()
		return true
	}
	begins := p.vals.between()
	push := begins && len(c.Data) > 0 && c.Data[0] == '>' || !begins && p.vals.typ == '>'
	before := c.Left()
	found := p.vals.next(c)
	switch found {
	case dbconn.Foreign:
		p.lose(s.End, exchange.Desynchronized)
		return false
	case dbconn.Lost:
		p.RespHidden = true
		r := p.Q.First()
		if f := r.Facts(); f != nil && (!p.vals.inside || r.Info.kind == executes) {
			f.Hidden = true // it may be an error, or hold some
		}
	default:
	}
	if !push || p.Q.First().Info.kind == subscribes {
		if !p.Q.Answer(s, before-c.Left(), !p.answering) {
			p.forget()
			p.db = p.db[:0]
			return false
		}
		p.answering = true
	}
	switch {
	case found == dbconn.Whole:
		p.take()
	case found == dbconn.Lost && p.answering && p.Q.First().Info.followed: // by other answers
		p.Q.End(exchange.Truncated)
		p.answering, p.RespHidden = false, false
		p.vals.reset()
		p.Q.Response(s) // the rest is theirs
		return false
	}
	return !p.Stopped
}

// isMessage tells whether the value is one that the server sends unasked.
func (p *Parser) isMessage() bool {
	if p.vals.typ != '>' && (p.vals.typ != '*' || !p.subscribed) {
		return false
	}
	switch string(p.vals.word) {
	case "message", "pmessage", "smessage", "invalidate":
		return true
	case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
		return p.Q.First().Info.kind != subscribes
	}
	return p.vals.typ == '>'
}

// take takes a value that is complete.
func (p *Parser) take() {
	if p.isMessage() {
		return
	}
	r := p.Q.First()
	f := r.Facts()
	if f != nil {
		p.outcome(r, f)
	}
	switch r.Info.kind {
	case subscribes:
		if r.Info.answers--; r.Info.answers > 0 && p.vals.typ != '-' {
			return
		}
	case selects:
		if p.vals.typ == '-' { // nothing since then has gone there
			p.db = p.db[:0]
			p.Q.Each(func(f *dbfacts.Facts) { f.Namespace = f.Namespace[:0] })
		}
	case monitors:
		if p.vals.typ != '-' {
			p.end()
			p.Stop()
			return
		}
	default:
	}
	p.end()
}

// outcome reads whether it went well. Errors within the answer to EXEC are those
// of its commands.
func (p *Parser) outcome(r *dbconn.Pending[request], f *dbfacts.Facts) {
	var text []byte
	switch {
	case p.vals.typ == '-' || p.vals.typ == '!':
		text = p.vals.word
	case r.Info.kind == executes:
		text = p.vals.errors
	}
	if p.vals.typ != '-' && p.vals.typ != '!' && len(text) == 0 {
		return
	}
	code, _, _ := bytes.Cut(text, []byte(" "))
	if !isCode(code) {
		code = []byte("ERR")
	}
	f.Fail(code)
}

// isCode tells whether b is the first word of an error as servers write it.
func isCode(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxCommand
}

// end ends the oldest command.
func (p *Parser) end() {
	p.Q.End(exchange.Complete)
	p.answering = false
	if p.RespHidden {
		p.RespHidden = false
		p.vals.reset()
	}
}
