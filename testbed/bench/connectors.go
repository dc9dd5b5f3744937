package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// contestant is what connector/servicelatencyconnector/comparison prints of one
// connector. Bytes and times are those of 100,000 series.
type contestant struct {
	Name            string   `json:"name"`
	Few             spanCost `json:"few"`
	Many            spanCost `json:"many"`
	DeltaBytes      float64  `json:"delta_bytes"`
	CumulativeBytes float64  `json:"cumulative_bytes"`
	FlushSeconds    float64  `json:"flush_seconds"`
	WaitMedian      float64  `json:"wait_median"`
	WaitRare        float64  `json:"wait_rare"`
	WaitLongest     float64  `json:"wait_longest"`
}

type spanCost struct {
	Series      int     `json:"series"`
	Nanoseconds float64 `json:"nanoseconds"`
	Allocations float64 `json:"allocations"`
}

// merging is what a gateway spends on the deltas of many agents.
type merging struct {
	Agents          int     `json:"agents"`
	Series          int     `json:"series"`
	Nanoseconds     float64 `json:"nanoseconds"`
	WireBytes       float64 `json:"wire_bytes"`
	BytesPerStream  float64 `json:"bytes_per_stream"`
	BucketsPerPoint float64 `json:"buckets_per_point"`
}

// connectors runs the comparison of service_latency with span_metrics, prints
// the report and writes it.
func (b *bench) connectors(ctx context.Context, program, readme string) error {
	where := machine(ctx)
	cmd := exec.CommandContext(ctx, program, "-rounds", strconv.Itoa(b.rounds))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	var found struct {
		Connectors []contestant `json:"connectors"`
		Gateway    merging      `json:"gateway"`
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&found); err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	if len(found.Connectors) != 2 {
		return fmt.Errorf("%s: %d connectors instead of two", program, len(found.Connectors))
	}
	report := where + ".\n\n" + connectorTable(&found.Connectors[0], &found.Connectors[1]) + "\n" + gatewayTable(&found.Gateway)
	fmt.Print("\n", report)
	if readme == "" {
		return nil
	}
	return writeReport(readme, connectorMarks, report)
}

// comparisons are the rows of the table: what is compared, how a value is
// written, and how many times better ours should be.
var comparisons = []struct {
	what   string
	value  func(*contestant) float64
	format func(float64) string
	more   bool    // is better
	aim    float64 // times; zero when none is stated
}{
	{"spans per second and core, 400 series", func(c *contestant) float64 { return 1e9 / c.Few.Nanoseconds }, thousands, true, 3},
	{"spans per second and core, 100,000 series", func(c *contestant) float64 { return 1e9 / c.Many.Nanoseconds }, thousands, true, 3},
	{"allocations per span, 400 series", func(c *contestant) float64 { return c.Few.Allocations }, hundredths, false, 0},
	{"allocations per span, 100,000 series", func(c *contestant) float64 { return c.Many.Allocations }, hundredths, false, 0},
	{"heap per series, delta, at most", func(c *contestant) float64 { return c.DeltaBytes }, byteCount, false, 3},
	{"heap per series, cumulative, at most", func(c *contestant) float64 { return c.CumulativeBytes }, byteCount, false, 3},
	{"flush of 100,000 series, CPU time", func(c *contestant) float64 { return c.FlushSeconds }, milliseconds, false, 0},
	{"100 spans consumed beside flushes, median", func(c *contestant) float64 { return c.WaitMedian }, milliseconds, false, 0},
	{"the same, 99.9th percentile", func(c *contestant) float64 { return c.WaitRare }, milliseconds, false, 0},
	{"the same, longest", func(c *contestant) float64 { return c.WaitLongest }, milliseconds, false, 0},
}

func connectorTable(ours, theirs *contestant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | %s | %s | times better | aim |\n|---|---|---|---|---|\n", ours.Name, theirs.Name)
	for _, c := range comparisons {
		better, worse := c.value(ours), c.value(theirs)
		fmt.Fprintf(&b, "| %s | **%s** | %s | %s | %s |\n", c.what, c.format(better), c.format(worse), timesBetter(better, worse, c.more), aimedTimes(c.aim))
	}
	return b.String()
}

// A fleet for which the cost of gateways is computed.
const (
	fleetAgents   = 1000
	fleetInterval = 10 // s
)

// gatewayTable is what was measured, and what follows for a fleet.
func gatewayTable(m *merging) string {
	perSecond := float64(fleetAgents*m.Series) / fleetInterval
	var b strings.Builder
	fmt.Fprintf(&b, "| a gateway, %d agents with %d series each, %.0f buckets a point | |\n|---|---|\n", m.Agents, m.Series, m.BucketsPerPoint)
	fmt.Fprintf(&b, "| data points decoded, merged and flushed, per second and core | **%s** |\n", thousands(1e9/m.Nanoseconds))
	fmt.Fprintf(&b, "| heap per agent and series | **%s** |\n", byteCount(m.BytesPerStream))
	fmt.Fprintf(&b, "| on the wire, uncompressed, a point | %s |\n", byteCount(m.WireBytes))
	fmt.Fprintf(&b, "| on paper, %s agents every %d s: points per second | %s |\n", thousands(fleetAgents), fleetInterval, thousands(perSecond))
	fmt.Fprintf(&b, "| on paper: cores, heap, network | %.2f, %s, %s/s |\n", perSecond*m.Nanoseconds/1e9,
		megabytes(int64(m.BytesPerStream*float64(fleetAgents*m.Series))), megabytes(int64(m.WireBytes*perSecond)))
	return b.String()
}

func timesBetter(ours, theirs float64, more bool) string {
	if !more {
		ours, theirs = theirs, ours
	}
	if ours > 1000*theirs { // nothing has no multiple
		return ""
	}
	return fmt.Sprintf("%.1f", ours/theirs)
}

func aimedTimes(aim float64) string {
	if aim == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", aim)
}

func hundredths(v float64) string { return fmt.Sprintf("%.2f", v) }

func byteCount(v float64) string { return thousands(v) + " B" }

func milliseconds(seconds float64) string { return fmt.Sprintf("%.2f ms", seconds*1e3) }
