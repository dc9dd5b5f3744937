package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
)

// newVersionCommand is "sightglass version".
func newVersionCommand(info component.BuildInfo, revision string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program and what it is made of",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if revision == "" {
				revision = "unknown"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\nrevision   %s\ncollector  %s\ngo         %s %s/%s\n",
				info.Command, info.Version, revision, collectorVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// collectorVersion is the version of the collector that is linked in.
func collectorVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "go.opentelemetry.io/collector/otelcol" {
				return module.Version
			}
		}
	}
	return "unknown"
}
