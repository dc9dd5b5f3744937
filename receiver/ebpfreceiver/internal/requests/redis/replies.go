package redis

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// replies is which commands are answered, as the client has chosen by CLIENT REPLY.
type replies uint8

const (
	replyOn   replies = iota
	replySkip         // not to the next command
	replyOff          // to none
)

// unanswered tells whether the command at hand is not answered, and follows what it
// says of those behind it.
func (p *Parser) unanswered() bool {
	b := &p.cmd
	was := p.replies
	if was == replySkip {
		p.replies = replyOn
	}
	if !fold(b.name, "CLIENT") || !fold(b.word, "REPLY") {
		return was != replyOn
	}
	switch {
	case fold(b.second, "ON"):
		p.replies = replyOn
		return false
	case fold(b.second, "OFF"):
		p.replies = replyOff
	case fold(b.second, "SKIP"):
		p.replies = max(was, replySkip)
	default: // an error
		return was != replyOn
	}
	return true
}

// oneWay reports a command that is not answered: it is over when it was handed over.
// Transactions are not put together.
func (p *Parser) oneWay(s *exchange.Segment) {
	ex := p.Q.Sink.New(s)
	if ex == nil {
		return
	}
	ex.Start, ex.End = min(p.cmd.start, s.Start), s.End
	if p.Q.Sink.Client() {
		ex.Sent = p.cmd.bytes
	} else {
		ex.Received = p.cmd.bytes
	}
	f := dbfacts.Of(ex)
	f.System = System
	f.Namespace = append(f.Namespace, p.db...)
	p.describe(f)
	p.changes()
	f.Class, ex.Class = exchange.OneWay, exchange.OneWay
	p.Q.Sink.Done(ex)
}

// answersAgain notes an answer to nobody: whoever was said to ask for none does.
func (p *Parser) answersAgain() {
	if p.replies == replyOff {
		p.replies = replyOn
	}
}
