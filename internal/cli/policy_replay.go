package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
)

const (
	formatText = "text"
	formatJSON = "json"
	formatOTLP = "otlp"
)

type replayFlags struct {
	rules  []string
	all    bool
	format string
}

func newPolicyReplayCommand() *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay [--rules FILE...] EVENTS...",
		Short: "Evaluate rules over recorded activity",
		Long: `Reads activity records (log files in OTLP JSON, as a file exporter writes them; "-"
is standard input) and shows what the rules would have detected. Rehearse a rule
this way before it is armed. Records of other kinds are passed over.

What was recorded limits what can be found: an agent keeps only the activity that
"keep" of its security_policy processor names.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, events []string) error { return replay(cmd, &flags, events) },
	}
	cmd.Flags().StringSliceVar(&flags.rules, "rules", nil, "rule `FILE`, loaded in order (default: the embedded policies)")
	cmd.Flags().BoolVar(&flags.all, "all", false, "show every rule that matches an event, not only the first one")
	cmd.Flags().StringVar(&flags.format, "format", formatText, "text, json (one alert per line in Falco's form) or otlp (OTLP JSON log records)")
	return cmd
}

func replay(cmd *cobra.Command, flags *replayFlags, events []string) error {
	if !slices.Contains([]string{formatText, formatJSON, formatOTLP}, flags.format) {
		return fmt.Errorf("--format: %q is none of %s, %s, %s", flags.format, formatText, formatJSON, formatOTLP)
	}
	set, err := loadRules(flags.rules, &policy.Options{All: flags.all})
	if err != nil {
		return err
	}
	r := &replayer{
		view: record.New(), matcher: set.NewMatcher(),
		out: cmd.OutOrStdout(), notes: cmd.ErrOrStderr(), format: flags.format,
	}
	for _, name := range events {
		if err := r.file(name, cmd.InOrStdin()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s\n", counted(r.records, "activity record"), counted(r.detections, "detection"))
	return err
}

// replayer evaluates records one after the other, in the order of the files.
type replayer struct {
	view    *record.View
	matcher *policy.Matcher
	out     io.Writer
	notes   io.Writer
	format  string

	records, detections int
	hostname            string
	err                 error // of writing
}

func (r *replayer) file(name string, stdin io.Reader) error {
	if name == "-" {
		return r.read(stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.read(f)
}

// read takes JSON values one by one, whether each is on a line of its own or
// spread over many.
func (r *replayer) read(in io.Reader) error {
	dec := json.NewDecoder(in)
	var unmarshaler plog.JSONUnmarshaler
	for {
		var raw json.RawMessage
		switch err := dec.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			_, err = io.WriteString(r.notes, "the last record is cut off; it may still be being written\n")
			return err
		case err != nil:
			return fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
		}
		ld, err := unmarshaler.UnmarshalLogs(raw)
		if err != nil {
			return fmt.Errorf("before byte %d: not OTLP JSON: %w", dec.InputOffset(), err)
		}
		if err := r.logs(ld); err != nil {
			return err
		}
	}
}

func (r *replayer) logs(ld plog.Logs) error {
	for _, rl := range ld.ResourceLogs().All() {
		r.view.SetResource(rl.Resource())
		r.hostname = attribute(rl.Resource().Attributes(), schema.HostName)
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				if !slices.Contains(activities, rec.EventName()) {
					continue
				}
				r.records++
				r.view.SetRecord(rec)
				r.matcher.Match(r.view, r.found)
			}
		}
	}
	return r.err
}

func attribute(attrs pcommon.Map, name string) string {
	if value, ok := attrs.Get(name); ok {
		return value.AsString()
	}
	return ""
}

var activities = record.Activities()

func (r *replayer) found(m *policy.Match) {
	r.detections++
	var line []byte
	var err error
	switch r.format {
	case formatJSON:
		line = m.Alert(r.hostname).AppendJSON(nil)
	case formatOTLP:
		line, err = r.otlp(m)
	default:
		a := m.Alert(r.hostname)
		a.ISO8601 = true
		line = []byte(a.Line() + " [" + a.Rule + "]")
	}
	if err == nil {
		_, err = r.out.Write(append(line, '\n'))
	}
	r.err = errors.Join(r.err, err)
}

// otlp is the detection as the processor would send it, in a batch of its own.
func (r *replayer) otlp(m *policy.Match) ([]byte, error) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	r.view.Resource().CopyTo(rl.Resource())
	alert := detection.OfMatch(m)
	alert.Write(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty(), r.view.Record())
	var marshaler plog.JSONMarshaler
	return marshaler.MarshalLogs(ld)
}
