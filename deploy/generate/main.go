// Command generate writes deploy/grafana/*.json and
// deploy/prometheus/recording.yaml. It runs in deploy, by go generate.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	for _, b := range boards() {
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(b.dashboard()); err != nil {
			return err
		}
		if err := os.WriteFile("grafana/"+b.file+".json", text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile("prometheus/recording.yaml", recordingRules(), 0o644)
}
