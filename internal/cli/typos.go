package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sightglass/sightglass/internal/nearest"
)

// maxTypos is how many letters of a name may be wrong for another to be meant.
const maxTypos = 2

// noSuchCommand takes no arguments, and for what is none of a command's own
// commands names the one that was probably meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), meant(cmd, nearest.Of(args[0], known, maxTypos)))
}

// noSuchFlag explains an error about flags.
func noSuchFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	near := ""
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		if near = nearest.Of(unknown.GetSpecifiedName(), known, maxTypos); near != "" {
			near = "--" + near
		}
	}
	return fmt.Errorf("%w%s", err, meant(cmd, near))
}

// meant ends a message about a name that does not exist.
func meant(cmd *cobra.Command, near string) string {
	if near == "" {
		return fmt.Sprintf("; '%s --help' lists what there is", cmd.CommandPath())
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
