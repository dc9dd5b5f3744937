package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/policy"
)

func newPolicyCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check rule files and show every error and warning",
		Long: `Loads rule files in the given order, as the agent would with rules_files, and
shows every error and warning with its file, line and column. The command fails
when there is an error.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("rule files are missing: %s FILE", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			return checkRules(cmd.OutOrStdout(), paths, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the findings as JSON, in the form of Falco's validation")
	return cmd
}

var errRules = errors.New("the rules cannot be used")

func checkRules(out io.Writer, paths []string, asJSON bool) error {
	files, err := ruleFiles(paths)
	if err != nil {
		return err
	}
	set, res := policy.Load(files, nil)
	if asJSON {
		err = writeCheckJSON(out, res)
	} else {
		_, err = io.WriteString(out, checkText(set, res))
	}
	if err == nil && !res.OK() {
		err = errRules
	}
	return err
}

func writeCheckJSON(out io.Writer, res *policy.Result) error {
	text, err := res.JSON()
	if err == nil {
		_, err = out.Write(append(text, '\n'))
	}
	return err
}

func checkText(set *policy.RuleSet, res *policy.Result) string {
	var b strings.Builder
	errs, warnings := 0, 0
	for _, f := range res.Files {
		errs += len(f.Errors)
		warnings += len(f.Warnings)
		for i := range f.Errors {
			b.WriteString("error: " + f.Errors[i].String() + "\n")
		}
		for i := range f.Warnings {
			b.WriteString("warning: " + f.Warnings[i].String() + "\n")
		}
	}
	if set != nil {
		for _, r := range set.Rules() {
			if missing := detection.NotCaptured(r); len(missing) > 0 {
				fmt.Fprintf(&b, "note: %s:%d: rule %q names event types that this version does not capture: %s\n\n",
					r.File, r.Line, r.Name, strings.Join(missing, ", "))
			}
		}
	}
	fmt.Fprintf(&b, "%s: %s, %s", counted(len(res.Files), "file"), counted(errs, "error"), counted(warnings, "warning"))
	if set != nil {
		b.WriteString(", " + counted(len(set.Rules()), "rule"))
	}
	b.WriteByte('\n')
	return b.String()
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
