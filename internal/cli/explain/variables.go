package explain

import (
	"os"
	"regexp"
	"slices"
)

// variable is ${env:NAME}, ${NAME} or ${env:NAME:-default}.
var variable = regexp.MustCompile(`\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)

// variables says what the value at the path of p takes from the environment:
// that a variable is not set, or which one to change. It is empty where a value
// stands in the file itself.
func (p problem) variables(documents []Document) string {
	if p.key == "" {
		return ""
	}
	path := slices.Concat(p.path, []string{p.key})
	for _, d := range slices.Backward(documents) {
		m := variable.FindStringSubmatch(d.text(path))
		if m == nil {
			continue
		}
		if _, set := os.LookupEnv(m[1]); set {
			return "it is the value of the environment variable " + m[1]
		}
		if m[2] == "" {
			return "the environment variable " + m[1] + " is not set"
		}
	}
	return ""
}
