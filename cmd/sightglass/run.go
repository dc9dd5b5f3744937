package main

import (
	"go.opentelemetry.io/collector/otelcol"

	"github.com/sightglass/sightglass/internal/cli"
)

// revision is the commit that the program was built from; the linker sets it.
var revision string

// run is what the generated main calls.
func run(set otelcol.CollectorSettings) error {
	return cli.NewCommand(set, revision).Execute()
}
