package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/sightglass/sightglass/internal/cli/explain"
)

// NewCommand returns the command line of the collector that set describes.
// Revision is the commit it was built from; it may be empty.
func NewCommand(set otelcol.CollectorSettings, revision string) *cobra.Command {
	set.DisableGracefulShutdown = true // untilSignal does that
	set.LoggingOptions = append(set.LoggingOptions, quietStart(set.BuildInfo), tellFailuresOnce(failurePeriod))
	root := otelcol.NewCommand(set)
	root.Short = "See what this machine does: commands, requests, detections"
	root.Long = set.BuildInfo.Description + `.

Without a command it runs the configuration that --config names; 'sightglass run'
starts with one of its own and shows this machine in the terminal.`
	root.Args = noSuchCommand

	configs, sets := &recorder{}, &recorder{}
	for _, cmd := range append(root.Commands(), root) {
		configs.follow(cmd.Flags().Lookup("config"), "configuration `FILE`; several are merged (also env:NAME, yaml:TEXT)")
		sets.follow(cmd.Flags().Lookup("set"), "change one value of a configured component: `exporters.otlp_grpc.timeout=2s`")
		if cmd != root && cmd.Flags().Lookup("config") != nil {
			cmd.RunE = explained(cmd.RunE, set, configs)
		}
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(configs.values) == 0 {
			return explain.ErrNoConfig
		}
		c := configurationOf(configs.values)
		if err := c.set(sets.values); err != nil {
			return err
		}
		if err := insecureByScheme(os.Getenv, os.Setenv); err != nil {
			return err
		}
		return runAgent(cmd.Context(), set, c, cmd.ErrOrStderr())
	}
	for _, cmd := range append(root.Commands(), root) {
		if gates := cmd.Flags().Lookup("feature-gates"); gates != nil { // fifty names, of which featuregate tells
			gates.DefValue, gates.Usage = "", "`GATES` of the collector to switch on, or off by a '-' before the name ('sightglass featuregate' lists them)"
		}
	}
	root.SetFlagErrorFunc(noSuchFlag)
	root.AddCommand(
		newRunCommand(set),
		newDoctorCommand(),
		newPolicyCommand(),
		newVersionCommand(set.BuildInfo, revision),
	)
	return root
}

// explained puts the configuration errors of run into the words of the user's
// files, and says what it could not look at.
func explained(run func(*cobra.Command, []string) error, set otelcol.CollectorSettings, configs *recorder) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err, documents := run(cmd, args), explain.Load(configs.values)
		if err == nil && cmd.Name() == "validate" {
			for _, line := range explain.AbsentRules(documents) {
				fmt.Fprintln(cmd.ErrOrStderr(), line)
			}
		}
		return explain.Explain(err, documents, factoriesOf(set))
	}
}

// factoriesOf returns the factories, or none: an error about them has been
// reported by the collector already.
func factoriesOf(set otelcol.CollectorSettings) otelcol.Factories {
	factories, err := set.Factories()
	if err != nil {
		return otelcol.Factories{}
	}
	return factories
}

// recorder remembers what a flag was given. The collector's own flags keep it
// to themselves.
type recorder struct{ values []string }

// follow puts the recorder before a flag's own value, and usage in place of the
// collector's text for it. A nil flag is fine.
func (r *recorder) follow(flag *pflag.Flag, usage string) {
	if flag != nil {
		flag.Value, flag.Usage, flag.DefValue = recordedValue{flag.Value, r}, usage, ""
	}
}

type recordedValue struct {
	pflag.Value
	recorder *recorder
}

// Set implements pflag.Value.
func (v recordedValue) Set(value string) error {
	v.recorder.values = append(v.recorder.values, value)
	return v.Value.Set(value)
}
