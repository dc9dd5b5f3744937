package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/config"
	"github.com/sightglass/sightglass/internal/cli/explain"
	"github.com/sightglass/sightglass/internal/footprint"
	"github.com/sightglass/sightglass/internal/privileges"
)

// runOptions are the flags of "sightglass run".
type runOptions struct {
	configs []string
	sets    []string
	dataDir string
	show    string
	print   bool
}

// newRunCommand is "sightglass run".
func newRunCommand(set otelcol.CollectorSettings) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Watch this machine in the terminal",
		Long: `Watches this machine with the built-in configuration: activity, detections and
the latency of services in the terminal, everything as OTLP JSON in a rotating
file, and as OTLP to a back end when OTEL_EXPORTER_OTLP_ENDPOINT is set (with
_PROTOCOL, _HEADERS, _COMPRESSION, _TIMEOUT, _CERTIFICATE and _INSECURE).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.print {
				_, err := io.WriteString(cmd.OutOrStdout(), config.Local)
				return err
			}
			return o.run(cmd, set)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.configs, "config", nil, "use this configuration in place of the built-in one; several are merged")
	f.StringArrayVar(&o.sets, "set", nil, "change one value: --set exporters.terminal.table_interval=10s")
	f.StringVar(&o.dataDir, "data-dir", "", "where to write the data (default $SIGHTGLASS_DATA_DIR, else "+defaultDataDir+")")
	f.StringVar(&o.show, "show", "", "what to show, for example commands,detections,requests,services,status")
	f.BoolVar(&o.print, "print-config", false, "print the built-in configuration, to start one's own from, and end")
	return cmd
}

func (o *runOptions) run(cmd *cobra.Command, set otelcol.CollectorSettings) error {
	if err := checkShow(o.show, factoriesOf(set)); err != nil {
		return err
	}
	if err := mayRun(cmd.CommandPath()); err != nil {
		return err
	}
	c := builtIn()
	if len(o.configs) > 0 {
		c = configurationOf(o.configs)
	}
	if err := c.set(o.sets); err != nil {
		return err
	}
	unix.Umask(ownerOnly)
	env, err := o.environment(os.Getenv)
	if err != nil {
		return err
	}
	defer env.release()
	env.describe(cmd.ErrOrStderr(), c)
	if err := env.apply(os.LookupEnv, os.Setenv); err != nil {
		return err
	}
	return runCollector(cmd.Context(), set, c)
}

// checkShow finds what the terminal does not know while it is still known that a flag
// named it: later it is the value of a variable.
func checkShow(show string, factories otelcol.Factories) error {
	factory := factories.Exporters[component.MustNewType("terminal")]
	if show == "" || factory == nil {
		return nil
	}
	var names []any
	for name := range strings.SplitSeq(show, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	terminal := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{"show": names}).Unmarshal(terminal); err != nil {
		return fmt.Errorf("--show: %w", err)
	}
	if err := confmap.Validate(terminal); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

// runCollector runs the collector that set describes with configuration c until
// it ends or a signal ends it, that of a closed terminal too: to the collector
// it would mean to start all anew.
func runCollector(ctx context.Context, set otelcol.CollectorSettings, c configuration) error {
	footprint.Respect()
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.URIs, resolver.DefaultScheme = c.uris, "env"
	col, err := otelcol.NewCollector(set)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	defer close(ended)
	go trimAfterStart(ended)
	signals, stop := endingSignals(syscall.SIGHUP)
	defer stop()
	go takeHangups(col.GetState, signals, ended)
	return explain.Explain(untilOneOf(ctx, signals, time.After, col), c.documents, factoriesOf(set))
}

// runAgent is runCollector for what runs unattended: a SIGHUP does not end it but
// makes it read rules and configuration again.
func runAgent(ctx context.Context, set otelcol.CollectorSettings, c configuration, notes io.Writer) error {
	footprint.Respect()
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.URIs, resolver.DefaultScheme = c.uris, "env"
	h := newHangups(ctx, set, notes)
	defer h.end()
	ended := make(chan struct{})
	defer close(ended)
	go trimAfterStart(ended)
	for {
		col, err := otelcol.NewCollector(set)
		if err != nil {
			return err
		}
		run, done := &restartable{collector: col}, make(chan struct{})
		go takeHangups(col.GetState, h.signals, done)
		go h.follow(ctx, run, done)
		err = untilSignal(ctx, run)
		close(done)
		if err != nil || !run.again() {
			return explain.Explain(err, c.documents, factoriesOf(set))
		}
	}
}

// startUp is how long the collector may take to start, roughly.
const startUp = 5 * time.Second

// trimAfterStart gives back the memory that only the start needed, and has the
// garbage kept within bounds from then on. It ends early when stop is closed.
func trimAfterStart(stop <-chan struct{}) {
	select {
	case <-stop:
	case <-time.After(startUp):
		footprint.Trim()
		footprint.Pace()
	}
}

// mayRun tells, in one line, what to do when this process may not load
// programs into the kernel.
func mayRun(command string) error {
	if runtime.GOOS != "linux" {
		return errors.New("the agent watches the kernel of Linux, and this is " + runtime.GOOS)
	}
	held, ok := privileges.Held()
	if !ok {
		return nil
	}
	if lack := held.Lack(); lack != nil {
		return fmt.Errorf("%s reads the kernel's events: %w", command, lack)
	}
	return nil
}
