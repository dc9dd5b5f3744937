package rules

import (
	"errors"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
)

// AppendOutput adds to the outputs of some rules.
type AppendOutput struct {
	Source string   // empty: any
	Rule   string   // empty: any
	Tags   []string // all must be there
	Text   string   // appended to the output after a blank
	Fields []string // fields that alerts carry beside those of the output
	// Formatted are texts that alerts carry, by name.
	Formatted []NamedFormat
	// Suggested appends the fields that describe container and pod.
	Suggested bool
}

// NamedFormat is a format with the name under which alerts carry its text.
type NamedFormat struct{ Key, Format string }

// Means reports whether it is about a rule with such a source, name and tags.
func (a *AppendOutput) Means(source, name string, tags []string) bool {
	if a.Source != "" && a.Source != source || a.Rule != "" && a.Rule != name {
		return false
	}
	for _, t := range a.Tags {
		if !slices.Contains(tags, t) {
			return false
		}
	}
	return true
}

// suggested are the fields that Suggested appends, in this order.
var suggested = []string{
	"container.id", "container.name", "container.image.repository", "container.image.tag", "k8s.pod.name", "k8s.ns.name",
}

func suggestedText() string {
	var parts []string
	for _, name := range suggested {
		parts = append(parts, strings.ReplaceAll(name, ".", "_")+"=%"+name)
	}
	return strings.Join(parts, " ")
}

const containerInfo = "%container.info"

// output parses the output of a rule, with what is appended to it.
func (c *compiler) output(r *rule, out *Rule) bool {
	own := r.output.String()
	text := strings.TrimSpace(own)
	if strings.Contains(text, containerInfo) {
		c.warn(r.at, WarnDeprecated, "%container.info is deprecated and left out")
		text = strings.TrimSpace(strings.ReplaceAll(text, containerInfo, ""))
	}
	var textSb64 strings.Builder
	for i := range c.opts.AppendOutput {
		a := &c.opts.AppendOutput[i]
		if !a.Means(r.Source, r.Name, r.Tags) {
			continue
		}
		if a.Text != "" {
			textSb64.WriteString(" " + a.Text)
		}
		if a.Suggested {
			textSb64.WriteString(" " + suggestedText())
		}
		if err := out.addExtra(a, c.table); err != nil {
			return c.badOutput(r, r.outputAt, err)
		}
	}
	text += textSb64.String()
	format, warnings, err := output.Parse(text, c.table)
	if err != nil {
		at := r.outputAt
		var oerr *output.Error
		if errors.As(err, &oerr) && strings.HasPrefix(strings.TrimLeft(own, blanks), text) {
			at = inOutput(r, len(own)-len(strings.TrimLeft(own, blanks))+oerr.Offset)
		}
		return c.badOutput(r, at, err)
	}
	out.Output = format
	for _, w := range warnings {
		c.warn(r.outputAt, WarnDeprecated, "in the output: "+w.Msg)
	}
	return true
}

const blanks = " \t\r\n"

// inOutput is the place of a byte of an output. The kind of place stays, only
// its position is exact.
func inOutput(r *rule, offset int) place {
	from, pos := r.output.locate(offset)
	if from == nil {
		return r.outputAt
	}
	return place{from.src, r.at.locs}.at(itemOutput, "", pos)
}

func (r *Rule) addExtra(a *AppendOutput, table *field.Table) error {
	for _, name := range a.Fields {
		f, err := output.NewField(name, table)
		if err != nil {
			return err
		}
		r.Extra = append(r.Extra, f)
	}
	for _, n := range a.Formatted {
		f, _, err := output.Parse(n.Format, table)
		if err != nil {
			return err
		}
		r.Formatted = append(r.Formatted, FormattedExtra{n.Key, f})
	}
	return nil
}

// badOutput tells an error of an output; it is always false.
func (c *compiler) badOutput(r *rule, at place, err error) bool {
	var oerr *output.Error
	var cerr *check.Error
	unknown := errors.As(err, &oerr) && oerr.Unknown || errors.As(err, &cerr) && cerr.Unknown
	if unknown && r.SkipUnknown {
		c.warn(at, WarnUnknownFilter, err.Error()+": the rule is skipped")
		return false
	}
	c.report(at.issue(ErrCompileOutput, err.Error()))
	return false
}
