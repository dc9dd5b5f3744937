package explain

import (
	"regexp"
	"strings"
)

var (
	// cannot start pipelines: failed to start "otlp" receiver: REST
	notStarted = regexp.MustCompile(`^cannot start pipelines: failed to start "([^"]*)" (receiver|processor|exporter|connector): ((?s).*)$`)
	// failed to build extensions: failed to create extension "file_storage": REST
	notMade = regexp.MustCompile(`^failed to build extensions: failed to create extension "([^"]*)": ((?s).*)$`)
	// failed to start extensions: REST
	noExtensions = regexp.MustCompile(`^failed to start extensions: ((?s).*)$`)
	// failed to create meter provider: REST
	noTelemetry = regexp.MustCompile(`^failed to create meter provider: ((?s).*)$`)
	// the kind of an issue with a rule file, as in "permission denied (LOAD_ERR_FILE_READ)"
	issueCode = regexp.MustCompile(` \([A-Z_]+\)$`)
)

// startRemedies say what to do about what the system answers when components
// start. Only what a message ends with is looked at: other components, ours
// first of all, tell the remedy themselves.
var startRemedies = []struct{ complaint, remedy string }{
	{"address already in use", "give another endpoint, or end the program that listens there ('ss -ltnp' names it)"},
	{"cannot assign requested address", "give an address of this machine, or 0.0.0.0 for all of them"},
	{": invalid port", "a port is a number from 1 to 65535"},
	{": no such host", "give a name that this machine can resolve, or an address"},
	{": permission denied", "let the user that the agent runs as have it"},
	{": read-only file system", "give a place that can be written to"},
	{": no space left on device", "make room on that disk"},
	{": no such file or directory", "correct the path, or make what it names"},
}

// parseStart reads why a component of a valid configuration cannot start. Not
// ok: message is about something else.
func parseStart(message string) (p problem, ok bool) {
	var why string
	if m := notStarted.FindStringSubmatch(message); m != nil {
		p.path, why = []string{sectionOf(m[2]), m[1]}, m[3]
	} else if m := notMade.FindStringSubmatch(message); m != nil {
		p.path, why = []string{"extensions", m[1]}, m[2]
	} else if m := noExtensions.FindStringSubmatch(message); m != nil {
		p.path, why = []string{"service", "extensions"}, m[1]
	} else if m := noTelemetry.FindStringSubmatch(message); m != nil {
		p.path, why = []string{"service", "telemetry", "metrics"}, m[1]
	} else {
		return p, false
	}
	p.what = "cannot start: " + why
	plain := issueCode.ReplaceAllString(why, "")
	for _, r := range startRemedies {
		if strings.HasSuffix(plain, r.complaint) {
			p.what += ": " + r.remedy
		}
	}
	return p, true
}
