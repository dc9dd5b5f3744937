package memcached

import (
	"bytes"
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// response follows a segment of the server.
func (p *Parser) response(s *exchange.Segment) {
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
		p.Q.Response(&rest)
	}
}

// answer walks over a part of the answer to the oldest command. It returns false
// when the rest of the segment cannot be used.
func (p *Parser) answer(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.RespHidden {
		return p.hidden(c, s)
	}
	before := c.Left()
	var text []byte
	found := dbconn.More
	inValue := p.resp.left > 0
	if inValue {
		p.resp.left -= c.Skip(p.resp.left)
	} else {
		text, found = p.resp.lines.Next(c, maxLine)
	}
	if found == dbconn.Lost {
		p.RespHidden = true
		if f := p.Q.First().Facts(); f != nil {
			f.Hidden = true
		}
		return true
	}
	if found == dbconn.Foreign || found == dbconn.Whole && !isAnswer(text, &p.Q.First().Info, !p.answering) {
		if p.unproven && !p.Q.First().Info.doubt {
			p.Refuse()
			return false
		}
		p.lose(s.End, exchange.Desynchronized)
		return false
	}
	if !p.Q.Answer(s, before-c.Left(), !p.answering) {
		p.forget()
		return false
	}
	p.answering = true
	if found == dbconn.Whole {
		p.unproven = false
	}
	switch {
	case found == dbconn.Whole:
		p.take(text)
	case inValue && p.resp.left == 0 && p.Q.First().Info.shape == meta:
		p.end()
	}
	return !p.Stopped
}

// hidden takes bytes of an answer in which nothing can be told: the end of the
// segment may look like the end of the answer and be a part of a value.
func (p *Parser) hidden(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.Q.Crowded(s) || !p.answering {
		p.lose(s.End, exchange.Truncated)
		return false
	}
	p.Q.Answer(s, c.Left(), false)
	c.Drain()
	return true
}

// isError tells whether a line says that a command failed.
func isError(text []byte) bool {
	return string(text) == "ERROR" || bytes.HasPrefix(text, []byte("CLIENT_ERROR")) || bytes.HasPrefix(text, []byte("SERVER_ERROR"))
}

// isAnswer tells whether a line can be part of the answer to a command; first: with
// it the answer begins.
func isAnswer(text []byte, r *request, first bool) bool {
	word, _, _ := bytes.Cut(text, []byte{' '})
	if isError(text) {
		return !r.doubt
	}
	switch r.shape {
	case values:
		return string(word) == "VALUE" || string(text) == "END"
	case store:
		return isOneOf(text, "STORED", "NOT_STORED", "EXISTS", "NOT_FOUND")
	case noop:
		return r.doubt || string(text) == "MN"
	case meta, metaSet:
		return !r.doubt && isOneOf(word, "HD", "VA", "EN", "NF", "NS", "EX", "ME")
	case list:
		return isOneOf(word, "STAT", "ITEM", "PREFIX") || isOneOf(text, "END", "RESET", "OK") || !first && len(text) > 0
	case banner:
		return string(word) == "VERSION"
	default:
		return len(text) > 0 && text[0] >= ' '
	}
}

func isOneOf(b []byte, words ...string) bool { return slices.Contains(words, string(b)) }

// take takes a line of the answer.
func (p *Parser) take(text []byte) {
	r := p.Q.First()
	f := r.Facts()
	if isError(text) {
		if f != nil {
			word, _, _ := bytes.Cut(text, []byte{' '})
			f.Fail(word)
		}
		p.end()
		return
	}
	switch r.Info.shape {
	case values:
		if string(text) == "END" {
			if f != nil {
				f.Return(p.rows)
			}
			p.end()
			return
		}
		p.value(text, 3)
	case meta, noop:
		switch {
		case bytes.HasPrefix(text, []byte("VA ")):
			p.value(text, 1)
		case r.Info.shape == meta || string(text) == "MN":
			p.end()
		}
	case list:
		if isOneOf(text, "END", "RESET", "OK") {
			p.end()
		}
	case follows:
		p.end()
		p.Stop()
	default:
		p.end()
	}
}

// value takes the line before a value: word is where its length stands.
func (p *Parser) value(text []byte, word int) {
	p.words = appendWords(p.words[:0], text)
	if words := p.words; len(words) > word {
		if n, ok := dbconn.Number(words[word]); ok && n >= 0 && n <= maxValue {
			p.resp.left = uint64(n) + 2
			p.rows++
			return
		}
	}
	p.lose(0, exchange.Desynchronized)
}

// end ends the oldest command.
func (p *Parser) end() {
	p.Q.End(exchange.Complete)
	p.answering, p.rows = false, 0
	if p.RespHidden {
		p.RespHidden = false
		p.resp.reset()
	}
}
