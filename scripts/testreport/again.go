package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// crash begins what a package writes that ended in the midst of its tests: which of
// them are left nobody knows.
var crash = regexp.MustCompile(`^(panic:|fatal error:|SIG[A-Z]+:|signal: )`)

// again reads the events of packages and writes a line for each of which tests
// failed: its name, and the pattern for 'go test -run' that names them. Packages
// that crashed have none.
func again(in io.Reader, w io.Writer) error {
	failed := map[string]map[string]bool{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	crashed := map[string]bool{}
	for lines.Scan() {
		var ev event
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			continue // the report shows it
		}
		switch {
		case ev.Action == "output" && crash.MatchString(ev.Output):
			crashed[ev.Package] = true
		case ev.Action == "fail" && ev.Test != "":
			if failed[ev.Package] == nil {
				failed[ev.Package] = map[string]bool{}
			}
			whole, _, _ := strings.Cut(ev.Test, "/")
			failed[ev.Package][whole] = true
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(failed)) {
		if !crashed[pkg] {
			fmt.Fprintf(w, "%s ^(%s)$\n", pkg, strings.Join(slices.Sorted(maps.Keys(failed[pkg])), "|"))
		}
	}
	return lines.Err()
}
