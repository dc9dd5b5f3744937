//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package servicelatencyconnector turns spans into the latency, traffic and
// errors of services: one histogram per service and operation, however many
// replicas, nodes and restarts it has.
//
//	traces  -> metrics   request durations by the semantic conventions
//	metrics -> metrics   merges the delta streams of many connectors into one
//	traces  -> logs      the slowest database statements
package servicelatencyconnector
