package securitypolicyprocessor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/acts"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

// armed are the rules in force, with what is counted about each.
type armed struct {
	set     *policy.RuleSet
	options map[*policy.Rule]ruleOptions
}

type ruleOptions struct {
	ofAct                         bool // it has a tag of an act
	matched, followed, suppressed []metric.AddOption
}

// load reads and checks the rules. The error has every finding with its place.
func (p *policyProcessor) load() (*policy.RuleSet, error) {
	files, err := p.files.read()
	if err != nil {
		return nil, err
	}
	for _, pattern := range p.files.idle() {
		p.logger.Warn("rules_files: no file matches " + strconv.Quote(pattern))
	}
	set, result := policy.Load(files, p.cfg.options(p.names))
	for _, f := range result.Files {
		p.telemetry.ProcessorSecurityPolicyRuleErrors.Add(context.Background(), int64(len(f.Errors)))
		for i := range f.Warnings {
			p.warn(&f.Warnings[i])
		}
	}
	if !result.OK() {
		return nil, &rulesError{result}
	}
	for _, text := range p.cfg.idle(set) {
		p.logger.Warn(text)
	}
	return set, nil
}

// rulesError is why rules cannot be used: all findings, each with its place.
type rulesError struct{ result *policy.Result }

func (e *rulesError) Error() string {
	findings := strings.TrimSuffix(e.result.Err().Error(), "\n")
	if strings.Contains(findings, "\n") {
		return "the rules cannot be used:\n" + findings
	}
	return "the rules cannot be used: " + findings
}

// line is an error in one line: the first finding, and how many more there are.
func line(err error) string {
	var rules *rulesError
	if !errors.As(err, &rules) {
		return err.Error()
	}
	first, others := "", -1
	for _, f := range rules.result.Files {
		for i := range f.Errors {
			if first == "" {
				first = f.Errors[i].Line()
			}
			others++
		}
	}
	if others > 0 {
		first += " (and " + strconv.Itoa(others) + " more: sightglass policy check shows all)"
	}
	return first
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
			ofAct:      acts.About(r),
			matched:    addOptions(name, attribute.String("priority", r.Priority.String())),
			followed:   addOptions(name),
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

// unsteadyPause is how long files that changed all the time are left alone before
// they are read once more.
const unsteadyPause = time.Second

// watch looks for changed rule files, and reads them when it is asked to. New
// rules replace the old ones only when all of them are right.
func (p *policyProcessor) watch(ctx context.Context, seen string, requested <-chan struct{}) {
	var tick <-chan time.Time // nil: never
	if p.cfg.ReloadInterval > 0 {
		ticker := time.NewTicker(p.cfg.ReloadInterval)
		defer ticker.Stop()
		tick = ticker.C
	}
	var again <-chan time.Time // once more though nobody asks and nothing changes
	failing := false
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-tick:
		case <-requested:
			asked = true
		case <-again:
			asked = true
		}
		// Taken before the files are read: what changes meanwhile is found the
		// next time.
		now := p.files.fingerprint()
		if now == seen && !asked {
			continue
		}
		seen, again = now, nil
		err := p.reload(ctx)
		if errors.Is(err, errUnsteady) {
			again = time.After(unsteadyPause)
		}
		switch {
		case err != nil:
			failing = true
			p.logger.Error("changed rules are not used, those before stay in force: " + line(err))
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
	// Both the old and the new rules get what they need until the new ones are
	// in force, so that neither misses anything.
	before, after := p.wants(p.armed.Load().set), p.wants(set)
	p.wishes.Update(before.Union(after))
	p.arm(ctx, set)
	p.wishes.Update(after)
	return nil
}
