// Package deploy holds what a back end shows of the agents: Grafana dashboards,
// and rules for Prometheus. The dashboards and the recording rules are generated
// by deploy/generate from tables of queries; testbed/prometheus checks every
// query against what is really sent.
package deploy

import "embed"

//go:generate go run ./generate

// Dashboards are Grafana dashboards, grafana/*.json.
//
//go:embed grafana/*.json
var Dashboards embed.FS

// Rules are rule files for Prometheus, prometheus/*.yaml.
//
//go:embed prometheus/*.yaml
var Rules embed.FS
