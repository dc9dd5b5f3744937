package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// grafanaPanel and grafanaDashboard are the part of Grafana's schema that the
// dashboards use. Unknown fields are refused, so that a misspelt one is found;
// Grafana itself is not asked.
type grafanaPanel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Collapsed   *bool  `json:"collapsed"`
	Panels      []any  `json:"panels"`
	GridPos     struct {
		X int `json:"x"`
		Y int `json:"y"`
		W int `json:"w"`
		H int `json:"h"`
	} `json:"gridPos"`
	Datasource struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	} `json:"datasource"`
	Targets []struct {
		RefID      string `json:"refId"`
		Expr       string `json:"expr"`
		Legend     string `json:"legendFormat"`
		Format     string `json:"format"`
		Instant    bool   `json:"instant"`
		Range      bool   `json:"range"`
		Datasource any    `json:"datasource"`
	} `json:"targets"`
	FieldConfig struct {
		Defaults struct {
			Unit       string         `json:"unit"`
			Min        *float64       `json:"min"`
			Custom     map[string]any `json:"custom"`
			Thresholds struct {
				Mode  string `json:"mode"`
				Steps []struct {
					Color string   `json:"color"`
					Value *float64 `json:"value"`
				} `json:"steps"`
			} `json:"thresholds"`
		} `json:"defaults"`
		Overrides []any `json:"overrides"`
	} `json:"fieldConfig"`
	Options         map[string]any `json:"options"`
	Transformations []struct {
		ID      string         `json:"id"`
		Options map[string]any `json:"options"`
	} `json:"transformations"`
}

type grafanaDashboard struct {
	UID           string                      `json:"uid"`
	Title         string                      `json:"title"`
	Description   string                      `json:"description"`
	Tags          []string                    `json:"tags"`
	SchemaVersion int                         `json:"schemaVersion"`
	Version       int                         `json:"version"`
	Editable      bool                        `json:"editable"`
	Timezone      string                      `json:"timezone"`
	Time          struct{ From, To string }   `json:"time"`
	Refresh       string                      `json:"refresh"`
	GraphTooltip  int                         `json:"graphTooltip"`
	Links         []map[string]any            `json:"links"`
	Annotations   map[string]any              `json:"annotations"`
	Templating    struct{ List []grafanaVar } `json:"templating"`
	Panels        []grafanaPanel              `json:"panels"`
}

type grafanaVar struct {
	Name       string           `json:"name"`
	Label      string           `json:"label"`
	Type       string           `json:"type"`
	Query      any              `json:"query"`
	Datasource any              `json:"datasource"`
	Options    []map[string]any `json:"options"`
	Current    map[string]any   `json:"current"`
	Hide       int              `json:"hide"`
	Refresh    int              `json:"refresh"`
	Sort       int              `json:"sort"`
	Multi      bool             `json:"multi"`
	IncludeAll bool             `json:"includeAll"`
	AllValue   string           `json:"allValue"`
}

var panelTypes = map[string]bool{
	"row": true, "timeseries": true, "heatmap": true, "table": true, "stat": true, "nodeGraph": true, "logs": true,
}

func TestDashboardsHaveTheFormThatGrafanaReads(t *testing.T) {
	paths, err := filepath.Glob("grafana/*.json")
	require.NoError(t, err)
	require.Len(t, paths, 5)
	seen := map[string]bool{}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			strict := json.NewDecoder(f)
			strict.DisallowUnknownFields()
			var d grafanaDashboard
			require.NoError(t, strict.Decode(&d))
			require.NotEmpty(t, d.Title)
			require.LessOrEqual(t, len(d.UID), 40)
			require.False(t, seen[d.UID], "two dashboards with one uid")
			seen[d.UID] = true
			checkPanels(t, d.Panels)
		})
	}
}

func checkPanels(t *testing.T, panels []grafanaPanel) {
	t.Helper()
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for i := range panels {
		p := &panels[i]
		require.False(t, ids[p.ID], "id %d twice", p.ID)
		ids[p.ID] = true
		require.True(t, panelTypes[p.Type], p.Type)
		require.NotEmpty(t, p.Title)
		g := p.GridPos
		require.LessOrEqual(t, g.X+g.W, 24, p.Title)
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				require.Empty(t, taken[[2]int{x, y}], "%s lies on another panel", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		require.NotEmpty(t, p.Targets, p.Title)
		require.Contains(t, []string{"${datasource}", "${logs}"}, p.Datasource.UID, p.Title)
		refs := map[string]bool{}
		for _, target := range p.Targets {
			require.NotEmpty(t, target.Expr, p.Title)
			require.False(t, refs[target.RefID], "%s: two queries %s", p.Title, target.RefID)
			refs[target.RefID] = true
		}
		require.Nil(t, p.FieldConfig.Defaults.Thresholds.Steps[0].Value, "the first step has no bound")
	}
}

// TestRules has promtool, where it is installed, check the rule files and run
// what they should say of given series.
func TestRules(t *testing.T) {
	paths, err := filepath.Glob("prometheus/*.yaml")
	require.NoError(t, err)
	require.Len(t, paths, 2)
	promtool(t, append([]string{"check", "rules", "--lint-fatal"}, paths...)...)
	promtool(t, "test", "rules", "testdata/alerts.yaml")
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt-get install --no-install-recommends prometheus")
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, string(out))
}
