//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// runLines does the job on its input and prints the outcomes, for protocols
// whose responses are lines. A path is "LINES COMMAND": how many lines answer
// it if it succeeds. A command may have a body, after its own line.
func runLines(encode func(command string) string) {
	var j job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		panic(err)
	}
	var all []outcome
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range j.Conns {
		wg.Go(func() {
			got := j.lines(encode)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got...)
		})
	}
	wg.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}

// lines does the requests of one connection, as many at once as the job says.
func (j *job) lines(encode func(command string) string) (all []outcome) {
	c, err := j.dial("tcp", "")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 16<<10)
	var start uint64
	for i := range j.N {
		if depth := max(1, j.Pipelined); i%depth == 0 {
			var burst strings.Builder
			for k := range min(depth, j.N-i) {
				_, command, _ := strings.Cut(j.Paths[(i+k)%len(j.Paths)], " ")
				burst.WriteString(encode(command))
			}
			start = bootNow()
			if _, err := io.WriteString(c, burst.String()); err != nil {
				panic(err)
			}
		}
		count, command, _ := strings.Cut(j.Paths[i%len(j.Paths)], " ")
		n, _ := strconv.Atoi(count)
		name, _, _ := strings.Cut(command, " ")
		o := outcome{Method: name, Status: operationDone, Start: start}
		for k := 0; k < n; k++ {
			line, err := in.ReadString('\n')
			if err != nil {
				panic(err)
			}
			if k == 0 && isFailure(line) {
				o.Status, n = operationFailed, 1
				o.Method += failureOf(line)
			}
		}
		o.End = bootNow()
		all = append(all, o)
	}
	return all
}

// isFailure tells an error of Redis or memcached by its line.
func isFailure(line string) bool {
	return strings.HasPrefix(line, "-") || strings.HasPrefix(line, "CLIENT_ERROR") || strings.HasPrefix(line, "ERROR")
}

// failureOf is what the name of an operation ends with.
func failureOf(line string) string {
	kind, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "-")), " ")
	return " " + kind
}

// respArray is how Redis is sent a command.
func respArray(command string) string {
	words := strings.Fields(command)
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}
