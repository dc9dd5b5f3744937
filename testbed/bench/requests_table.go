package main

import (
	"fmt"
	"strings"
)

// requestStages are the benchmarks of the stages of a request's way.
var requestStages = []microbenchmark{
	{
		pkg: "receiver/ebpfreceiver/internal/requests", name: "BenchmarkAssembler",
		what: "records to exchanges: decode, follow the connection, parse HTTP",
	},
	{
		pkg: "receiver/ebpfreceiver/internal/requests", name: "BenchmarkSpan",
		what: "an exchange to a span",
	},
}

// markdown is the report.
func (r *requestReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", r.machine)
	if len(r.costs) > 0 {
		b.WriteString("\n| CPU time per request | server without | with | added | in our programs, both ends | agent per span | spans per request | requests/s |\n|---|---|---|---|---|---|---|---|\n")
		for _, c := range r.costs {
			fmt.Fprintf(&b, "| %s | %.2f µs | %.2f µs | **%+.2f µs** | %.2f µs | **%.2f µs** | %.2f | %s |\n", c.what,
				c.off, c.on, c.added, c.kernelPerRequest, c.agentPerSpan, c.spansPerRequest, thousands(c.requestsPerSecond))
		}
	}
	if s := r.rate; s != nil {
		b.WriteString("\n| steady load of nginx, load and back end on the same cores | |\n|---|---|\n")
		fmt.Fprintf(&b, "| requests | %s in %.0f s, %s/s |\n", thousands(float64(s.requests)), s.took.Seconds(), thousands(float64(s.requests)/s.took.Seconds()))
		fmt.Fprintf(&b, "| spans missing, of the server's end / of the client's | **%d** / **%d** |\n", s.requests-s.servers, s.requests-s.clients)
		fmt.Fprintf(&b, "| agent's CPU time per span | **%.2f µs** |\n", s.agentPerSpan)
		fmt.Fprintf(&b, "| agent's RSS, the most | **%s** |\n", megabytes(s.rss))
	}
	if len(r.stages) > 0 {
		b.WriteString("\n| stage, one core | time | bytes | allocations |\n|---|---|---|---|\n")
		for _, m := range r.stages {
			fmt.Fprintf(&b, "| %s | %.2f µs | %d | %d |\n", m.what, 1e6/m.perSecond, m.bytes, m.allocs)
		}
	}
	return b.String()
}
