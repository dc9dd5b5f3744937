package main

import "fmt"

// board is a dashboard: what is particular to it.
type board struct {
	file, title, about string
	variables          []variable
	rows               []row
}

type row struct {
	title  string
	panels []panel
}

// panel is a picture of some queries. Width is in 24ths of the dashboard.
type panel struct {
	title, about  string
	kind          kind
	unit          string // Grafana's name
	width, height int
	queries       []query
	logs          bool // the queries are for Loki
	stack         bool
	rename        map[string]string // table: columns by label or query
	limits        []limit
}

type kind string

const (
	timeseries kind = "timeseries"
	heatmap    kind = "heatmap"
	table      kind = "table"
	stat       kind = "stat"
	nodeGraph  kind = "nodeGraph"
	logList    kind = "logs"
)

// query is PromQL, or LogQL in a panel of logs. ref names it in tables and graphs.
type query struct{ expr, legend, ref string }

// limit colors values from a bound on.
type limit struct {
	from  float64
	color string
}

// variable is a choice above the dashboard: the values of a label, or a list.
type variable struct {
	name, label string
	query       string   // label_values(...)
	choices     []choice // instead of query
	all         bool     // "All" and several at once
}

type choice struct{ text, value string }

type object = map[string]any

func (b *board) dashboard() object {
	templates := []object{
		{"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0},
		{"type": "datasource", "name": "logs", "label": "Loki", "query": "loki", "hide": 0},
	}
	for _, v := range b.variables {
		templates = append(templates, v.template())
	}
	return object{
		"uid": "sightglass-" + b.file, "title": "Sightglass / " + b.title, "description": b.about,
		"tags": []string{"sightglass"}, "schemaVersion": 39, "version": 1, "editable": true, "timezone": "",
		"time": object{"from": "now-1h", "to": "now"}, "refresh": "30s",
		"graphTooltip": 1, // one crosshair through all panels
		"links": []object{{
			"type": "dashboards", "title": "Sightglass", "tags": []string{"sightglass"}, "asDropdown": true,
			"includeVars": true, "keepTime": true,
		}},
		"annotations": object{"list": []object{}},
		"templating":  object{"list": templates},
		"panels":      b.panels(),
	}
}

func (v *variable) template() object {
	t := object{"name": v.name, "label": v.label, "hide": 0, "multi": v.all, "includeAll": v.all}
	if v.choices != nil {
		options, text := []object{}, ""
		for i, c := range v.choices {
			options = append(options, object{"text": c.text, "value": c.value, "selected": i == 0})
			if i > 0 {
				text += ", "
			}
			text += c.text + " : " + c.value
		}
		t["type"], t["query"], t["options"], t["current"] = "custom", text, options, options[0]
		return t
	}
	t["type"], t["datasource"], t["refresh"], t["sort"] = "query", promSource(), 2, 1
	t["query"] = object{"query": v.query, "refId": "variable"}
	if v.all {
		t["allValue"] = ".*"
		t["current"] = object{"text": "All", "value": "$__all"}
	}
	return t
}

func promSource() object { return object{"type": "prometheus", "uid": "${datasource}"} }
func logSource() object  { return object{"type": "loki", "uid": "${logs}"} }

// panels places the panels in lines of 24 columns, and a title above each row.
func (b *board) panels() []object {
	var out []object
	id, y := 0, 0
	for _, r := range b.rows {
		id++
		out = append(out, object{
			"id": id, "type": "row", "title": r.title, "collapsed": false, "panels": []object{}, "gridPos": place(0, y, 24, 1),
		})
		y++
		x, tallest := 0, 0
		for i := range r.panels {
			p := &r.panels[i]
			if x+p.width > 24 {
				x, y, tallest = 0, y+tallest, 0
			}
			id++
			out = append(out, p.object(id, x, y))
			x += p.width
			tallest = max(tallest, p.height)
		}
		y += tallest
	}
	return out
}

func place(x, y, w, h int) object { return object{"x": x, "y": y, "w": w, "h": h} }

func (p *panel) object(id, x, y int) object {
	source := promSource()
	if p.logs {
		source = logSource()
	}
	o := object{
		"id": id, "type": string(p.kind), "title": p.title, "description": p.about, "datasource": source,
		"gridPos": place(x, y, p.width, p.height), "targets": p.targets(source),
		"fieldConfig": object{"defaults": p.defaults(), "overrides": []object{}}, "options": p.options(),
	}
	organize := object{"id": "organize", "options": object{"excludeByName": object{"Time": true}, "renameByName": p.rename}}
	switch p.kind {
	case table:
		o["transformations"] = []object{{"id": "merge", "options": object{}}, organize}
	case nodeGraph:
		o["transformations"] = []object{organize}
	default:
	}
	return o
}

func (p *panel) targets(source object) []object {
	var out []object
	for i, q := range p.queries {
		ref := q.ref
		if ref == "" {
			ref = string(rune('A' + i))
		}
		t := object{"refId": ref, "expr": q.expr, "datasource": source}
		switch p.kind {
		case table, nodeGraph:
			t["format"], t["instant"], t["range"] = "table", true, false
		case stat:
			t["instant"], t["range"] = true, false
		case heatmap:
			t["format"], t["range"] = "heatmap", true
		default:
			t["range"] = true
		}
		if q.legend != "" {
			t["legendFormat"] = q.legend
		}
		out = append(out, t)
	}
	return out
}

func (p *panel) defaults() object {
	steps := []object{{"color": "green", "value": nil}}
	for _, l := range p.limits {
		steps = append(steps, object{"color": l.color, "value": l.from})
	}
	d := object{"unit": p.unit, "thresholds": object{"mode": "absolute", "steps": steps}}
	if p.kind == timeseries {
		custom := object{"fillOpacity": 10, "showPoints": "never", "lineWidth": 1}
		if p.stack {
			custom["stacking"] = object{"mode": "normal"}
		}
		d["custom"], d["min"] = custom, 0
	}
	return d
}

func (p *panel) options() object {
	switch p.kind {
	case timeseries:
		return object{
			"legend":  object{"displayMode": "table", "placement": "bottom", "calcs": []string{"mean", "max"}},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	case heatmap:
		return object{
			"calculate": false, "cellGap": 0, "yAxis": object{"unit": p.unit},
			"color": object{"mode": "scheme", "scheme": "Oranges", "steps": 64}, "tooltip": object{"mode": "single", "yHistogram": true},
		}
	case stat:
		return object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "colorMode": "value", "graphMode": "none"}
	case logList:
		return object{"showTime": true, "wrapLogMessage": true, "sortOrder": "Descending", "enableLogDetails": true}
	default:
		return object{}
	}
}

// label is how Grafana writes a label's value into a legend.
func label(name string) string { return fmt.Sprintf("{{%s}}", name) }
