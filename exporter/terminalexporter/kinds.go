package terminalexporter

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
	"github.com/sightglass/sightglass/internal/schema"
)

// kind is an index into kinds.
type kind uint8

// sort is one sort of lines: its name in the configuration, the events that
// make such a line, how many lines are called, and how a line is made.
type sort struct {
	show      string
	events    []string
	one, many text.Safe
	line      func(record) screen.Line
	skip      func(record) bool // nil: all are worth a line
}

// kinds is the list of all sorts of lines made of log records; one more for
// spans. A detection comes first: where lines are counted, it is named first.
var kinds = [...]sort{
	{"detections", []string{schema.EventPolicyMatch}, "detection", "detections", detectionLine, nil},
	{"commands", []string{schema.EventProcessExec}, "command", "commands", commandLine, nil},
	{"logins", []string{schema.EventLoginStart, schema.EventLoginEnd}, "login", "logins", loginLine, nil},
	{"listens", []string{schema.EventNetworkListen}, "listening socket", "listening sockets", listenLine, notListening},
	{"connections", []string{schema.EventNetworkConnect, schema.EventNetworkAccept}, "connection", "connections", connectionLine, nil},
	{"files", []string{schema.EventFileOpen, schema.EventFileChange, schema.EventFileModified}, "file", "files", fileLine, nil},
	{"exits", []string{schema.EventProcessExit}, "exit", "exits", exitLine, nil},
	{"syscalls", []string{schema.EventSyscall}, "system call", "system calls", syscallLine, nil},
	{showRequests, nil, "request", "requests", nil, nil},
}

const showRequests = "requests"

const (
	kindDetection kind = 0
	kindRequest   kind = kind(len(kinds) - 1)
)

// selection says which kinds to show, and finds them by event name.
type selection struct {
	byEvent  map[string]kind
	requests bool
}

// selected is a record of a kind that is shown.
type selected struct {
	record

	kind kind
}

// from returns the records of a batch that are shown, in the order in which
// they happened: a batch has them by resource.
func (s *selection) from(ld plog.Logs) []selected {
	var out []selected
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				k, ok := s.byEvent[lr.EventName()]
				r := record{lr, rl.Resource().Attributes()}
				if ok && (kinds[k].skip == nil || !kinds[k].skip(r)) {
					out = append(out, selected{r, k})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b selected) int { return cmp.Compare(a.time(), b.time()) })
	return out
}

func newSelection(show []string) selection {
	s := selection{byEvent: map[string]kind{}, requests: slices.Contains(show, showRequests)}
	for i, one := range kinds {
		if !slices.Contains(show, one.show) {
			continue
		}
		for _, event := range one.events {
			s.byEvent[event] = kind(i)
		}
	}
	return s
}
