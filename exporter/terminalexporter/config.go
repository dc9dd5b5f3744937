package terminalexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outputs and colour modes.
const (
	OutputStdout = "stdout"
	OutputStderr = "stderr"

	ColorAuto   = "auto"
	ColorAlways = "always"
	ColorNever  = "never"
)

// What can be shown beside the activity of kinds.go.
const (
	showServices = "services"
	showStatus   = "status"
)

// Config of the terminal exporter.
type Config struct {
	// Output is where to write: stdout or stderr.
	Output string `mapstructure:"output"`
	// Color is when to write colours: auto (on a terminal, unless NO_COLOR is
	// set or TERM is dumb), always or never.
	Color string `mapstructure:"color"`
	// Width bounds lines to that many columns; 0 means the width of the
	// terminal, and no bound when the output is no terminal.
	Width int `mapstructure:"width"`
	// Show lists what to show, by the names that the README explains.
	Show []string `mapstructure:"show"`
	// LinesPerSecond bounds how many lines of each sort are shown in a second;
	// what is more is counted. 0 means what a person can follow on a terminal,
	// and what a program can elsewhere.
	LinesPerSecond int `mapstructure:"lines_per_second"`
	// TableInterval is how often the table of services is shown at most, if anything
	// was requested meanwhile.
	TableInterval time.Duration `mapstructure:"table_interval"`
	// TableRows bounds the rows of that table.
	TableRows int `mapstructure:"table_rows"`
	// HeartbeatInterval is how often the state of the watch is shown while
	// there is no table to show it; 0 means only when it changes.
	HeartbeatInterval time.Duration `mapstructure:"heartbeat_interval"`
}

func newDefaultConfig() *Config {
	return &Config{
		Output:            OutputStdout,
		Color:             ColorAuto,
		Show:              []string{"commands", "detections", "listens", "logins", showServices, showStatus},
		TableInterval:     5 * time.Second,
		TableRows:         15,
		HeartbeatInterval: time.Minute,
	}
}

// Validate checks every value.
func (c *Config) Validate() error {
	var errs []error
	if c.Output != OutputStdout && c.Output != OutputStderr {
		errs = append(errs, fmt.Errorf("output: %q is neither stdout nor stderr", c.Output))
	}
	if c.Color != ColorAuto && c.Color != ColorAlways && c.Color != ColorNever {
		errs = append(errs, fmt.Errorf("color: %q is none of auto, always, never", c.Color))
	}
	if c.Width < 0 {
		errs = append(errs, errors.New("width: must not be negative; 0 means the width of the terminal"))
	}
	if c.LinesPerSecond < 0 {
		errs = append(errs, errors.New("lines_per_second: must not be negative; 0 means 10 on a terminal and 1000 elsewhere"))
	}
	if c.TableInterval < time.Second {
		errs = append(errs, errors.New("table_interval: must be at least 1s"))
	}
	if c.TableRows < 1 {
		errs = append(errs, errors.New("table_rows: must be at least 1"))
	}
	if c.HeartbeatInterval < 0 {
		errs = append(errs, errors.New("heartbeat_interval: must not be negative; 0 means never"))
	}
	known := showNames()
	for _, name := range c.Show {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("show: %q is none of %s", name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// showNames returns all that Show may name.
func showNames() []string {
	names := make([]string, 0, len(kinds)+2)
	for _, k := range kinds {
		names = append(names, k.show)
	}
	return append(names, showServices, showStatus)
}
