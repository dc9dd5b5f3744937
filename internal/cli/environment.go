package cli

import (
	"fmt"
	"io"
	"strings"
)

// environment is what the built-in configuration takes from the environment:
// YAML has no conditionals, so that the lists of exporters come from here.
type environment struct {
	values  map[string]string // what the user has set already wins
	flags   map[string]string // wins over what is set
	notes   []string          // where the data goes
	release func()            // gives the data file up
}

// environment works the variables out. It claims a data file; one that cannot
// be had is a note, no error.
func (o *runOptions) environment(getenv func(string) string) (environment, error) {
	otlp, err := otlpFromEnvironment(getenv)
	if err != nil {
		return environment{}, err
	}
	env := environment{values: map[string]string{}, flags: map[string]string{}, release: func() {}}
	exporters := []string{"terminal"}
	path, release, err := claimDataFile(o.dataFolder(getenv))
	if err == nil {
		env.release = release
		env.values["SIGHTGLASS_FILE"] = path
		exporters = append(exporters, "file")
		env.notes = append(env.notes, "writing OTLP JSON to "+path)
	} else {
		env.notes = append(env.notes, "not writing to a file: "+err.Error())
	}
	if otlp.exporter != "" {
		exporters = append(exporters, otlp.exporter)
		otlp.addTo(env.values)
		env.notes = append(env.notes, "sending OTLP to "+otlp.endpoint+" by "+otlp.protocol)
	}
	env.values["SIGHTGLASS_EXPORTERS"] = list(exporters)
	env.values["SIGHTGLASS_TRACES_EXPORTERS"] = list(append([]string{"service_latency"}, exporters...))
	if o.show != "" {
		env.flags["SIGHTGLASS_SHOW"] = "[" + o.show + "]"
	}
	return env, nil
}

// list writes a YAML list.
func list(items []string) string { return "[" + strings.Join(items, ", ") + "]" }

// describe tells where the data goes. With a configuration of the user's own
// only that knows.
func (e environment) describe(out io.Writer, c configuration) {
	if !c.builtIn {
		return
	}
	for _, note := range e.notes {
		_, _ = fmt.Fprintln(out, note)
	}
}

// apply sets the variables.
func (e environment) apply(lookup func(string) (string, bool), setenv func(name, value string) error) error {
	for name, value := range e.values {
		if _, set := lookup(name); set {
			continue
		}
		if err := setenv(name, value); err != nil {
			return err
		}
	}
	for name, value := range e.flags {
		if err := setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
