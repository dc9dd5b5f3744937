package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/policy"
)

func newPolicyListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [FILE...]",
		Short: "List rules with their events, fields, priority and place",
		Long: `Lists the rules of rule files, loaded in the given order; without files those of
the embedded policies.`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			set, err := loadRules(paths, nil)
			if err != nil {
				return err
			}
			if asJSON {
				return writeRulesJSON(cmd.OutOrStdout(), set)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), rulesText(set))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON object per rule and line")
	return cmd
}

// listedRule is what is said about one rule.
type listedRule struct {
	Rule        string   `json:"rule"`
	Priority    string   `json:"priority"`
	Enabled     bool     `json:"enabled"`
	Source      string   `json:"source"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Events      []string `json:"events"` // empty: any
	NotCaptured []string `json:"not_captured,omitempty"`
	Fields      []string `json:"fields"`
}

// manyEvents is how many event types stand for "any".
const manyEvents = 100

func describeRule(r *policy.Rule) listedRule {
	l := listedRule{
		Rule: r.Name, Priority: r.Priority.String(), Enabled: r.Enabled, Source: r.Source, File: r.File, Line: r.Line,
		Description: strings.TrimSpace(r.Desc), Tags: append([]string{}, r.Tags...), Events: []string{},
		NotCaptured: detection.NotCaptured(r), Fields: r.References(),
	}
	if r.Types.Len() <= manyEvents {
		l.Events = r.Types.Names()
	}
	return l
}

func writeRulesJSON(out io.Writer, set *policy.RuleSet) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, r := range set.Rules() {
		if err := enc.Encode(describeRule(r)); err != nil {
			return err
		}
	}
	return nil
}

func rulesText(set *policy.RuleSet) string {
	var b strings.Builder
	for _, r := range set.Rules() {
		l := describeRule(r)
		state := ""
		if !l.Enabled {
			state = " (disabled)"
		}
		events := strings.Join(l.Events, " ")
		if events == "" {
			events = "any"
		}
		fmt.Fprintf(&b, "%s%s\n", l.Rule, state)
		for _, row := range [...][2]string{
			{"priority", l.Priority},
			{"file", fmt.Sprintf("%s:%d", l.File, l.Line)},
			{"events", events},
			{"not captured", strings.Join(l.NotCaptured, " ")},
			{"fields", strings.Join(l.Fields, " ")},
			{"tags", strings.Join(l.Tags, " ")},
		} {
			if row[1] != "" {
				fmt.Fprintf(&b, "  %-13s%s\n", row[0], row[1])
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString(counted(len(set.Rules()), "rule") + "\n")
	return b.String()
}
