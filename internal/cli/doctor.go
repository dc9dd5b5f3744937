package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sightglass/sightglass/internal/cli/doctor"
)

// errNotHere is why doctor ends with a failure after it has told everything.
var errNotHere = errors.New("the agent cannot do its main job here")

// newDoctorCommand is "sightglass doctor".
func newDoctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this kernel and these privileges allow, hook by hook",
		Long: `Tries every hook in the kernel by attaching to it, and tells what the data will
not have on this machine, why, and what to do about it. It ends with 0 only if
the agent can do its main job: commands, and file and network activity.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := examine(probe)
			cmd.SilenceErrors = true // the report has said it
			return writeReport(cmd.OutOrStdout(), report, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the report as JSON, with the kernel's full messages")
	return cmd
}

// prober tries all hooks. Checks are what it found out beside them.
type prober func() (checks []doctor.Check, hooks []doctor.Hook, err error)

func examine(try prober) doctor.Report {
	host := doctor.Host{Root: os.DirFS("/"), Release: kernelRelease(), Arch: runtime.GOARCH}
	found, hooks, err := try()
	return doctor.NewReport(append(doctor.Examine(host), found...), hooks, err)
}

func writeReport(out io.Writer, report doctor.Report, asJSON bool) error {
	var err error
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(report)
	} else {
		_, err = io.WriteString(out, report.Text(wantsColour(out)))
	}
	if err == nil && !report.MainJob {
		err = errNotHere
	}
	return err
}

// wantsColour tells whether out is a terminal that may be coloured.
func wantsColour(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}
