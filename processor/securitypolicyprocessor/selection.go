package securitypolicyprocessor

import (
	"slices"
	"strconv"

	"github.com/sightglass/sightglass/internal/policy"
)

// selection switches rules on or off, as one entry of a key says.
type selection struct {
	policy.Selection
	key string
}

// selections are those of the configuration in the order in which they hold: the
// last that matches a rule counts, hence what is disabled stays so.
func (c *Config) selections() []selection {
	var out []selection
	for _, name := range c.EnabledRules {
		out = append(out, selection{policy.Selection{Enable: true, Rule: name}, "enabled_rules"})
	}
	for _, tag := range c.EnabledTags {
		out = append(out, selection{policy.Selection{Enable: true, Tag: tag}, "enabled_tags"})
	}
	for _, name := range c.DisabledRules {
		out = append(out, selection{policy.Selection{Rule: name}, "disabled_rules"})
	}
	for _, tag := range c.DisabledTags {
		out = append(out, selection{policy.Selection{Tag: tag}, "disabled_tags"})
	}
	return out
}

// idle tells of what is said about rules and means none of a set, each in a line: who
// mistypes a name would wait for its detections, or for more in them, in vain.
func (c *Config) idle(set *policy.RuleSet) []string {
	var out []string
	for _, sel := range c.selections() {
		if !set.Meant(&sel.Selection) {
			out = append(out, sel.key+": no rule has "+what(&sel)+" "+strconv.Quote(sel.Rule+sel.Tag))
		}
	}
	for i := range c.AppendOutput {
		a := c.AppendOutput[i].rules()
		if !slices.ContainsFunc(set.Rules(), func(r *policy.Rule) bool { return a.Means(r.Source, r.Name, r.Tags) }) {
			out = append(out, "append_output["+strconv.Itoa(i)+"]: match: no rule is like that")
		}
	}
	return out
}

func what(sel *selection) string {
	if sel.Tag != "" {
		return "the tag"
	}
	return "a name like"
}
