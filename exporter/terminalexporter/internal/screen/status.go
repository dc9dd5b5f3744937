package screen

import (
	"time"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

// Status is what is watched, how well, and what was lost.
type Status struct {
	Processes  int64
	Containers int64
	Events     uint64 // read from the kernel
	Requests   uint64 // assembled, or counted by histograms where the receiver does not say
	Known      bool   // the receiver has reported at least once

	Hooks     int // of which Missing are not attached
	Missing   []Hook
	Lost      []Loss // not empty only where something was lost
	Opaque    []Opaque
	LostKnown bool // the receiver counts losses, so that an empty Lost is a proof
}

// Hook is a place in the kernel or a library where the receiver is not attached.
type Hook struct{ Name, Reason text.Safe }

// Opaque is what a service speaks and is not decoded: what it began as, why, and
// what is in the way, if that is known.
type Opaque struct{ Service, Protocol, Form, Detail text.Safe }

// Loss is how many events of a class were lost for a reason.
type Loss struct {
	Class, Reason text.Safe
	Count         uint64
}

// maxMissing is how many missing hooks are named.
const maxMissing = 8

// AppendStarting appends the line that stands before everything else.
func (s Style) AppendStarting(buf []byte, t time.Time, name text.Safe) []byte {
	buf = s.append(buf, dim, s.clock(t)+"  ")
	buf = s.append(buf, bold, name)
	return append(buf, " is starting to watch this host; Ctrl-C ends it\n"...)
}

// AppendSilence appends that the receiver has not said anything yet.
func (s Style) AppendSilence(buf []byte, t time.Time) []byte {
	return s.appendNote(buf, t, yellow, "nothing is known yet: the receiver has not reported")
}

// AppendWarning appends something that the reader should know at once.
func (s Style) AppendWarning(buf []byte, t time.Time, what text.Safe) []byte {
	return s.appendNote(buf, t, boldRed, what)
}

func (s Style) appendNote(buf []byte, t time.Time, tone tone, what text.Safe) []byte {
	buf = s.append(buf, dim, s.clock(t)+"  ")
	return append(s.append(buf, tone, what), '\n')
}

// AppendStatus appends the state of the watch by itself: what is watched, which
// hooks are missing and why and, as long as no request was seen, what to try.
func (s Style) AppendStatus(buf []byte, t time.Time, st Status) []byte {
	return s.appendMissing(s.AppendHeartbeat(buf, t, st), st)
}

// AppendHeartbeat is AppendStatus without the reasons of what is missing.
func (s Style) AppendHeartbeat(buf []byte, t time.Time, st Status) []byte {
	clock := s.clock(t) + "  "
	counts := s.counts(st)
	if st.Requests == 0 {
		counts[requestCount].text = "0 requests yet"
	}
	buf = s.appendSegments(s.append(buf, dim, clock), clock.Width(), counts)
	if st.Requests == 0 {
		buf = append(buf, "    try: curl http://localhost:PORT/ of any service here, or cat /etc/shadow\n"...)
	}
	return buf
}

// maxOpaque is how many services are named whose connections are not decoded.
const maxOpaque = 8

// AppendOpaque appends a line that says what is seen and not decoded.
func (s Style) AppendOpaque(buf []byte, t time.Time, all []Opaque) []byte {
	lead := s.clock(t) + "  not decoded: "
	segments := make([]segment, 0, maxOpaque+1)
	for i, o := range all {
		if i == maxOpaque {
			segments = append(segments, segment{text: text.Safe("...")})
			break
		}
		words := o.Service + " (" + o.Form
		if o.Form != o.Protocol && o.Protocol != "" {
			words += " of " + o.Protocol
		}
		if o.Detail != "" {
			words += ": " + o.Detail
		}
		segments = append(segments, segment{text: words + ")"})
	}
	return s.appendSegments(s.append(buf, dim, lead), lead.Width(), segments)
}

// AppendEnd appends the last line: for how long and how much was watched.
func (s Style) AppendEnd(buf []byte, t time.Time, watched time.Duration, st Status) []byte {
	lead := s.clock(t) + "  ended after " + s.duration(watched.Round(10*time.Millisecond).Seconds())
	buf = s.append(buf, dim, lead)
	return s.appendSegments(append(buf, s.dot()...), (lead + s.dot()).Width(), s.counts(st))
}

// appendSummary appends the counts on the rule that ends a table.
func (s Style) appendSummary(buf []byte, st Status, width int) []byte {
	if !st.Known {
		return append(s.append(buf, dim, s.rule(width)), '\n')
	}
	lead := s.rule(2) + " "
	return s.appendSegments(s.append(buf, dim, lead), lead.Width(), s.counts(st))
}

type segment struct {
	tone tone
	text text.Safe
}

// appendSegments appends segments with dots between them and ends the line. At
// is the column where the first starts; one that does not fit starts a row.
func (s Style) appendSegments(buf []byte, at int, segments []segment) []byte {
	for i, one := range segments {
		width := one.text.Width()
		switch {
		case i == 0:
		case s.width() > 0 && at+s.dot().Width()+width > s.width():
			buf = append(append(buf, '\n'), text.Safe("").PadRight(belowIndent)...)
			at = belowIndent
		default:
			buf = append(buf, s.dot()...)
			at += s.dot().Width()
		}
		buf = s.append(buf, one.tone, one.text)
		at += width
	}
	return append(buf, '\n')
}

// requestCount is where counts has the requests.
const requestCount = 3

func (s Style) counts(st Status) []segment {
	out := []segment{
		{plain, plural(st.Processes, "process", "processes")},
		{plain, plural(st.Containers, "container", "containers")},
		{plain, plural(st.Events, "event", "events")},
		{plain, plural(st.Requests, "request", "requests")},
	}
	if n := len(st.Missing); n > 0 {
		out = append(out, segment{yellow, count(n) + " of " + plural(st.Hooks, "hook", "hooks") + " missing"})
	}
	return append(out, lost(st))
}

// lost says what was lost: a zero only where losses are counted.
func lost(st Status) segment {
	var total uint64
	for _, l := range st.Lost {
		total += l.Count
	}
	switch {
	case !st.LostKnown:
		return segment{yellow, "losses not known"}
	case total == 0:
		return segment{plain, "lost 0"}
	}
	what := "lost " + count(total)
	for i, l := range st.Lost {
		separator := text.Safe(", ")
		if i == 0 {
			separator = " ("
		}
		what += separator + l.Class + " " + l.Reason + " " + count(l.Count)
	}
	return segment{boldRed, what + ")"}
}

// appendMissing appends one line for each hook that is missing.
func (s Style) appendMissing(buf []byte, st Status) []byte {
	indent := text.Safe("").PadRight(belowIndent)
	for i, h := range st.Missing {
		if i == maxMissing {
			rest := s.ellipsis() + " " + count(len(st.Missing)-i) + " more"
			return append(s.append(buf, yellow, indent+rest+"; sightglass doctor lists them all"), '\n')
		}
		what := indent + "not attached: " + h.Name
		if h.Reason != "" {
			what += ": " + h.Reason
		}
		if width := s.width(); width > 0 {
			what = what.Cut(width, s.ellipsis())
		}
		buf = append(s.append(buf, yellow, what), '\n')
	}
	return buf
}

// Hidden is a number of lines of one sort that were not shown.
type Hidden struct {
	Count     uint64
	One, Many text.Safe // the sort, for one and for several
}

// AppendHidden appends what a limit kept away from the screen. Urgent tells
// that detections are among it.
func (s Style) AppendHidden(buf []byte, hidden []Hidden, urgent bool) []byte {
	what := s.ellipsis()
	for i, h := range hidden {
		if i > 0 {
			what += ","
		}
		more := h.Many
		if h.Count == 1 {
			more = h.One
		}
		what += " " + count(h.Count) + " more " + more
	}
	t := dim
	if urgent {
		t = boldRed
	}
	indent := text.Safe("").PadRight(s.columns().time + s.columns().gap)
	return append(s.append(append(buf, indent...), t, what), '\n')
}
