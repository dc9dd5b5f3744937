package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// problem is one thing that is wrong.
type problem struct {
	path  []string // of the block: exporters, terminal
	key   string   // inside the block, or inside its parent when the block itself is wrong; may be empty
	what  string
	given string   // the word that is not known
	known []string // what would be, where the message says so
}

const (
	decodingFailed = "decoding failed due to the following error(s):"
	buildFailed    = "failed to build pipelines: "
)

var (
	// 'exporters' error reading configuration for "terminal": REST
	readingFor = regexp.MustCompile(`^'([^']*)' error reading configuration for "([^"]*)":\s*`)
	// 'sending_queue' decoding failed due to the following error(s): REST
	nested = regexp.MustCompile(`^'([^']*)'\s+` + regexp.QuoteMeta(decodingFailed) + `\s*`)
	// 'terminalexporter.Config' has invalid keys: colr, widht
	invalidKeys = regexp.MustCompile(`^'([^']*)' has invalid keys: (.*)$`)
	// 'exporters' unknown type: "terminl" for id: "terminl/x" (valid values: [terminal otlp_http])
	unknownType = regexp.MustCompile(`^'([^']*)' unknown type: "([^"]*)" for id: "([^"]*)" \(valid values: \[([^\]]*)\]\)`)
	// 'service.pipelines' in "log" id: unknown pipeline signal: "log"
	unknownSignal = regexp.MustCompile(`^'([^']*)' in "([^"]*)" id: unknown pipeline signal: "([^"]*)"`)
	// 'level' unknown metrics level "verbose"
	unknownLevel = regexp.MustCompile(`^'([^']*)' unknown metrics level "([^"]*)"`)
	// 'logs.level' unrecognized level: "verbose"
	unknownLogLevel = regexp.MustCompile(`^'([^']*)' unrecognized level: "([^"]*)"`)
	// 'width' expected type 'int', got unconvertible type 'string'
	wrongType = regexp.MustCompile(`^'([^']*)' expected type '([^']*)', got unconvertible type '([^']*)'`)
	// 'receivers' expected a map or struct, got "slice"
	noBlock = regexp.MustCompile(`^'([^']*)' expected a map or struct, got "([^"]*)"`)
	// 'service.pipelines[logs].exporters' source data must be an array or slice, got string
	noList = regexp.MustCompile(`^'([^']*)' source data must be an array or slice, got (\S*)`)
	// 'timeout' time: invalid duration "ten (the rest is cut off)
	noDuration = regexp.MustCompile(`^'([^']*)' time: `)
	// 'table_interval' REST
	quoted = regexp.MustCompile(`^'([^']*)' (.*)$`)
	// exporters::terminal: REST
	validation = regexp.MustCompile(`^((?:receivers|processors|exporters|connectors|extensions|service)(?:::[^:\s]+)*): (.*)$`)
	// references exporter "foo" which is not configured
	notConfigured = regexp.MustCompile(`^references (\w+) "([^"]*)" which is not configured`)
	// unable to read the file file:/x.yaml: open /x.yaml: no such file or directory
	unreadable = regexp.MustCompile(`unable to read the file (?:file:)?([^:]+): open [^:]+: (.*)$`)
	// failed to create "otlp_http" exporter for data type "logs": REST
	notCreated = regexp.MustCompile(`^failed to create "([^"]*)" (receiver|processor|exporter|connector) [^:]*: (.*)$`)
	// connector "service_latency" used as receiver in [logs] pipeline but not used in any supported exporter pipeline
	halfConnector = regexp.MustCompile(`^connector "([^"]*)" used as (receiver|exporter) in \[([^\]]*)\] pipeline but not used in any supported (receiver|exporter) pipeline`)
	// width: must not be negative
	leadingKey = regexp.MustCompile(`^([a-z][a-z0-9_]*): `)
	// environment variable "${env:X}" and the like keep their form; a line of
	// nothing but space ends no problem.
	blank = regexp.MustCompile(`^\s*$`)
)

// parse takes a message of the collector apart. It never returns an empty
// list: what it cannot read becomes one problem with the text in one line.
func parse(message string) []problem {
	problems := slices.DeleteFunc(parseAll(message), func(p problem) bool { return p.what == "" })
	if len(problems) == 0 {
		return []problem{{what: "cannot be used: " + strings.TrimSpace(message)}}
	}
	return problems
}

func parseAll(message string) []problem {
	for trimmed := true; trimmed; {
		trimmed = false
		for _, prefix := range wrappers {
			if rest, ok := strings.CutPrefix(message, prefix); ok {
				message, trimmed = rest, true
			}
		}
	}
	if m := unreadable.FindStringSubmatch(message); m != nil {
		return []problem{{what: "cannot read " + m[1] + ": " + m[2]}}
	}
	if rest, ok := strings.CutPrefix(message, decodingFailed); ok {
		return parseDecoding(rest)
	}
	if rest, ok := strings.CutPrefix(message, buildFailed); ok {
		return []problem{parseBuild(rest)}
	}
	return parseValidation(message)
}

