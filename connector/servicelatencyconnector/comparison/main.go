// Command comparison measures the connector beside span_metrics of the
// collector's contrib repository: the same spans, in the same process, in turns.
// Then it measures what a gateway spends on merging. It prints what it found as JSON; "make bench-latency" makes a table of that.
//
// It is a module of its own so that the product does not depend on what it is
// compared with.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

// Result is what was measured of one connector. Bytes and times are those of
// 100,000 series.
type Result struct {
	Name            string  `json:"name"`
	Few             Speed   `json:"few"`
	Many            Speed   `json:"many"`
	DeltaBytes      float64 `json:"delta_bytes"` // of heap per series, at most
	CumulativeBytes float64 `json:"cumulative_bytes"`
	FlushSeconds    float64 `json:"flush_seconds"` // CPU time, median
	WaitMedian      float64 `json:"wait_median"`   // s, for a batch of 100 spans while flushes go on
	WaitRare        float64 `json:"wait_rare"`     // 99.9th percentile
	WaitLongest     float64 `json:"wait_longest"`
}

// Speed is what a span of a known series costs.
type Speed struct {
	Series      int     `json:"series"`
	Nanoseconds float64 `json:"nanoseconds"` // CPU time, garbage collection included, median
	Allocations float64 `json:"allocations"`
}

func main() {
	rounds := flag.Int("rounds", 7, "rounds of alternating runs")
	flag.Parse()
	if err := run(*rounds); err != nil {
		fmt.Fprintln(os.Stderr, "comparison:", err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	results := make([]Result, contestants)
	for i, c := range contenders("1h", "delta") {
		results[i].Name = c.name
	}
	for _, measure := range []func([]Result, int) error{measureSpeed, measureMemory, measureFlushes, measureWaits} {
		if err := measure(results, rounds); err != nil {
			return err
		}
	}
	gateway, err := measureGateway(rounds)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"connectors": results, "gateway": gateway})
}
