// Package policies holds the policies that Sightglass evaluates when the
// configuration names no rule files: one file per theme, in the Falco rules
// language, each rule with tests of both outcomes.
package policies

import "embed"

//go:embed *.yaml
var files embed.FS

// order is how the files are loaded: shared lists and macros first, and then
// so that of several rules that match an event the most telling one comes
// first, for usually only the first one fires.
var order = []string{
	"base.yaml",
	"mining.yaml",
	"escape.yaml",
	"shells.yaml",
	"persistence.yaml",
	"kubernetes.yaml",
	"execution.yaml",
	"logins.yaml",
	"credentials.yaml",
	"evasion.yaml",
	"network.yaml",
	"files.yaml",
	"containers.yaml",
}

// File is one embedded rule file.
type File struct {
	Name    string // of the file, such as shells.yaml
	Content []byte
}

// Files returns the embedded rule files in the order in which they have to be
// loaded.
func Files() ([]File, error) {
	out := make([]File, len(order))
	for i, name := range order {
		content, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[i] = File{Name: name, Content: content}
	}
	return out, nil
}
