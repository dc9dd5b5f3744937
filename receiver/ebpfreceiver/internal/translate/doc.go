// Package translate turns events, together with what is known about their
// process and container, into pdata. It is pure: no kernel, no files, no clock,
// no goroutine.
//
//	Activity{event, process, container, names} --Logs--> plog.Logs
//	exchange.Exchange + process + container    --Traces--> ptrace.Traces
//	Snapshot{counters, hooks, ...}             --Metrics--> pmetric.Metrics
//
// Builders group what they append by resource and hand out whole batches.
package translate
