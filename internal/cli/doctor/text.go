package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Colours of the statuses, of the sixteen that every terminal has.
var colours = map[Status]string{OK: "\x1b[32m", Warn: "\x1b[33m", Fail: "\x1b[1;31m"}

// nameWidth is the width of the column of names.
const nameWidth = 22

// Text writes the report for a person.
func (r Report) Text(colour bool) string {
	var b strings.Builder
	for _, c := range r.Checks {
		writeItem(&b, colour, c.Status, c.Name, c.Found, c.Missing, c.Remedy)
	}
	b.WriteString("\n")
	hooks := r.Hooks
	if r.ProbeError != "" { // and so they all say the same
		remedy := ""
		if len(hooks) > 0 {
			remedy = hooks[0].Remedy
		}
		found := reason(r.ProbeError, remedy)
		if slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Remedy == remedy }) {
			remedy = ""
		}
		writeItem(&b, colour, Fail, "hooks", found, "everything", remedy)
		hooks = nil
	}
	for _, h := range hooks {
		status, found := OK, h.For
		missing := ""
		if !h.Attached {
			status, found, missing = Warn, reason(h.Error, h.Remedy), h.Missing
			if missing == "" {
				missing = h.For
			}
			if h.Required {
				status = Fail
			}
		}
		writeItem(&b, colour, status, h.Name, found, missing, h.Remedy)
	}
	b.WriteString("\n" + r.verdict() + "\n")
	return b.String()
}

func writeItem(b *strings.Builder, colour bool, status Status, name, found, missing, remedy string) {
	mark := fmt.Sprintf("%-4s", status)
	if colour && colours[status] != "" {
		mark = colours[status] + mark + "\x1b[0m"
	}
	fmt.Fprintf(b, "%s  %-*s  %s\n", mark, nameWidth, name, printable(found))
	indent := strings.Repeat(" ", 4+2+nameWidth+2)
	if missing != "" {
		b.WriteString(indent + "missing: " + printable(missing) + "\n")
	}
	if remedy != "" && status != OK {
		b.WriteString(indent + "remedy: " + printable(remedy) + "\n")
	}
}

func (r Report) verdict() string {
	hooks := fmt.Sprintf("%d of %d hooks are attached", r.Attached(), len(r.Hooks))
	switch {
	case r.ProbeError != "" || len(r.Hooks) == 0:
		return "sightglass cannot work here: no hook could be tried."
	case !r.MainJob:
		return "sightglass cannot do its main job here: " + hooks + ", and one that it needs is not."
	case r.Attached() < len(r.Hooks):
		return "sightglass can do its main job here: " + hooks + "; what the others would add is named above."
	}
	return "sightglass can do its job here: " + hooks + "."
}

// reason is the first line of an error, without the remedy that it may end with:
// the verifier's log, which can be thousands of lines, is left to the JSON form.
func reason(err, remedy string) string {
	line, _, _ := strings.Cut(err, "\n")
	return strings.TrimSuffix(line, ": "+remedy)
}

// printable replaces what could disturb a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
