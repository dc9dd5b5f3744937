package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/acts"
	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/events"
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
		Long: `Reads activity records (log files in OTLP JSON, as a file exporter writes them,
also compressed by gzip; "-" is standard input; a folder stands for its
logs*.json, rotated ones first) and shows what the rules would have detected, and
how often each. Rehearse a rule this way before it is armed:

  sightglass policy replay --rules new.yaml /var/log/sightglass
  sightglass policy replay --rules base.yaml new.yaml /var/log/sightglass

What several rules see of one act is shown once, as far as the records tell who
did it: the same process, or one that it has started.

Files whose name ends with .yaml or .yml are rules.

Records of other kinds are passed over.

What was recorded limits what can be found: an agent keeps only the activity that
"keep" of its security_policy processor names. How many rules are about other
activity is told at the end.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, events := rulesAmong(args)
			flags.rules = append(flags.rules, rules...)
			if len(events) == 0 {
				return fmt.Errorf("recorded activity is missing: %s --rules FILE... EVENTS", cmd.CommandPath())
			}
			return replay(cmd, &flags, events)
		},
	}
	cmd.Flags().StringSliceVar(&flags.rules, "rules", nil, "rule `FILE`, loaded in order (default: the embedded policies)")
	cmd.Flags().BoolVar(&flags.all, "all", false, "show every rule that matches an event, not only the first one")
	cmd.Flags().StringVar(&flags.format, "format", formatText, "text, json (one alert per line in Falco's form) or otlp (OTLP JSON log records)")
	return cmd
}

// rulesAmong takes the rule files out of the arguments.
func rulesAmong(args []string) (rules, events []string) {
	for _, arg := range args {
		if ext := filepath.Ext(arg); ext == ".yaml" || ext == ".yml" {
			rules = append(rules, arg)
		} else {
			events = append(events, arg)
		}
	}
	return rules, events
}

func replay(cmd *cobra.Command, flags *replayFlags, recorded []string) error {
	if !slices.Contains([]string{formatText, formatJSON, formatOTLP}, flags.format) {
		return fmt.Errorf("--format: %q is none of %s, %s, %s", flags.format, formatText, formatJSON, formatOTLP)
	}
	set, err := loadRules(flags.rules, &policy.Options{All: flags.all})
	if err != nil {
		return err
	}
	r := &replayer{
		view: record.New(), matcher: set.NewMatcher(),
		out: cmd.OutOrStdout(), format: flags.format, detections: map[*policy.Rule]int{},
		seen: map[events.ID]struct{}{},
	}
	if !flags.all {
		r.acts = acts.New()
	}
	if recorded, err = expand(recorded); err != nil {
		return err
	}
	in := recordings{notes: cmd.ErrOrStderr(), take: r.logs}
	for _, name := range recorded {
		if err := in.file(name, cmd.InOrStdin()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err = io.WriteString(cmd.ErrOrStderr(), r.summary(set))
	return err
}

// summary tells how often each rule matched, in the order of the rules.
func (r *replayer) summary(set *policy.RuleSet) string {
	detections := 0
	for _, n := range r.detections {
		detections += n
	}
	var b strings.Builder
	b.WriteString(counted(r.records, "activity record") + ", " + counted(detections, "detection"))
	if r.steps > 0 {
		b.WriteString(" (and " + counted(r.steps, "further step") + " of what they tell)")
	}
	b.WriteByte('\n')
	for _, rule := range set.Rules() {
		if n := r.detections[rule]; n > 0 {
			fmt.Fprintf(&b, "%7d  %-13s  %s\n", n, rule.Priority, rule.Name)
		}
	}
	if blind := r.blind(set); r.records > 0 && len(blind) > 0 {
		fmt.Fprintf(&b, "%d of %s had nothing to match, since no event was recorded that %s about ('keep' of security_policy says which are): %s\n",
			len(blind), counted(set.Len(), "rule"), map[bool]string{true: "it is", false: "they are"}[len(blind) == 1], listOf(blind))
	}
	return b.String()
}

// blind are the names of the rules about events of which there was none.
func (r *replayer) blind(set *policy.RuleSet) (names []string) {
	for _, rule := range set.Rules() {
		sees := func(id events.ID) bool { return rule.Types.Has(id) }
		if rule.Enabled && !slices.ContainsFunc(slices.Collect(maps.Keys(r.seen)), sees) {
			names = append(names, rule.Name)
		}
	}
	return names
}

// listOf joins the first names of a list.
func listOf(names []string) string {
	const most = 5
	if rest := len(names) - most; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), rest)
	}
	return strings.Join(names, ", ")
}

// replayer evaluates records batch by batch, in the order of the files, and in a
// batch by their time, as acts are followed.
type replayer struct {
	view    *record.View
	matcher *policy.Matcher
	acts    *acts.Acts // nil when every match is shown
	batch   []activity
	out     io.Writer
	format  string

	records    int
	seen       map[events.ID]struct{} // their types
	steps      int                    // matches that are further steps of an act
	detections map[*policy.Rule]int
	hostname   string
	err        error // of writing
}

// activity is a record of a batch.
type activity struct {
	resource plog.ResourceLogs
	record   plog.LogRecord
}

func (r *replayer) logs(ld plog.Logs) error {
	r.batch = r.batch[:0]
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				if slices.Contains(activities, rec.EventName()) {
					r.batch = append(r.batch, activity{rl, rec})
				}
			}
		}
	}
	slices.SortStableFunc(r.batch, func(a, b activity) int { return cmp.Compare(a.record.Timestamp(), b.record.Timestamp()) })
	for i, at := range r.batch {
		if i == 0 || at.resource != r.batch[i-1].resource {
			r.view.SetResource(at.resource.Resource())
			r.hostname = attribute(at.resource.Resource().Attributes(), schema.HostName)
		}
		r.records++
		r.view.SetRecord(at.record)
		if e, ok := events.ByName(r.view.EventType()); ok {
			r.seen[e.ID] = struct{}{}
		}
		r.matcher.Match(r.view, r.found)
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
	_, verdict := r.acts.Step(m.Rule, r.hostname, r.view.Time(), r.view.Kin, func(bool) bool { return true })
	if verdict != acts.Told {
		r.steps++
		return
	}
	r.detections[m.Rule]++
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
