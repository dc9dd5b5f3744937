//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package terminalexporter implements the terminal exporter: it shows a person
// what the host does.
//
//	logs    -> kinds (which line) -> gate (how many a second) -> queue -+
//	traces  -> the same                                                 +-> printer -> screen -> stdout
//	metrics -> latency.Store, watch <- read by the printer on its ticks-+
//
// The pipeline never waits for the terminal: what the queue cannot take is
// dropped, counted, and said. Nothing that a program chose (its command line,
// a path) reaches the terminal unescaped: see internal/text.
package terminalexporter
