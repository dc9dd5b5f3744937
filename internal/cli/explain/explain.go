package explain

import (
	"errors"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/otelcol"
)

// Error is a configuration error in the words of the user's own files. It
// unwraps to the collector's.
type Error struct {
	lines []string
	err   error
}

// Error returns one line per problem.
func (e *Error) Error() string { return strings.Join(e.lines, "\n") }

// Unwrap returns the collector's error.
func (e *Error) Unwrap() error { return e.err }

// ErrNoConfig replaces the collector's complaint that --config is missing.
var ErrNoConfig = errors.New("no configuration given; try 'sightglass run', which watches this host with the built-in one, or 'sightglass --config FILE'")

// Explain returns err in readable form; an err that is neither about the
// configuration nor about the start of one of its components comes back as it
// is. Documents are the configuration in the order in which it is merged;
// factories supply the names of valid keys.
func Explain(err error, documents []Document, factories otelcol.Factories) error {
	if err == nil {
		return nil
	}
	message := err.Error()
	switch {
	case strings.HasPrefix(message, "at least one config flag must be provided"):
		return ErrNoConfig
	case !aboutConfig(message):
		p, ok := parseStart(message)
		if !ok {
			return err
		}
		return &Error{[]string{p.describe(documents, newCatalogue(documents, factories))}, err}
	}
	if broken := brokenDocuments(documents); len(broken) > 0 {
		return &Error{broken, err}
	}
	valid := newCatalogue(documents, factories)
	var lines []string
	for _, p := range parse(message) {
		lines = append(lines, p.describe(documents, valid))
	}
	return &Error{lines, err}
}

// aboutConfig tells configuration errors from those of a running collector:
// the first are those that the collector wraps, and those of its validation,
// which start with a path.
func aboutConfig(message string) bool {
	for _, prefix := range append([]string{buildFailed}, wrappers...) {
		if strings.HasPrefix(message, prefix) {
			return true
		}
	}
	section, _, isPath := strings.Cut(message, "::")
	if strings.HasPrefix(message, "empty configuration file") {
		return true
	}
	return isPath && isSection(section)
}

// wrappers are what the collector puts before a configuration error.
var wrappers = []string{
	"failed to get config: ",
	"invalid configuration: ",
	"cannot unmarshal the configuration: ",
	"cannot resolve the configuration: ",
	"cannot retrieve the configuration: ",
}

func isSection(name string) bool {
	switch name {
	case "receivers", "processors", "exporters", "connectors", "extensions", "service":
		return true
	}
	return false
}

// describe writes one problem as "file:line: a::b: what; remedy".
func (p problem) describe(documents []Document, valid catalogue) string {
	var b strings.Builder
	if name, line := locate(documents, p.path, p.key); name != "" {
		b.WriteString(name)
		if line > 0 {
			b.WriteString(":" + strconv.Itoa(line))
		}
		b.WriteString(": ")
	}
	if len(p.path) > 0 {
		b.WriteString(strings.Join(p.path, "::") + ": ")
	}
	b.WriteString(p.what)
	if remedy := valid.remedy(p); remedy != "" {
		b.WriteString("; " + remedy)
	}
	if origin := p.variables(documents); origin != "" {
		b.WriteString("; " + origin)
	}
	return b.String()
}
