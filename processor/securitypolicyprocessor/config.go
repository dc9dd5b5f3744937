package securitypolicyprocessor

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

// Config is the configuration of the processor. The zero block ({}) evaluates
// the policies that are embedded in the program.
type Config struct {
	// RulesFiles are rule files or globs, loaded in this order as one set, so
	// that a later file overrides an earlier one; the files of one glob are
	// taken in lexical order. Empty: the embedded policies.
	RulesFiles []string `mapstructure:"rules_files"`

	// Scope is a condition that narrows every rule, in the language of the rules:
	// "not k8s.ns.name in (test, staging)".
	Scope string `mapstructure:"scope"`

	// EnabledRules switch on the rules that their file switches off and whose name
	// contains one of these texts, or, when it contains a *, matches it as a
	// pattern.
	EnabledRules []string `mapstructure:"enabled_rules"`

	// EnabledTags switch on the rules that have one of these tags.
	EnabledTags []string `mapstructure:"enabled_tags"`

	// DisabledRules leave out the rules whose name contains one of these texts,
	// or, when it contains a *, matches it as a pattern, also if they were switched
	// on above.
	DisabledRules []string `mapstructure:"disabled_rules"`

	// DisabledTags leave out the rules that have one of these tags.
	DisabledTags []string `mapstructure:"disabled_tags"`

	// MinimumPriority leaves out the rules that are less severe.
	MinimumPriority string `mapstructure:"minimum_priority"`

	// RuleMatching says how many rules may fire on one event: first or all.
	RuleMatching string `mapstructure:"rule_matching"`

	// Keep names the plain activity that passes on: event names, "all", or
	// nothing.
	Keep []string `mapstructure:"keep"`

	// AppendOutput adds to the outputs of rules, in this order.
	AppendOutput []AppendOutputConfig `mapstructure:"append_output"`

	// HTTPOutput sends each detection as JSON in Falco's form, too.
	HTTPOutput HTTPOutputConfig `mapstructure:"http_output"`

	// RateLimit bounds the detections of one rule on one resource.
	RateLimit RateLimitConfig `mapstructure:"rate_limit"`

	// Redact is what is taken out of the records that leave.
	Redact RedactConfig `mapstructure:"redact"`

	// ReloadInterval is how often the rule files are looked at for changes;
	// 0 never.
	ReloadInterval time.Duration `mapstructure:"reload_interval"`
}

// RateLimitConfig bounds the detections of one rule on one resource.
type RateLimitConfig struct {
	// Burst is how many detections pass within one interval; 0 is unlimited.
	Burst int `mapstructure:"burst"`
	// Interval begins with the first detection. When it ends, one record tells
	// how many were suppressed in it.
	Interval time.Duration `mapstructure:"interval"`
}

var _ component.Config = (*Config)(nil)

// The values of rule_matching.
const (
	matchFirst = "first"
	matchAll   = "all"
)

// Shorter ones are numbers whose unit was forgotten: 5 is 5 ns.
const (
	minReloadInterval = 100 * time.Millisecond
	minRateInterval   = 100 * time.Millisecond
)

// listKeys want lists. The collector would make a list of a single text, and
// "a, b" would silently be one name.
var listKeys = []string{"rules_files", "enabled_rules", "enabled_tags", "disabled_rules", "disabled_tags", "keep", "append_output"}

// Unmarshal implements the collector's decoding.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	for _, key := range listKeys {
		switch value := conf.Get(key).(type) {
		case nil, []any:
		case map[string]any:
			return fmt.Errorf("%s: wants a list, got a block of keys: put a dash before the first", key)
		default:
			return fmt.Errorf("%s: wants a list, got %v: write [%v]", key, value, value)
		}
	}
	return conf.Unmarshal(c)
}

