package screen

import (
	"strconv"
	"time"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

// Tag is the word that says what a line is about.
type Tag struct {
	word text.Safe
	tone tone
}

// The tags of activity.
var (
	TagRun     = Tag{"run", green}
	TagExit    = Tag{"exit", dim}
	TagListen  = Tag{"listen", cyan}
	TagLogin   = Tag{"login", blue}
	TagLogout  = Tag{"logout", blue}
	TagConnect = Tag{"connect", cyan}
	TagAccept  = Tag{"accept", cyan}
	TagFile    = Tag{"file", plain}
	TagSyscall = Tag{"syscall", dim}
	TagRequest = Tag{"request", plain}
	TagFailed  = Tag{"request", red}
)

// Line is one thing that happened.
type Line struct {
	Time    time.Time
	Tag     Tag
	Service text.Safe // or container
	User    text.Safe
	PID     int64 // 0 = not known

	Title     text.Safe // stands out before Text: the name of a rule
	Text      text.Safe
	Peer      text.Safe // whom it was about: "from 10.0.0.7"
	Note      text.Safe // a warning behind Text: "not in the image"
	Parent    text.Safe // process that started the one of a command
	By        text.Safe // process that did it, where Text does not say so
	Container text.Safe
	Wrap      bool // continue on further rows instead of cutting Text

	Timed bool // Took is known
	Took  time.Duration
}

// columns are the widths of what stands before the text of a line.
type columns struct{ time, tag, service, user, pid, gap int }

func (s Style) columns() columns {
	switch {
	case s.narrow():
		return columns{time: 8, tag: 8, service: 12, user: 8, pid: 7, gap: 1}
	case s.medium():
		return columns{time: 12, tag: 8, service: 16, user: 8, pid: 7, gap: 2}
	}
	return columns{time: 12, tag: 8, service: 20, user: 10, pid: 7, gap: 2}
}

// indent is where the text of a line starts.
func (c columns) indent() int { return c.time + c.tag + c.service + c.user + c.pid + 5*c.gap }

// tailEnough is the width that suffices for a parent and a container.
const tailEnough = 24

// belowIndent is where text starts that stands below its columns.
const belowIndent = 4

// maxRows is how many rows a wrapped line may take.
const maxRows = 4

// AppendHeader appends the names of the columns.
func (s Style) AppendHeader(buf []byte) []byte {
	c := s.columns()
	gap := text.Safe("").PadRight(c.gap)
	head := text.Safe("TIME").PadRight(c.time) + gap + text.Safe("WHAT").PadRight(c.tag) + gap +
		text.Safe("SERVICE").PadRight(c.service) + gap + text.Safe("USER").PadRight(c.user) + gap +
		text.Safe("PID").PadLeft(c.pid) + gap + "COMMAND OR EVENT"
	return append(s.append(buf, dim, head), '\n')
}

// AppendLine appends l.
func (s Style) AppendLine(buf []byte, l Line) []byte {
	c := s.columns()
	gap := text.Safe("").PadRight(c.gap)
	field := func(t tone, what text.Safe, width int) {
		buf = s.append(buf, t, s.cut(what, width).PadRight(width))
		buf = append(buf, gap...)
	}
	field(dim, s.clock(l.Time), c.time)
	field(l.Tag.tone, l.Tag.word, c.tag)
	field(bold, orDash(l.Service), c.service)
	field(plain, orDash(l.User), c.user)
	pid := text.Safe("-")
	if l.PID > 0 {
		pid = text.Safe(strconv.FormatInt(l.PID, 10))
	}
	field(dim, pid.PadLeft(c.pid), c.pid)
	if l.Wrap {
		return s.appendWrapped(buf, l, c.indent())
	}
	return s.appendCut(buf, l, c.indent())
}

func orDash(what text.Safe) text.Safe {
	if what == "" {
		return "-"
	}
	return what
}

// appendCut appends the text in one row. What stands behind it (note, parent,
// container) may take a third of the row, more where the text leaves it or
// where a third is too little to tell anything.
func (s Style) appendCut(buf []byte, l Line, indent int) []byte {
	body, note, origin := s.body(l), l.Note, s.origin(l)
	if width := s.width(); width > 0 {
		room := max(width-indent, 1)
		tail := gapBefore(note).Width() + note.Width() + gapBefore(origin).Width() + origin.Width()
		tailRoom := min(tail, max(room/3, min(tailEnough, room/2), room-body.Width()))
		note = note.Cut(max(tailRoom-2, 0), s.ellipsis())
		origin = origin.Cut(max(tailRoom-gapBefore(note).Width()-note.Width()-2, 0), s.ellipsis())
		tail = gapBefore(note).Width() + note.Width() + gapBefore(origin).Width() + origin.Width()
		body = body.Cut(room-tail, s.ellipsis())
	}
	buf = append(buf, body...)
	buf = s.append(append(buf, gapBefore(note)...), yellow, note)
	buf = s.append(append(buf, gapBefore(origin)...), dim, origin)
	return append(buf, '\n')
}

// body is the text with how long it took and whom it was about.
func (s Style) body(l Line) text.Safe {
	out := l.Text
	if l.Timed {
		out += "  " + s.duration(l.Took.Seconds())
	}
	return out + gapBefore(l.Peer) + l.Peer
}

// origin says where something came from.
func (s Style) origin(l Line) text.Safe {
	var out text.Safe
	switch {
	case l.By != "" && l.By == l.Service: // which says it
	case l.By != "":
		out = "by " + l.By
	case l.Parent != "":
		out = s.arrow() + l.Parent
	}
	if l.Container != "" {
		out += gapBefore(out) + "in " + l.Container
	}
	return out
}

// gapBefore is the space that sets what apart from the text before it.
func gapBefore(what text.Safe) text.Safe {
	if what == "" {
		return ""
	}
	return "  "
}

// appendWrapped appends title and text in as many rows as needed, up to
// maxRows; without a width in one.
func (s Style) appendWrapped(buf []byte, l Line, indent int) []byte {
	body := l.Text
	if l.Container != "" {
		body += gapBefore(body) + "in " + l.Container
	}
	if width := s.width(); width > 0 && indent > width/2 {
		// Too little room beside the columns: the title there, the text below.
		buf = s.append(buf, bold, l.Title.Cut(width-indent, s.ellipsis()))
		if body == "" {
			return append(buf, '\n')
		}
		for _, row := range body.Wrap(width-belowIndent, maxRows-1, s.ellipsis()) {
			buf = append(append(append(buf, '\n'), text.Safe("").PadRight(belowIndent)...), row...)
		}
		return append(buf, '\n')
	}
	return s.appendBeside(buf, l.Title, body, indent)
}

// separator stands between a title and the text that explains it.
func separator(body text.Safe) text.Safe {
	if body[0] == '(' {
		return " "
	}
	return ": "
}

func (s Style) appendBeside(buf []byte, title, body text.Safe, indent int) []byte {
	if title != "" && body != "" {
		body = separator(body) + body
	}
	rows := []text.Safe{title + body}
	if width := s.width(); width > 0 {
		rows = rows[0].Wrap(width-indent, maxRows, s.ellipsis())
	}
	inTitle := min(len(title), len(rows[0]))
	buf = s.append(buf, bold, rows[0][:inTitle])
	buf = append(buf, rows[0][inTitle:]...)
	for _, row := range rows[1:] {
		buf = append(append(append(buf, '\n'), text.Safe("").PadRight(indent)...), row...)
	}
	return append(buf, '\n')
}
