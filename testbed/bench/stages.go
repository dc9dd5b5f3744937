package main

// stages are the benchmarks of the packages on an event's way, in its order.
var stages = []microbenchmark{
	{
		pkg: "receiver/ebpfreceiver", name: "BenchmarkDecodeAndFilter", aim: 500_000,
		what: "decode, follow the process, filter: an event that nobody wants",
	},
	{
		pkg: "receiver/ebpfreceiver/internal/translate", name: "BenchmarkOpenRecord", aim: 150_000,
		what: "translate an openat in a container to a log record",
	},
	{
		pkg: "receiver/ebpfreceiver/internal/translate", name: "BenchmarkExecRecord", aim: 150_000,
		what: "translate a command in a container to a log record",
	},
	{
		pkg: "internal/policy", name: "BenchmarkMatchSynthetic/100",
		what: "match an event against 100 rules",
	},
	{
		pkg: "connector/servicelatencyconnector", name: "BenchmarkConsumeTraces/400_series", items: 100,
		what: "count a span into the latency of its service",
	},
}