// Validate implements the collector's validation. Rule files that are there are
// checked; those that are not may be elsewhere, and Start will tell.
func (c *Config) Validate() error {
	errs := []error{
		validateTexts("rules_files", c.RulesFiles),
		validateGlobs("rules_files", c.RulesFiles),
		ruleFiles{c.RulesFiles}.mistaken(),
		validateTexts("enabled_rules", c.EnabledRules),
		validateTexts("enabled_tags", c.EnabledTags),
		validateTexts("disabled_rules", c.DisabledRules),
		validateTexts("disabled_tags", c.DisabledTags),
		validatePriority(c.MinimumPriority),
		validateKeep(c.Keep),
		validateScope(c.Scope),
	}
	if c.RuleMatching != matchFirst && c.RuleMatching != matchAll {
		errs = append(errs, fmt.Errorf("rule_matching: %q is neither %q nor %q", c.RuleMatching, matchFirst, matchAll))
	}
	if c.ReloadInterval != 0 && c.ReloadInterval < minReloadInterval {
		errs = append(errs, fmt.Errorf("reload_interval: %v is too short: use %v or more, for example 5s, or 0 for never", c.ReloadInterval, minReloadInterval))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if slices.ContainsFunc(c.AppendOutput, func(a AppendOutputConfig) bool { return a.Validate() != nil }) {
		return nil // each says so itself; no rule could be loaded with it
	}
	return c.validateRules()
}

// validateRules loads the rule files, unless one of them is not there: what it
// would define could be missing in the others.
func (c *Config) validateRules() error {
	if len(c.RulesFiles)+len(c.AppendOutput)+len(c.selections()) == 0 && c.Scope == "" {
		return nil // the embedded policies as they are: to load them once is enough
	}
	files, err := ruleFiles{c.RulesFiles}.read()
	if err != nil || slices.ContainsFunc(files, func(f policy.File) bool { return f.Err != nil }) {
		return nil //nolint:nilerr // not this machine's files
	}
	if _, result := policy.Load(files, c.options(nil)); !result.OK() {
		return errors.New(line(&rulesError{result}))
	}
	return nil
}

// options are how the rules are loaded.
func (c *Config) options(known field.Names) *policy.Options {
	least, _ := rules.ParsePriority(c.MinimumPriority) // validated
	o := &policy.Options{All: c.RuleMatching == matchAll, Names: known, Lean: true}
	o.MinPriority, o.Scope = &least, c.Scope
	for _, sel := range c.selections() {
		o.Select = append(o.Select, sel.Selection)
	}
	for i := range c.AppendOutput {
		o.AppendOutput = append(o.AppendOutput, c.AppendOutput[i].rules())
	}
	return o
}

// Validate implements the collector's validation.
func (c *RateLimitConfig) Validate() error {
	if c.Burst < 0 {
		return errors.New("burst: must not be negative; 0 is unlimited")
	}
	if c.Burst > 0 && c.Interval < minRateInterval {
		return fmt.Errorf("interval: %v is too short: use %v or more, for example 1m", c.Interval, minRateInterval)
	}
	return nil
}

func validateTexts(key string, texts []string) error {
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("%s[%d]: is empty", key, i)
		}
	}
	return nil
}

func validateGlobs(key string, patterns []string) error {
	for i, pattern := range patterns {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return fmt.Errorf("%s[%d]: %q: %w", key, i, pattern, err)
		}
	}
	return nil
}

func validatePriority(name string) error {
	if _, ok := rules.ParsePriority(name); !ok {
		return fmt.Errorf("minimum_priority: %q is no priority: use one of %s", name, strings.Join(rules.PriorityNames(), ", "))
	}
	return nil
}

// validateScope looks at the form only: the scope may use macros and lists of
// the rule files.
func validateScope(scope string) error {
	if scope == "" {
		return nil
	}
	if _, err := lang.Parse(scope, lang.DepthRules); err != nil {
		return fmt.Errorf("scope: %w", err)
	}
	return nil
}

func validateKeep(names []string) error {
	for i, name := range names {
		switch {
		case name != keepAll && !slices.Contains(activityEvents, name):
			return fmt.Errorf("keep[%d]: %q is no activity; one of: %s, %s", i, name, keepAll, strings.Join(activityEvents, ", "))
		case name == keepAll && len(names) > 1:
			return fmt.Errorf("keep[%d]: %q stands alone", i, name)
		}
	}
	return nil
}
