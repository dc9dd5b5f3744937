// Package prometheus checks what deploy holds against a real Prometheus: every
// query of the dashboards and rules is parsed, run, and held against the metrics
// and labels that are really there. They come from the real agent and from
// another distribution that uses the connector alone (collector, generated from
// distribution.yaml), by remote write; once as native histograms and once with
// explicit buckets.
//
// It is a module of its own because the exporter and the query language are no
// part of the product.
package prometheus
