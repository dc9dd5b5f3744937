package prometheus

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightglass/sightglass/deploy"
)

// query is one query of a dashboard or a rule.
type query struct {
	where string // for messages; the same for all queries of a panel
	expr  string
	shown bool // by a dashboard, so that it must yield something
}

func files(t *testing.T, from embed.FS, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := fs.ReadDir(from, dir)
	require.NoError(t, err)
	for _, e := range entries {
		text, err := from.ReadFile(dir + "/" + e.Name())
		require.NoError(t, err)
		found[e.Name()] = string(text)
	}
	return found
}

// dashboard is what the check reads of one.
type dashboard struct {
	Templating struct {
		List []struct {
			Name, Type string
			Query      any
			Options    []struct{ Value string }
		}
	}
	Panels []struct {
		Title, Type string
		Datasource  struct{ Type string }
		Targets     []struct{ Expr string }
	}
}

// queries are all of deploy's: those of Loki, which cannot be had here, left out.
func queries(t *testing.T) (all []query) {
	t.Helper()
	for name, text := range files(t, deploy.Dashboards, "grafana") {
		var d dashboard
		require.NoError(t, json.Unmarshal([]byte(text), &d))
		for _, p := range d.Panels {
			if p.Type == "row" || p.Datasource.Type == "loki" {
				continue
			}
			for _, target := range p.Targets {
				for _, expr := range d.filled(target.Expr) {
					all = append(all, query{name + ", " + p.Title, expr, true})
				}
			}
		}
	}
	for name, text := range files(t, deploy.Rules, "prometheus") {
		var rules struct {
			Groups []struct {
				Rules []struct{ Alert, Record, Expr string }
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &rules))
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				all = append(all, query{name + ", " + r.Alert + r.Record, r.Expr, false})
			}
		}
	}
	require.Greater(t, len(all), 80)
	return all
}

// filled replaces the variables as Grafana does: one query per choice of a list.
func (d *dashboard) filled(expr string) []string {
	expr = strings.NewReplacer("$__rate_interval", "10s", "$namespace", ".*", "$service", shopName).Replace(expr)
	for _, v := range d.Templating.List {
		if v.Type != "custom" || !strings.Contains(expr, "$"+v.Name) {
			continue
		}
		var out []string
		for _, o := range v.Options {
			out = append(out, strings.ReplaceAll(expr, "$"+v.Name, o.Value))
		}
		return out
	}
	return []string{expr}
}

// unknown lists the metrics and labels in a query that nobody emits.
func unknown(t *testing.T, expr string, emitted metrics) (missing []string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		used := map[string]bool{}
		for _, m := range selector.LabelMatchers {
			if m.Name != labels.MetricName {
				used[m.Name] = true
			}
		}
		for _, above := range path {
			if aggregation, ok := above.(*parser.AggregateExpr); ok {
				for _, label := range aggregation.Grouping {
					used[label] = true
				}
			}
		}
		for name := range made(parsed) {
			delete(used, name)
		}
		missing = append(missing, lacking(selector, used, emitted)...)
		return nil
	})
	return missing
}

// made are the labels that the query itself makes.
func made(expr parser.Node) map[string]bool {
	names := map[string]bool{}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if call, ok := node.(*parser.Call); ok && (call.Func.Name == "label_replace" || call.Func.Name == "label_join") {
			names[call.Args[1].(*parser.StringLiteral).Val] = true
		}
		return nil
	})
	return names
}

// lacking says what of a selector is not emitted by any metric that it names.
func lacking(s *parser.VectorSelector, used map[string]bool, emitted metrics) (missing []string) {
	found := map[string]bool{}
	matched := false
	for name, its := range emitted {
		if !names(s, name) {
			continue
		}
		matched = true
		for label := range its {
			found[label] = true
		}
	}
	if !matched {
		return []string{fmt.Sprintf("no metric %s", s)}
	}
	for label := range used {
		if !found[label] {
			missing = append(missing, fmt.Sprintf("no label %s of %s", label, s))
		}
	}
	return missing
}

func names(s *parser.VectorSelector, metric string) bool {
	if s.Name != "" {
		return s.Name == metric
	}
	for _, m := range s.LabelMatchers {
		if m.Name == labels.MetricName {
			return m.Matches(metric)
		}
	}
	return false
}
