package main

import (
	"fmt"
	"strings"
)

// requestStages are the benchmarks of the stages of a request's way.
var requestStages = []microbenchmark{
	{
		pkg: "receiver/ebpfreceiver/internal/requests", name: "BenchmarkAssembler", within: true,
		what: "records to exchanges: decode, follow the connection, parse HTTP",
	},
	{
		pkg: "receiver/ebpfreceiver/internal/requests", name: "BenchmarkSpan",
		what: "the same, and the span (pdata)",
	},
	{
		pkg: "connector/servicelatencyconnector", name: "BenchmarkConsumeTraces/400_series", items: 100,
		what: "a span into the latency of its service",
	},
	{
		pkg: "receiver/ebpfreceiver/internal/requests", name: "BenchmarkEncode",
		what: "a span to the bytes of OTLP",
	},
}

// wholeWay is the time of a span's stages together, in µs: of a stage that holds
// the one before it, that counts once.
func wholeWay(stages []microResult) (sum float64) {
	for _, m := range stages {
		if m.within {
			continue
		}
		sum += 1e6 / m.perSecond
	}
	return sum
}

// bare is what nginx takes for a request without anybody, in µs: by that other
// machines can be compared. 0 when it was not measured.
func (r *requestReport) bare() float64 {
	for _, c := range r.costs {
		if c.what == targets[0].what {
			return c.off
		}
	}
	return 0
}

// ratio is empty where there is nothing to compare with.
func ratio(n, of float64) string {
	if of <= 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", n/of)
}

// markdown is the report.
func (r *requestReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", r.machine)
	if r.hit > 0 {
		fmt.Fprintf(&b, "\nAn empty program at a probe costs %.2f µs a hit here.\n", r.hit)
	}
	if len(r.costs) > 0 {
		b.WriteString("\n| CPU time per request | server without | two empty programs | with | added | by a neighbour alone | added / without | added / empty hit | in our programs, both ends | agent per span | agent per span / bare nginx | spans per request | requests/s |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
		for _, c := range r.costs {
			fmt.Fprintf(&b, "| %s | %.2f µs | %.2f µs | %.2f µs | **%+.2f µs** | %+.2f µs | %s | %s | %.2f µs | **%.2f µs** | %s | %.2f | %s |\n", c.what,
				c.off, c.empty, c.on, c.added, c.neighbour, ratio(c.added, c.off), ratio(c.added, r.hit), c.kernelPerRequest, c.agentPerSpan, ratio(c.agentPerSpan, r.bare()),
				c.spansPerRequest, thousands(c.requestsPerSecond))
		}
	}
	r.probes.markdown(&b)
	if s := r.rate; s != nil {
		b.WriteString("\n| steady load of nginx, load and back end on the same cores | |\n|---|---|\n")
		fmt.Fprintf(&b, "| requests | %s in %.0f s, %s/s |\n", thousands(float64(s.requests)), s.took.Seconds(), thousands(float64(s.requests)/s.took.Seconds()))
		fmt.Fprintf(&b, "| spans missing, of the server's end / of the client's | **%d** / **%d** |\n", s.requests-s.servers, s.requests-s.clients)
		fmt.Fprintf(&b, "| agent's CPU time per span | **%.2f µs** |\n", s.agentPerSpan)
		if r.bare() > 0 {
			fmt.Fprintf(&b, "| the same / a bare nginx request | %s |\n", ratio(s.agentPerSpan, r.bare()))
		}
		fmt.Fprintf(&b, "| agent's RSS, the most | **%s** |\n", megabytes(s.rss))
		fmt.Fprintf(&b, "| agent's wake-ups, a second | %s |\n", thousands(float64(s.wakeups)/s.took.Seconds()))
		s.balance.markdown(&b)
	}
	if len(r.stages) > 0 {
		b.WriteString("\n| stage, one core | time | bytes | allocations |\n|---|---|---|---|\n")
		for _, m := range r.stages {
			fmt.Fprintf(&b, "| %s | %.2f µs | %d | %d |\n", m.what, 1e6/m.perSecond, m.bytes, m.allocs)
		}
		if r.rate != nil {
			fmt.Fprintf(&b, "| the rest of the agent's %.2f µs: rings, wake-ups, queues, gRPC and TCP, garbage collection, threads | %.2f µs | | |\n",
				r.rate.agentPerSpan, r.rate.agentPerSpan-wholeWay(r.stages))
		}
	}
	return b.String()
}

// markdown tells where spans and records went. What arrived, of whomever it is,
// and what the counters tell as lost behind the receiver is what it has made.
func (l *balance) markdown(b *strings.Builder) {
	if l == nil {
		return
	}
	fmt.Fprintf(b, "| spans made by the receiver / arrived, those of others included | %s / %s |\n", thousands(float64(l.made)), thousands(float64(l.arrived)))
	fmt.Fprintf(b, "| refused by the pipeline / by the exporter's queue / by the back end | %d / %d / %d |\n", l.refused, l.queued, l.failed)
	for _, r := range l.lost {
		fmt.Fprintf(b, "| counted as lost: %s | %s |\n", r.reason, thousands(float64(r.n)))
	}
}
