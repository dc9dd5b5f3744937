package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

func newPolicyCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check rule files and show every error and warning",
		Long: `Loads rule files in the given order, as the agent would with rules_files, and
shows every error and warning with its file, line and column. Notes tell what a
file defines otherwise than an earlier one. The command fails when there is an
error.`,
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
		b.WriteString(redefinitions(f))
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

// maxRedefinitions is how many are listed of one file.
const maxRedefinitions = 20

// redefinitions tells what a file puts in the place of earlier definitions: what
// has been adapted, or what two files call by the same name by accident.
func redefinitions(f *rules.Result) string {
	if len(f.Redefined) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "note: %s defines again what was defined before; the last definition holds for the rules of all files:\n", f.Name)
	for i, r := range f.Redefined {
		if i == maxRedefinitions {
			fmt.Fprintf(&b, "  and %d more\n", len(f.Redefined)-i)
			break
		}
		fmt.Fprintf(&b, "  %s %q in line %d, before in %s:%d\n", r.Kind, r.Name, r.At.Line, r.Before.File, r.Before.Line)
	}
	return b.String() + "\n"
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
