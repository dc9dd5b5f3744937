package explain

import (
	"fmt"
	"path/filepath"
	"strings"
)

// AbsentRules tells which rule files are not on this machine, a line for each. A
// configuration may be checked elsewhere than where it will run, so that their
// absence is no error; that nobody has looked at the rules must be said.
func AbsentRules(documents []Document) []string {
	var lines []string
	for _, d := range documents {
		for _, id := range keys([]Document{d}, "processors") {
			if name, _, _ := strings.Cut(id, "/"); name != "security_policy" {
				continue
			}
			for _, pattern := range d.list("processors", id, "rules_files") {
				if found, err := filepath.Glob(pattern); len(found) > 0 || err != nil || strings.Contains(pattern, "${") {
					continue
				}
				at, line := locate([]Document{d}, []string{"processors", id}, "rules_files")
				lines = append(lines, fmt.Sprintf("%s:%d: processors::%s: rules_files: %s names no file on this machine: the rules are not checked", at, line, id, pattern))
			}
		}
	}
	return lines
}
