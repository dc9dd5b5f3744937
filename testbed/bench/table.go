package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// marks are two lines of the README between which the text belongs to this program.
type marks struct{ begin, end string }

var (
	agentMarks     = marks{"<!-- bench:begin (written by make bench) -->", "<!-- bench:end -->"}
	policyMarks    = marks{"<!-- bench-policy:begin (written by make bench-policy) -->", "<!-- bench-policy:end -->"}
	requestMarks   = marks{"<!-- bench-requests:begin (written by make bench-requests) -->", "<!-- bench-requests:end -->"}
	floodMarks     = marks{"<!-- bench-flood:begin (written by make bench-policy) -->", "<!-- bench-flood:end -->"}
	integrityMarks = marks{"<!-- bench-integrity:begin (written by make bench-policy) -->", "<!-- bench-integrity:end -->"}
	connectorMarks = marks{"<!-- bench-latency:begin (written by make bench-latency) -->", "<!-- bench-latency:end -->"}
)

var errNoMarks = errors.New("the file has no benchmark markers")

// replaceBetween puts body between marks of text.
func (m marks) replaceBetween(text, body string) (string, error) {
	head, rest, ok := strings.Cut(text, m.begin)
	if !ok {
		return "", errNoMarks
	}
	_, tail, ok := strings.Cut(rest, m.end)
	if !ok {
		return "", errNoMarks
	}
	return head + m.begin + "\n" + body + m.end + tail, nil
}

// results is everything that was measured; what was not is empty.
type results struct {
	machine   string
	overhead  []callCost
	micro     []microResult
	latency   []lateness
	footprint *footprint
}

// markdown is the report: one table per question.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", r.machine)
	if len(r.overhead) > 0 {
		b.WriteString("\n| CPU time of the calling thread | without | two empty programs | with | added | ratio | times the empty programs |\n|---|---|---|---|---|---|---|\n")
		for _, c := range r.overhead {
			fmt.Fprintf(&b, "| %s | %.0f ns | %.0f ns | %.0f ns | **%.0f ns** | %.2f | **%.2f** |\n", c.what, c.off, c.floor, c.on, c.added, c.ratio, c.floorRatio)
		}
		last := r.overhead[len(r.overhead)-1]
		fmt.Fprintf(&b, "\nThe agent itself spent %.2f µs of CPU time per record.\n", last.agentPerCall/1000)
	}
	if len(r.micro) > 0 {
		b.WriteString("\n| stage, one core | per second | aim | bytes | allocations |\n|---|---|---|---|---|\n")
		for _, m := range r.micro {
			fmt.Fprintf(&b, "| %s | **%s** | %s | %d | %d |\n", m.what, thousands(m.perSecond), aim(m.aim), m.bytes, m.allocs)
		}
	}
	if len(r.latency) > 0 {
		b.WriteString("\n| from the kernel's timestamp | records | read p50 | read p99 | back end p50 | back end p99 |\n|---|---|---|---|---|---|\n")
		for _, l := range r.latency {
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | **%s** |\n", l.what, l.records,
				ms(l.readP50), ms(l.readP99), ms(l.arriveP50), ms(l.arriveP99))
		}
	}
	if f := r.footprint; f != nil {
		b.WriteString("\n| idle agent | |\n|---|---|\n")
		fmt.Fprintf(&b, "| CPU | **%.2f %%** of a core |\n", f.cpu*100)
		fmt.Fprintf(&b, "| RSS / RssAnon | **%s** / %s |\n", megabytes(f.rss), megabytes(f.rssAnon))
		fmt.Fprintf(&b, "| start to ready | %s |\n", ms(f.startup))
		fmt.Fprintf(&b, "| binary, stripped | %s |\n", megabytes(f.binaryBytes))
	}
	return b.String()
}

// thousands writes 1234567 as "1,234,567".
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func aim(v float64) string {
	if v == 0 {
		return ""
	}
	return thousands(v)
}

// ms is empty for what such a record does not have.
func ms(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// megabytes counts by 10^6, as the size budget does.
func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
