// Command kafka is a broker and a client for the tests of the request capture: a
// program of its own, because the agent leaves out its own process, and a module
// of its own, because nothing else needs its dependencies.
//
//	kafka broker               prints its address, serves until its input ends
//	kafka client < job         does the job and prints what it did
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("want broker or client, got %q", os.Args[1:]))
	}
	switch os.Args[1] {
	case "broker":
		broker()
	case "client":
		client(bufio.NewReader(os.Stdin))
	default:
		fail(fmt.Errorf("no such role: %s", os.Args[1]))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Topics that the broker has.
const (
	topicOne  = "orders"   // of one partition
	topicMany = "payments" // of three
)

func broker() {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topicOne), kfake.SeedTopics(3, topicMany))
	if err != nil {
		fail(err)
	}
	defer c.Close()
	fmt.Fprintln(os.Stdout, c.ListenAddrs()[0])
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func client(in *bufio.Reader) {
	var j job
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	if err != nil {
		fail(err)
	}
	r := newRecord()
	if err := j.run(r, in); err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fail(err)
	}
}

// bootNow is the time since boot in ns, as the kernel programs tell it.
func bootNow() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err)
	}
	return uint64(ts.Nano())
}
