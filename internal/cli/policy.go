package cli

import (
	"github.com/spf13/cobra"
)

// newPolicyCommand is "sightglass policy": everything that can be done with
// policies without running the agent.
func newPolicyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, list and rehearse security policies",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newPolicyCheckCommand(),
		newPolicyListCommand(),
		newPolicyReplayCommand(),
		newPolicyEvalCommand(),
		newPolicyParseCommand(),
	)
	return cmd
}
