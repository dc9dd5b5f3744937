//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package ebpfreceiver implements the ebpf receiver: what processes, files,
// sockets and requests do on this host, told by programs in the kernel.
//
//	ring "security" -> event.Decode -> process table, container, interest -> translate.Logs   -> logs
//	ring "requests" -> event.Decode -> requests.Assembler                 -> translate.Traces -> traces
//	counters, hooks, tables (timer)                                       -> translate.Metrics -> metrics
//
// One instance serves all signals that name the same configuration.
package ebpfreceiver
