package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// stage is the last stage of a Dockerfile.
type stage struct {
	workdir    string // of the stage that files are copied from
	copies     []fileCopy
	labels     map[string]string
	env        []string
	user       string
	entrypoint []string
	cmd        []string
}

// fileCopy is one COPY --from of a single file.
type fileCopy struct{ src, dst string }

var errNotScratch = errors.New("the last stage must begin with FROM scratch")

// parse reads the text of a Dockerfile. Instructions before the last FROM count
// only for their WORKDIR.
func parse(text string) (*stage, error) {
	var (
		st      *stage
		workdir string
	)
	for i, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
		case word == "FROM" && rest == "scratch":
			st = &stage{workdir: workdir, labels: map[string]string{}}
		case word == "FROM":
			st = nil
		case st == nil && word == "WORKDIR":
			workdir = rest
		case st != nil:
			if err := st.add(word, rest); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
	}
	if st == nil {
		return nil, errNotScratch
	}
	return st, nil
}

// add applies one instruction.
func (s *stage) add(word, rest string) error {
	switch word {
	case "COPY":
		return s.addCopy(strings.Fields(rest))
	case "LABEL":
		key, value, ok := strings.Cut(rest, "=")
		quoted := len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"'
		if !ok || strings.Contains(value, " ") && !quoted {
			return fmt.Errorf("LABEL %s: want one KEY=VALUE or KEY=\"VALUE\"", rest)
		}
		s.labels[key] = strings.Trim(value, `"`)
	case "ENV":
		s.env = append(s.env, rest)
	case "USER":
		s.user = rest
	case "ENTRYPOINT":
		return list(rest, &s.entrypoint)
	case "CMD":
		return list(rest, &s.cmd)
	default:
		return fmt.Errorf("instruction %s is not supported in the last stage", word)
	}
	return nil
}

func (s *stage) addCopy(args []string) error {
	if len(args) != 3 || !strings.HasPrefix(args[0], "--from=") ||
		!strings.HasPrefix(args[1], "/") || !strings.HasPrefix(args[2], "/") || strings.HasSuffix(args[2], "/") {
		return fmt.Errorf("COPY %s: want --from=STAGE /FILE /FILE", strings.Join(args, " "))
	}
	s.copies = append(s.copies, fileCopy{src: args[1], dst: args[2]})
	return nil
}

// list parses the JSON form of ENTRYPOINT and CMD; the shell form needs a shell,
// which a scratch image does not have.
func list(text string, into *[]string) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%s: want a JSON list of strings: %w", text, err)
	}
	return nil
}
