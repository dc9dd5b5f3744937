package securitypolicyprocessor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

// armed are the rules in force, with what is counted about each.
type armed struct {
	set     *policy.RuleSet
	options map[*policy.Rule]ruleOptions
}

type ruleOptions struct{ matched, suppressed []metric.AddOption }

// load reads and checks the rules. The error has every finding with its place.
func (p *policyProcessor) load() (*policy.RuleSet, error) {
	files, err := p.files.read()
	if err != nil {
		return nil, err
	}
	set, result := policy.Load(files, p.options())
	for _, f := range result.Files {
		p.telemetry.ProcessorSecurityPolicyRuleErrors.Add(context.Background(), int64(len(f.Errors)))
		for i := range f.Warnings {
			p.warn(&f.Warnings[i])
		}
	}
	if err := result.Err(); err != nil {
		return nil, fmt.Errorf("the rules cannot be used:\n%w", err)
	}
	return set, nil
}

// warn logs a warning about a rule file. What is not used is no concern at
// run time, where files are meant to be shared.
func (p *policyProcessor) warn(w *rules.Issue) {
	level := zap.WarnLevel
	if w.Code == rules.WarnUnusedMacro || w.Code == rules.WarnUnusedList {
		level = zap.DebugLevel
	}
	p.logger.Log(level, "rules: "+strings.TrimSpace(w.String()))
}

func (p *policyProcessor) options() *policy.Options {
	least, _ := rules.ParsePriority(p.cfg.MinimumPriority) // validated
	o := &policy.Options{All: p.cfg.RuleMatching == matchAll, Names: p.names}
	o.MinPriority = &least
	for _, name := range p.cfg.DisabledRules {
		o.Select = append(o.Select, policy.Selection{Rule: name})
	}
	for _, tag := range p.cfg.DisabledTags {
		o.Select = append(o.Select, policy.Selection{Tag: tag})
	}
	for i := range p.cfg.AppendOutput {
		o.AppendOutput = append(o.AppendOutput, p.cfg.AppendOutput[i].rules())
	}
	return o
}

// arm puts rules into force from the next batch on.
func (p *policyProcessor) arm(ctx context.Context, set *policy.RuleSet) {
	a := &armed{set: set, options: map[*policy.Rule]ruleOptions{}}
	var files []string
	for _, r := range set.Rules() {
		if !r.Enabled {
			continue
		}
		name := attribute.String("rule", r.Name)
		a.options[r] = ruleOptions{
			matched:    addOptions(name, attribute.String("priority", r.Priority.String())),
			suppressed: addOptions(name),
		}
		if !slices.Contains(files, r.File) {
			files = append(files, r.File)
		}
	}
	p.armed.Store(a)
	p.telemetry.ProcessorSecurityPolicyRules.Record(ctx, int64(len(a.options)))
	p.logger.Info("policies are armed", zap.Int("rules", len(a.options)), zap.Strings("files", files))
}

// watch looks for changed rule files. New rules replace the old ones only when
// all of them are right.
func (p *policyProcessor) watch(ctx context.Context, seen string) {
	ticker := time.NewTicker(p.cfg.ReloadInterval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Taken before the files are read: what changes meanwhile is found the
		// next time.
		now := p.files.fingerprint()
		if now == seen {
			continue
		}
		seen = now
		err := p.reload(ctx)
		switch {
		case err != nil:
			failing = true
			p.logger.Error("changed rules are not used, those before stay in force", zap.Error(err))
			componentstatus.ReportStatus(p.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("rules_files: %w", err)))
		case failing:
			failing = false
			componentstatus.ReportStatus(p.host, componentstatus.NewEvent(componentstatus.StatusOK))
		}
	}
}

func (p *policyProcessor) reload(ctx context.Context) error {
	set, err := p.load()
	outcome := "applied"
	if err != nil {
		outcome = "rejected"
	}
	p.telemetry.ProcessorSecurityPolicyReloads.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome)))
	if err != nil {
		return err
	}
	// Ask for what is new first, so that the new rules miss nothing.
	p.wishes.Update(p.wants(set))
	p.arm(ctx, set)
	return nil
}
