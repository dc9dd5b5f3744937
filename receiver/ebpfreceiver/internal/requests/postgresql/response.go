package postgresql

import (
	"bytes"
	"strconv"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// response follows a segment of the server.
func (p *Parser) response(s *exchange.Segment) {
	if p.Q.Len() == 0 && !p.Q.Adrift() && p.unasked(s) {
		return
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
	if c.Left() > 0 && !p.Stopped { // notices, or what answers a request that was not copied
		rest := *s
		rest.Payload, rest.Len = c.Data, c.Left()
		if !p.unasked(&rest) {
			p.Q.Response(&rest)
		}
	}
}

// unasked takes messages that a server sends of its own accord: notices,
// notifications, changed parameters. It returns false when there is anything
// else.
func (p *Parser) unasked(s *exchange.Segment) bool {
	if p.resp.Between() && (len(s.Payload) == 0 || bytes.IndexByte([]byte("NAS"), s.Payload[0]) < 0 || !responseTypes.walk(s.Payload)) {
		return false
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		if _, found := p.resp.Next(&c, &responses); found == dbconn.Foreign || found == dbconn.Lost {
			p.resp.Reset()
			break
		}
	}
	return true
}

// answer walks over a part of the response to the oldest request. It returns
// false when the rest of the segment cannot be used.
func (p *Parser) answer(c *dbconn.Cursor, s *exchange.Segment) bool {
	switch k := p.Q.First().Info.kind; {
	case k == asksTLS || k == asksGSS:
		return p.agreement(c, s, k)
	case p.RespHidden:
		return p.hiddenAnswer(c, s)
	}
	before := c.Left()
	m, found := p.resp.Next(c, &responses)
	switch found {
	case dbconn.Foreign:
		p.lose(s.End, exchange.Desynchronized)
		return false
	case dbconn.Lost:
		p.RespHidden = true
		return true
	default:
	}
	if !p.Q.Answer(s, before-c.Left(), !p.answering) {
		p.forget()
		return false
	}
	p.answering = true
	if found == dbconn.Whole {
		p.take(&m)
	}
	return true
}

// agreement takes the byte that says whether the connection is encrypted from
// here on.
func (p *Parser) agreement(c *dbconn.Cursor, s *exchange.Segment, k kind) bool {
	if len(c.Data) == 0 {
		p.lose(s.End, exchange.Desynchronized)
		return false
	}
	switch answer := c.Data[0]; {
	case answer == 'N':
		c.Skip(1)
		p.Q.End(exchange.Complete)
		return true
	case answer == 'S' && k == asksTLS:
		p.Q.Sink.Opaque(exchange.TLS)
	case answer == 'G' && k == asksGSS:
		p.Q.Sink.Opaque(exchange.GSSAPI)
	}
	p.Stop()
	return false
}

// hiddenAnswer looks for the end of a response in bytes that are not at hand.
func (p *Parser) hiddenAnswer(c *dbconn.Cursor, s *exchange.Segment) bool {
	if f := p.Q.First().Facts(); f != nil {
		f.Hidden = true
	}
	if p.Q.Crowded(s) {
		p.lose(s.End, exchange.Truncated)
		return false
	}
	p.Q.Answer(s, c.Left(), false)
	c.Drain()
	if endsReady(s.Last()) {
		p.executed()
		p.end()
	}
	return true
}

// executed makes an execution of what only the preparation was seen of.
func (p *Parser) executed() {
	if f := p.Q.First().Facts(); f != nil && f.Prepares {
		f.Execute(f.Statement)
	}
}

// end ends the oldest request.
func (p *Parser) end() {
	if g := p.Q.First(); !g.Info.synced && g == p.Q.Last() {
		p.building = false
		p.swallow = !p.reqHidden // its Sync is yet to be reported
	}
	p.finish()
}

// finish reports the oldest request, the response to which is complete.
func (p *Parser) finish() {
	g := p.Q.First()
	if f := g.Facts(); f != nil && g.Info.cut && g.Info.extended {
		if g.Info.done > 1 {
			f.Batch = max(f.Batch, g.Info.done)
		}
		f.BatchHidden = f.Batch > 1 && (f.Failed || f.Hidden)
	}
	p.Q.End(exchange.Complete)
	p.answering, p.RespHidden = false, false
	p.resp.Reset()
}

// take takes a message of the response.
func (p *Parser) take(m *dbconn.Message) {
	g := p.Q.First()
	f := g.Facts()
	g.Info.answered(m.Head[0])
	if f != nil && m.Cut() && (m.Head[0] == 'C' || m.Head[0] == 'E') {
		f.Hidden = true
	}
	switch m.Head[0] {
	case 'Z':
		p.end()
	case 'C':
		p.executed()
		if f != nil {
			complete(f, m.Body)
		}
	case 'D', 's', 'I':
		p.executed()
		if f != nil && m.Head[0] == 'I' && f.Statement != nil && f.Statement.Text == "" {
			f.Class = exchange.Probe // nothing is asked but whether the server is there
		}
	case 'E':
		p.failed(g, f, m.Body)
	case 'G':
		// The server has ignored the Sync behind the COPY; one more follows the data.
		if g.Info.extended && g.Info.synced && p.Q.Len() == 1 {
			p.swallow = true
		}
	case 'W':
		if f != nil {
			f.Class = exchange.Stream
		}
		p.Q.End(exchange.Complete)
		p.Q.Sink.Opaque(exchange.Replication)
		p.Stop()
	}
}

// answered counts the messages of an extended query that were answered.
func (g *group) answered(by byte) {
	switch by {
	case 'C', 's', 'I':
		g.done++
		g.owed--
	case '1', '2', '3', 'T', 'n':
		g.owed--
	case 'E':
		g.failed = true
	}
}

// complete reads the tag of a command that is done: "SELECT 5".
func complete(f *dbfacts.Facts, tag []byte) {
	word, count, _ := bytes.Cut(bytes.TrimSuffix(tag, []byte{0}), []byte(" "))
	if string(word) != "SELECT" && string(word) != "FETCH" {
		return
	}
	if n, err := strconv.ParseInt(string(count), 10, 64); err == nil && n >= 0 {
		f.Return(n)
	}
}

// failed takes an error: fields of a letter and a text each.
func (p *Parser) failed(g *dbconn.Pending[group], f *dbfacts.Facts, fields []byte) {
	switch {
	case g.Info.parses == 1: // it may not have been prepared
		p.statements.Delete([]byte(g.Info.named))
	case g.Info.parses > 1:
		p.statements.Clear()
	}
	if f == nil {
		return
	}
	f.Failed = true
	f.TextCut = f.TextCut || g.Info.cut && f.Prepares // whether it was executed is not known
	for len(fields) > 1 && fields[0] != 0 {
		value, rest, ok := cutString(fields[1:])
		if !ok {
			return
		}
		if fields[0] == 'C' && len(value) == 5 {
			f.Fail(value)
			return
		}
		fields = rest
	}
}
