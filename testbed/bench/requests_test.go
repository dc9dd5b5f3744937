package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

func TestNumberBefore(t *testing.T) {
	n, err := numberBefore("Running 2s test\n  119230 requests in 2.00s, 19.67MB read\n", "requests in")
	require.NoError(t, err)
	require.Equal(t, 119230, n)
	_, err = numberBefore("nothing", "requests in")
	require.ErrorIs(t, err, errNoNumber)
}

func TestSpansOfOneServer(t *testing.T) {
	var c spanCounts
	c.count(80)
	data := ptrace.NewTraces()
	list := data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	add := func(kind ptrace.SpanKind, key string, port int64) {
		span := list.AppendEmpty()
		span.SetKind(kind)
		span.Attributes().PutInt(key, port)
	}
	add(ptrace.SpanKindServer, schema.NetworkLocalPort, 80)
	add(ptrace.SpanKindServer, schema.NetworkLocalPort, 81)
	add(ptrace.SpanKindServer, schema.NetworkPeerPort, 80)
	add(ptrace.SpanKindClient, schema.NetworkPeerPort, 80)
	add(ptrace.SpanKindClient, schema.NetworkPeerPort, 80)
	c.take(data, time.Now().Add(-quiet))
	require.Equal(t, 3, c.settle(3))
	servers, clients := c.both()
	require.Equal(t, 1, servers)
	require.Equal(t, 2, clients)
}

func TestCPUWithChildren(t *testing.T) {
	cpu, err := cpuWithChildren(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, cpu, time.Duration(0))
}

func TestProgramTimeOfWhoHasNone(t *testing.T) {
	d, err := programTime(os.Getpid())
	require.NoError(t, err)
	require.Zero(t, d)
}

func TestRequestMarkdown(t *testing.T) {
	r := requestReport{
		machine: "a machine", hit: 0.55,
		costs: []requestCost{{
			what: targets[0].what, off: 4.4, empty: 5, on: 5.5, added: 1.1, neighbour: 0.4, spansPerRequest: 2, agentPerSpan: 3.14, kernelPerRequest: 1.5, requestsPerSecond: 24000,
		}},
		probes: &probeResult{
			unwanted: 2, unwantedWith: 2.6, processes: 200, binaries: 20,
			known: beginning{answered: 20 * time.Millisecond, decoded: 20 * time.Millisecond, rounds: 3},
			fresh: beginning{answered: 20 * time.Millisecond, decoded: 30 * time.Millisecond, rounds: 3, missed: 4},
			alone: usage{rss: 100e6, rssAnon: 50e6}, many: usage{rss: 110e6, rssAnon: 60e6},
		},
		rate: &rateResult{
			requests: 1200000, took: time.Minute, servers: 1200000, clients: 1199998, agentPerSpan: 3, rss: 90e6, wakeups: 18000,
			balance: &balance{made: 2400100, arrived: 2400098, failed: 2, lost: []lossCount{{"ring_full", 1234}}},
		},
		stages: []microResult{
			{microbenchmark{what: "an exchange", within: true}, 1_000_000, 0, 0},
			{microbenchmark{what: "a span"}, 500_000, 100, 3},
		},
	}
	text := r.markdown()
	for _, line := range []string{
		"` | 4.40 µs | 5.00 µs | 5.50 µs | **+1.10 µs** | +0.40 µs | 0.25 | 2.00 | 1.50 µs | **3.14 µs** | 0.71 | 2.00 | 24,000 |\n",
		"| the same / a bare nginx request | 0.68 |\n",
		"without / with / added | 2.00 µs / 2.60 µs / **+0.60 µs** |\n",
		"| from the start of a program that was never seen to its first request answered / decoded | 20 ms / **30 ms** |\n",
		"| requests answered before, and not decoded, in 3 starts | 4 |\n",
		"| the same, with 200 processes of 20 binaries that use TLS | **110.0 MB** (60.0 MB) |\n",
		"| requests | 1,200,000 in 60 s, 20,000/s |\n",
		"| **0** / **2** |\n",
		"| **90.0 MB** |\n",
		"| agent's wake-ups, a second | 300 |\n",
		"arrived, those of others included | 2,400,100 / 2,400,098 |\n",
		"by the back end | 0 / 0 / 2 |\n",
		"| counted as lost: ring_full | 1,234 |\n",
		"| a span | 2.00 µs | 100 | 3 |\n",
		"| the rest of the agent's 3.00 µs: rings, wake-ups, queues, gRPC and TCP, garbage collection, threads | 1.00 µs | | |\n",
	} {
		require.Contains(t, text, line)
	}
	require.Equal(t, "m.\n", (&requestReport{machine: "m"}).markdown())
}

func TestHealthOfRequests(t *testing.T) {
	data := pmetric.NewMetrics()
	list := data.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	add := func(name, class, reason string, n int64) {
		m := list.AppendEmpty()
		m.SetName(name)
		dp := m.SetEmptySum().DataPoints().AppendEmpty()
		dp.SetIntValue(n)
		if class != "" {
			dp.Attributes().PutStr("class", class)
			dp.Attributes().PutStr("reason", reason)
		}
	}
	add(receiverAccepted, "", "", 7)
	add(receiverRefused, "", "", 1)
	add(exporterFailed, "", "", 2)
	add(receiverLost, "requests", "ring_full", 5)
	add(receiverLost, "requests", "gap", 3)
	add(receiverLost, "requests", "late", 0)
	add(receiverLost, "security", "ring_full", 9)
	var told health
	told.take(data, time.Now()) // of an agent that nobody asked
	told.begin()
	require.Empty(t, told.losses())
	told.take(data, time.Now())
	got := balanceOf(&told, &spanCounts{all: 6})
	require.Equal(t, &balance{made: 8, refused: 1, failed: 2, arrived: 6, lost: []lossCount{{"gap", 3}, {"ring_full", 5}}}, got)
}

func TestWakeupsOf(t *testing.T) {
	n, err := wakeupsOf(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, n)
}
