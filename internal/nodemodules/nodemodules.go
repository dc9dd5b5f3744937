// Package nodemodules finds what 'npm ci' has put into testbed/node: programs and
// libraries that no Debian package has.
package nodemodules

import (
	"os"
	"path/filepath"
	"testing"
)

// Path is where name lies below testbed/node/node_modules; the empty name is that
// folder. Without it the test is skipped.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for !exists(filepath.Join(dir, "testbed/node/package.json")) {
		if dir == filepath.Dir(dir) {
			tb.Fatal("no testbed/node above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "testbed/node/node_modules", name)
	if !exists(path) {
		tb.Skip("run 'npm ci' in testbed/node")
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
