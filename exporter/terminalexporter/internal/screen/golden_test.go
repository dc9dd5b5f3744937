package screen

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// styles are the screens that everything is drawn on.
var styles = map[string]Style{
	"pipe":   {},
	"wide":   {Width: 160, Colour: true},
	"narrow": {Width: 80},
	"tiny":   {Width: 1},
	"ascii":  {Width: 120, ASCII: true},
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 123_456_789, time.UTC)

// golden compares what draw appends on every screen with the files of name.
func golden(t *testing.T, name string, draw func(Style, []byte) []byte) {
	t.Helper()
	for screen, style := range styles {
		path := filepath.Join("testdata", name+"."+screen+".txt")
		got := string(draw(style, nil))
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "%s; -update rewrites it", path)
	}
}

func TestLines(t *testing.T) {
	run := Line{Time: noon, Tag: TagRun, Service: "nginx", User: "root", PID: 4321, Text: "cat /etc/shadow", Parent: "bash"}
	container := run
	container.Text, container.Container, container.PID = "sh -c 'echo hello; sleep 1; echo a rather long command line that no screen has room for, not even a wide one'", "web-1", 4194304
	long := run
	long.Service, long.User, long.Note = "a-service-with-a-very-long-name", "somebody-with-a-name", "not in the image"
	listen := Line{Time: noon, Tag: TagListen, Service: "nginx", User: "www-data", PID: 1, Text: "tcp 0.0.0.0:80"}
	unknown := Line{Time: noon, Tag: TagLogin, Text: "日本語のコマンド"}
	golden(t, "lines", func(s Style, buf []byte) []byte {
		buf = s.AppendStarting(buf, noon, "sightglass 0.1.0")
		buf = s.AppendHeader(buf)
		for _, l := range []Line{run, container, long, listen, unknown} {
			buf = s.AppendLine(buf, l)
		}
		return buf
	})
}

func TestDetections(t *testing.T) {
	match := Line{
		Time: noon, Tag: TagOf("Warning", 0), Service: "web", User: "root", PID: 77, Wrap: true, Title: "Read sensitive file untrusted",
		Text: "Sensitive file opened for reading by a program that is not trusted (file=/etc/shadow gparent=sshd evt_type=openat user=root process=cat proc_exepath=/usr/bin/cat parent=bash command=cat /etc/shadow terminal=34816)",
	}
	inContainer := match
	inContainer.Tag, inContainer.Container, inContainer.Text = TagOf("Critical", 0), "web-1", "short"
	untitled := match
	untitled.Tag, untitled.Title = TagOf("", plog.SeverityNumberInfo2), ""
	onlyTitle := match
	onlyTitle.Text = ""
	details := match
	details.Text = "(user=root)"
	golden(t, "detections", func(s Style, buf []byte) []byte {
		for _, l := range []Line{match, inContainer, untitled, onlyTitle, details} {
			buf = s.AppendLine(buf, l)
		}
		return buf
	})
}

func TestTables(t *testing.T) {
	table := Table{
		Time: noon, Interval: 5 * time.Second,
		Rows: []TableRow{
			{Service: "shop/checkout", Side: "server", Protocol: "http", PerSecond: 12345.6, Errors: 0.083, P50: 0.00085, P95: 0.0123, P99: 1.5},
			{Service: "a-service-with-a-name-that-is-far-too-long-for-most-screens", Side: "client", Protocol: "a.long.protocol", PerSecond: 0.2, P50: 12, P95: 123, P99: math.NaN()},
		},
		More:   2,
		Status: Status{Known: true, LostKnown: true, Processes: 212, Containers: 3, Events: 12345, Requests: 1, Hooks: 30},
	}
	golden(t, "table", func(s Style, buf []byte) []byte {
		buf = s.AppendTable(buf, table)
		return s.AppendTable(buf, Table{Time: noon, Interval: time.Second, Rows: table.Rows[:1]})
	})
}

func TestStatus(t *testing.T) {
	idle := Status{Known: true, LostKnown: true, Processes: 1, Containers: 1, Events: 1, Hooks: 30}
	missing := idle
	missing.Missing = []Hook{{"tracepoint/io_uring", "no such tracepoint in this kernel"}, {"uprobe/ssl", ""}}
	many := idle
	for range maxMissing + 3 {
		many.Missing = append(many.Missing, Hook{"hook", "reason"})
	}
	lossy := idle
	lossy.Requests = 12
	lossy.Lost = []Loss{{"security", "ring_full", 1234}, {"requests", "ring_full", 5}}
	blind := idle
	blind.LostKnown = false
	golden(t, "status", func(s Style, buf []byte) []byte {
		buf = s.AppendSilence(buf, noon)
		for _, st := range []Status{idle, missing, many, lossy, blind} {
			buf = s.AppendStatus(buf, noon, st)
		}
		buf = s.AppendHeartbeat(buf, noon, many)
		buf = s.AppendOpaque(buf, noon, []Opaque{{"java", "tls", "tls", "Java's own TLS"}, {"shop", "postgresql", "tls", ""}})
		buf = s.AppendOpaque(buf, noon, make([]Opaque, maxOpaque+1))
		buf = s.AppendEnd(buf, noon, 83*time.Second, lossy)
		buf = s.AppendWarning(buf, noon, "lost 12 events")
		buf = s.AppendHidden(buf, []Hidden{{1234, "command", "commands"}, {1, "login", "logins"}}, false)
		return s.AppendHidden(buf, []Hidden{{2, "detection", "detections"}}, true)
	})
}
