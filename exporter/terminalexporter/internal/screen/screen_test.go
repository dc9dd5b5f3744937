package screen

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

func TestNumbers(t *testing.T) {
	for want, got := range map[text.Safe]text.Safe{
		"0": count(0), "999": count(999), "1,000": count(1000), "-1,234,567": count(-1234567), "-123": count(-123),
		"1 dog": plural(1, "dog", "dogs"), "2,000 dogs": plural(2000, "dog", "dogs"),
		"0.2": rate(0.2), "99.9": rate(99.9), "12,346": rate(12345.6),
		"0 %": share(0), "<0.1 %": share(0.0001), "8.3 %": share(0.083), "50 %": share(0.5), "99 %": share(0.9999), "100 %": share(1),
	} {
		require.Equal(t, want, got)
	}
}

func TestDurations(t *testing.T) {
	s := Style{}
	for want, seconds := range map[text.Safe]float64{
		"-": math.NaN(), "0.00 µs": 0, "1.23 µs": 1.234e-6, "850 µs": 850e-6, "1.00 ms": 999.9e-6, "12.3 ms": 12.34e-3,
		"123 ms": 123.4e-3, "1.00 s": 0.9999, "12.3 s": 12.34, "1,234 s": 1234, "1.0e+20 s": 1e20,
	} {
		require.Equal(t, want, s.duration(seconds))
	}
	require.Equal(t, text.Safe("850 us"), Style{ASCII: true}.duration(850e-6))
}

func TestTagOf(t *testing.T) {
	for priority, want := range map[string]text.Safe{
		"Emergency": "EMERG", "Alert": "ALERT", "Critical": "CRITICAL", "Error": "ERROR", "WARNING": "WARNING",
		"Notice": "NOTICE", "Informational": "INFO", "Info": "INFO", "Debug": "DEBUG", "": "MATCH", "odd": "MATCH",
	} {
		require.Equal(t, want, TagOf(priority, 0).word)
	}
	for severity, want := range map[plog.SeverityNumber]text.Safe{
		plog.SeverityNumberFatal: "CRITICAL", plog.SeverityNumberError2: "ERROR", plog.SeverityNumberWarn: "WARNING",
		plog.SeverityNumberInfo2: "NOTICE", plog.SeverityNumberInfo: "INFO", plog.SeverityNumberTrace: "DEBUG",
	} {
		require.Equal(t, want, TagOf("", severity).word)
	}
}

func TestOrigin(t *testing.T) {
	for want, l := range map[text.Safe]Line{
		"":               {},
		"← bash":         {Parent: "bash"}, // of a service without a name, too
		"← bash  in web": {Parent: "bash", Container: "web"},
		"by cron":        {By: "cron", Parent: "bash", Service: "web"},
		"in web":         {By: "web", Parent: "bash", Service: "web", Container: "web"},
	} {
		require.Equal(t, want, Style{}.origin(l))
	}
}

// Whatever a line holds, on a screen it keeps to the width, and its escape
// sequences are ours.
func TestLinesKeepTheWidth(t *testing.T) {
	for _, width := range []int{60, 80, 99, 100, 149, 150, 200} {
		for n := range 300 {
			words := text.Safe(strings.Repeat("日本 ", n))
			l := Line{Time: noon, Tag: TagRun, Service: words, User: words, PID: 1 << 40, Title: words, Text: words, Note: words, Parent: words, Container: words}
			for _, wrap := range []bool{false, true} {
				l.Wrap = wrap
				out := string(Style{Width: width}.AppendLine(nil, l))
				rows := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
				require.LessOrEqual(t, len(rows), maxRows)
				for _, row := range rows {
					require.LessOrEqual(t, text.Safe(row).Width(), width+len("1099511627776")-7)
				}
				coloured := string(Style{Width: width, Colour: true}.AppendLine(nil, l))
				require.Equal(t, out, stripColour(coloured))
			}
		}
	}
}

func stripColour(s string) string {
	for _, t := range []tone{bold, dim, red, green, yellow, blue, cyan, boldRed, toneReset} {
		s = strings.ReplaceAll(s, string(t), "")
	}
	return s
}

func BenchmarkAppendLine(b *testing.B) {
	l := Line{Time: noon, Tag: TagRun, Service: "nginx", User: "root", PID: 4321, Text: "cat /etc/shadow", Parent: "bash"}
	s := Style{Width: 140, Colour: true}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = s.AppendLine(buf[:0], l)
	}
}
