package screen

import (
	"strings"
	"time"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

// Style is how things are drawn; the zero value is plain text without bounds.
type Style struct {
	Colour bool           // write colours
	Width  int            // columns of a line; 0 = lines are as long as they get
	ASCII  bool           // no glyphs beyond ASCII of our own
	Zone   *time.Location // of the times shown; nil = UTC
}

// The widths in columns under which columns get shorter, and under which times
// lose their milliseconds and columns their air.
const (
	mediumBelow = 150
	narrowBelow = 100
)

// minWidth is assumed of a terminal that says it is narrower.
const minWidth = 60

// MaxText bounds, in bytes, each text that comes from outside, before it is
// escaped. It is what the receiver's own bound for a command line is.
const MaxText = 4096

type tone string

// The colours are the sixteen that every terminal's own theme defines.
const (
	plain     tone = ""
	bold      tone = "\x1b[1m"
	dim       tone = "\x1b[2m"
	red       tone = "\x1b[31m"
	green     tone = "\x1b[32m"
	yellow    tone = "\x1b[33m"
	blue      tone = "\x1b[34m"
	cyan      tone = "\x1b[36m"
	boldRed   tone = "\x1b[1;31m"
	toneReset      = "\x1b[0m"
)

func (s Style) append(buf []byte, t tone, what text.Safe) []byte {
	if !s.Colour || t == plain || what == "" {
		return append(buf, what...)
	}
	buf = append(buf, t...)
	buf = append(buf, what...)
	return append(buf, toneReset...)
}

// width is the width that lines must keep; 0 = none.
func (s Style) width() int {
	if s.Width <= 0 {
		return 0
	}
	return max(s.Width, minWidth)
}

func (s Style) narrow() bool { return s.width() > 0 && s.width() < narrowBelow }
func (s Style) medium() bool { return s.width() > 0 && s.width() < mediumBelow }

// cut shortens to a column's width, on a screen only: a pipe keeps everything.
func (s Style) cut(what text.Safe, width int) text.Safe {
	if s.width() == 0 {
		return what
	}
	return what.Cut(width, s.ellipsis())
}

func (s Style) ellipsis() text.Safe { return s.pick("…", "...") }
func (s Style) dot() text.Safe      { return s.pick(" · ", " | ") }
func (s Style) arrow() text.Safe    { return s.pick("← ", "<- ") }
func (s Style) micro() text.Safe    { return s.pick("µs", "us") }

func (s Style) pick(glyph, ascii text.Safe) text.Safe {
	if s.ASCII {
		return ascii
	}
	return glyph
}

// rule is a horizontal line of the given width.
func (s Style) rule(width int) text.Safe {
	return text.Safe(strings.Repeat(string(s.pick("─", "-")), max(width, 0)))
}

func (s Style) clock(t time.Time) text.Safe {
	layout := "15:04:05.000"
	if s.narrow() {
		layout = "15:04:05"
	}
	if s.Zone == nil {
		return text.Safe(t.UTC().Format(layout))
	}
	return text.Safe(t.In(s.Zone).Format(layout))
}
