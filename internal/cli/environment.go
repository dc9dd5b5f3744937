package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// environment is what the built-in configuration takes from the environment:
// YAML has no conditionals, so that the lists of exporters come from here.
type environment struct {
	values  map[string]string // what the user has set already wins
	flags   map[string]string // these win over what is set
	notes   []string          // where the data goes
	release func()            // gives the folder of the data up
}

// environment works the variables out. It claims a folder for the data; one
// that cannot be had is a note, no error.
func (o *runOptions) environment(getenv func(string) string) (environment, error) {
	otlp, err := otlpFromEnvironment(getenv)
	if err != nil {
		return environment{}, err
	}
	env := environment{values: map[string]string{}, flags: map[string]string{}, release: func() {}}
	dir, release, err := claimDataDir(o.dataFolder(getenv))
	if err == nil {
		env.release = release
		env.flags["SIGHTGLASS_DATA_DIR"] = dir
		env.notes = append(env.notes, "writing OTLP JSON to "+filepath.Join(dir, "{logs,traces,metrics}.json"))
	} else {
		env.notes = append(env.notes, "not writing to files: "+err.Error())
	}
	if otlp.exporter != "" {
		otlp.addTo(env.values)
		env.notes = append(env.notes, "sending OTLP to "+otlp.endpoint+" by "+otlp.protocol)
	}
	for _, signal := range []string{"logs", "traces", "metrics"} {
		env.values["SIGHTGLASS_"+strings.ToUpper(signal)+"_EXPORTERS"] = exporters(signal, dir != "", otlp.exporter)
	}
	if o.show != "" {
		env.flags["SIGHTGLASS_SHOW"] = "[" + o.show + "]"
	}
	return env, nil
}

// exporters lists where a signal goes, in YAML.
func exporters(signal string, files bool, otlp string) string {
	list := []string{"terminal"}
	if signal == "traces" { // whose other end is the latency of services
		list = []string{"service_latency", "terminal"}
	}
	if files {
		list = append(list, "file/"+signal)
	}
	if otlp != "" {
		list = append(list, otlp)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

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
