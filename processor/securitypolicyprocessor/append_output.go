package securitypolicyprocessor

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

// AppendOutputConfig adds to the outputs of the rules that it matches. Keys and
// meaning are those of Falco's append_output.
type AppendOutputConfig struct {
	// Match selects rules; empty: all.
	Match AppendMatchConfig `mapstructure:"match"`
	// ExtraOutput is appended to the rule's output, after a blank.
	ExtraOutput string `mapstructure:"extra_output"`
	// ExtraFields are facts that detections carry beside those that the output
	// names: a field (proc.env), or {name: format} with a text of one's own.
	ExtraFields []any `mapstructure:"extra_fields"`
	// SuggestedOutput appends the fields that describe container and pod.
	SuggestedOutput bool `mapstructure:"suggested_output"`
}

// AppendMatchConfig selects rules; what is empty matches all of them.
type AppendMatchConfig struct {
	Source string   `mapstructure:"source"`
	Rule   string   `mapstructure:"rule"` // its whole name
	Tags   []string `mapstructure:"tags"` // all must be there
}

var errNothingAppended = errors.New("has none of extra_output, extra_fields and suggested_output")

// Validate implements the collector's validation.
func (c *AppendOutputConfig) Validate() error {
	if c.ExtraOutput == "" && len(c.ExtraFields) == 0 && !c.SuggestedOutput {
		return errNothingAppended
	}
	if c.ExtraOutput != "" {
		if _, _, err := output.Parse(c.ExtraOutput, field.Standard()); err != nil {
			return fmt.Errorf("extra_output: %w", err)
		}
	}
	for i, extra := range c.ExtraFields {
		if err := validateExtra(extra); err != nil {
			return fmt.Errorf("extra_fields[%d]: %w", i, err)
		}
	}
	return nil
}

var errExtraField = errors.New("is neither a field's name nor {name: format}")

func validateExtra(extra any) error {
	switch extra := extra.(type) {
	case string:
		_, err := output.NewField(extra, field.Standard())
		return err
	case map[string]any:
		if len(extra) == 0 {
			return errExtraField
		}
		for name, format := range extra {
			text, ok := format.(string)
			if !ok {
				return fmt.Errorf("%s: %w", name, errExtraField)
			}
			if _, _, err := output.Parse(text, field.Standard()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	default:
		return errExtraField
	}
}

// rules is the configuration as the policy engine has it. It is valid.
func (c *AppendOutputConfig) rules() rules.AppendOutput {
	a := rules.AppendOutput{
		Source: c.Match.Source, Rule: c.Match.Rule, Tags: c.Match.Tags,
		Text: c.ExtraOutput, Suggested: c.SuggestedOutput,
	}
	for _, extra := range c.ExtraFields {
		switch extra := extra.(type) {
		case string:
			a.Fields = append(a.Fields, extra)
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(extra)) {
				format, _ := extra[name].(string)
				a.Formatted = append(a.Formatted, rules.NamedFormat{Key: name, Format: format})
			}
		}
	}
	return a
}
