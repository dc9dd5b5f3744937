package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// stockRulesEnv names a directory with Falco's own rule files, which are not
// part of this repository.
const stockRulesEnv = "SIGHTGLASS_FALCO_RULES"

// ruleSets are the sets that BenchmarkPolicies of internal/record measures, in
// the order of the table. aim is in ns per event, beyond the reading.
var ruleSets = []struct {
	name, what string
	aim        float64
	stock      bool // measured only when Falco's files are there
}{
	{name: "stable", what: "Falco's stable rules", aim: 400, stock: true},
	{name: "stock", what: "all of Falco's rules that were given", stock: true},
	{name: "own", what: "the embedded policies"},
	{name: "1000_elsewhere", what: "1,000 rules for events that do not occur"},
	{name: "1000_named", what: "1,000 rules for writing opens, each for a program of its own"},
	{name: "100_searching", what: "100 rules for writing opens, each searching the path for a text of its own"},
	{name: "1000_searching", what: "1,000 such rules"},
}

// noRules is the set that shows what reading a record takes.
const noRules = "none"

// policyCost is what BenchmarkPolicies says about one set.
type policyCost struct {
	rules, nanoseconds []float64 // per event, of each round
}

// policies measures the cost of rules on recorded events, prints the report and
// writes it. Rounds go through all sets in turn, since machines drift.
func (b *bench) policies(ctx context.Context, program, readme string) error {
	where := machine(ctx)
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	costs := map[string]*policyCost{}
	for round := range b.rounds {
		b.progress("policies, round %d of %d", round+1, b.rounds)
		cmd := exec.CommandContext(ctx, program, "-test.run=^$", "-test.bench=^BenchmarkPolicies$", "-test.cpu=1", "-test.benchtime=500ms")
		cmd.Dir = filepath.Join("internal", "record") // where its recordings are looked for
		text, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", program, err, text)
		}
		addPolicyCosts(costs, text)
	}
	if costs[noRules] == nil {
		return fmt.Errorf("%s has no benchmark of policies", program)
	}
	report := where + ".\n\n" + policyTable(costs)
	if os.Getenv(stockRulesEnv) == "" {
		report += "\nFalco's rules were not measured: " + stockRulesEnv + " names no directory with its files.\n"
	}
	fmt.Print("\n", report)
	if readme == "" {
		return nil
	}
	return writeReport(readme, policyMarks, report)
}

// addPolicyCosts reads the lines of one round.
func addPolicyCosts(costs map[string]*policyCost, text []byte) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "BenchmarkPolicies/")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		name = strings.TrimSpace(name)
		for _, run := range parseBenchmark(lines.Bytes()) {
			c := costs[name]
			if c == nil {
				c = &policyCost{}
				costs[name] = c
			}
			c.rules = append(c.rules, run["rules"])
			c.nanoseconds = append(c.nanoseconds, run["cpu-ns/event"])
		}
	}
}

// policyTable has one row per set that was measured. What a set takes beyond
// the reading is the median of the differences within each round.
func policyTable(costs map[string]*policyCost) string {
	var b strings.Builder
	b.WriteString("| rules | number | CPU time per event | beyond the reading | aim |\n|---|---|---|---|---|\n")
	reading := costs[noRules].nanoseconds
	fmt.Fprintf(&b, "| none: the reading of a record | 0 | %.0f ns | | |\n", median(reading))
	for _, set := range ruleSets {
		c := costs[set.name]
		if c == nil {
			continue
		}
		var beyond []float64
		for i, ns := range c.nanoseconds {
			beyond = append(beyond, ns-reading[i])
		}
		below := ""
		if set.aim != 0 {
			below = "< " + strconv.FormatFloat(set.aim, 'f', 0, 64) + " ns"
		}
		fmt.Fprintf(&b, "| %s | %s | %s ns | **%s ns** | %s |\n",
			set.what, thousands(median(c.rules)), thousands(median(c.nanoseconds)), thousands(median(beyond)), below)
	}
	return b.String()
}