// parseBuild reads what only shows when the pipelines are put together.
func parseBuild(message string) problem {
	message = strings.TrimSpace(message)
	if m := notCreated.FindStringSubmatch(message); m != nil {
		return problem{path: []string{sectionOf(m[2]), m[1]}, what: m[3]}
	}
	if m := halfConnector.FindStringSubmatch(message); m != nil {
		return problem{path: []string{"connectors", m[1]}, what: fmt.Sprintf(
			"is one of the %ss of a %s pipeline, but no pipeline that fits names it among its %ss: name it there, too", m[2], m[3], m[4])}
	}
	return problem{path: []string{"service", "pipelines"}, what: message}
}

// parseDecoding reads the errors of unmarshalling, in which each level of
// nesting is one quoted name.
func parseDecoding(message string) []problem {
	var problems []problem
	var path []string
	rest := strings.TrimSpace(message)
	for rest != "" {
		if m := readingFor.FindStringSubmatch(rest); m != nil {
			path = append(sections(m[1]), m[2])
			rest = strings.TrimSpace(strings.TrimPrefix(rest[len(m[0]):], decodingFailed))
			continue
		}
		if m := nested.FindStringSubmatch(rest); m != nil {
			path = slices.Concat(path, sections(m[1]))
			rest = rest[len(m[0]):]
			continue
		}
		line, remaining, _ := strings.Cut(rest, "\n")
		problems = append(problems, decodingProblems(path, strings.TrimSpace(line))...)
		rest = strings.TrimSpace(remaining)
	}
	return problems
}

// decodingProblems reads the innermost line of a decoding error.
func decodingProblems(path []string, line string) []problem {
	in := func(name string) []string { return slices.Concat(path, sections(name)) }
	if m := invalidKeys.FindStringSubmatch(line); m != nil {
		var problems []problem
		for key := range strings.SplitSeq(m[2], ", ") {
			problems = append(problems, problem{path: in(m[1]), key: key, what: `unknown key "` + key + `"`, given: key})
		}
		return problems
	}
	if m := unknownType.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), key: m[3], what: `there is no component "` + m[2] + `"`, given: m[2], known: strings.Fields(m[4])}}
	}
	if m := unknownSignal.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), key: m[2], what: `there is no signal "` + m[3] + `"`, given: m[3], known: []string{"logs", "metrics", "traces", "profiles"}}}
	}
	if m := unknownLevel.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), what: `there is no level "` + m[2] + `"`, given: m[2], known: []string{"none", "basic", "normal", "detailed"}}}
	}
	if m := unknownLogLevel.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), what: `there is no level "` + m[2] + `"`, given: m[2], known: []string{"debug", "info", "warn", "error"}}}
	}
	if m := wrongType.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), what: "wants " + typeName(m[2]) + ", got " + typeName(m[3])}}
	}
	if m := noBlock.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), what: "wants " + typeName("map[") + ", got " + typeName(m[2])}}
	}
	if m := noList.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), what: "wants " + typeName("[]") + ", got " + typeName(m[2])}}
	}
	if m := noDuration.FindStringSubmatch(line); m != nil {
		return []problem{{path: in(m[1]), what: "wants " + typeName("time.Duration")}}
	}
	if m := quoted.FindStringSubmatch(line); m != nil {
		p := problem{path: in(m[1]), what: m[2]}
		if m := leadingKey.FindStringSubmatch(p.what); m != nil {
			p.key = m[1]
		}
		return []problem{p}
	}
	return []problem{{path: path, what: line}}
}

// sections splits a name as mapstructure writes it. Names of Go types and
// empty names tell a user nothing.
func sections(name string) []string {
	if name == "" || strings.Contains(name, ".") && strings.ToLower(name) != name {
		return nil
	}
	return strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(".[]", r) }) // service.pipelines[logs]
}

// typeName says in a configuration's words what Go calls t.
func typeName(t string) string {
	switch {
	case t == "string":
		return "text"
	case t == "bool":
		return "true or false"
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		return "a whole number"
	case strings.HasPrefix(t, "float"):
		return "a number"
	case t == "time.Duration":
		return "a duration, such as 500ms, 10s or 1h30m"
	case t == "slice", strings.HasPrefix(t, "[]"):
		return "a list"
	case t == "map", strings.HasPrefix(t, "map["):
		return "a block of keys"
	}
	return t
}

// parseValidation reads the errors of Validate: "a::b: text", where a line
// without a path belongs to the one before.
func parseValidation(message string) []problem {
	var problems []problem
	var path []string
	for line := range strings.SplitSeq(message, "\n") {
		if blank.MatchString(line) {
			continue
		}
		if m := validation.FindStringSubmatch(line); m != nil {
			path, line = strings.Split(m[1], "::"), m[2]
		}
		p := problem{path: path, what: strings.TrimSpace(line)}
		if m := notConfigured.FindStringSubmatch(line); m != nil {
			p.key, p.given, p.known = m[1]+"s", m[2], []string{sectionOf(m[1])}
		} else if m := leadingKey.FindStringSubmatch(line); m != nil {
			p.key = m[1]
		}
		problems = append(problems, p)
	}
	return problems
}

// sectionOf is where components of the named sort are configured.
func sectionOf(class string) string { return class + "s" }
