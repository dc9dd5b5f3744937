// Command kafka is a broker and a client for the tests of the request capture: a
// program of its own, because the agent leaves out its own process, and a module
// of its own, because nothing else needs its dependencies.
//
//	kafka broker [-said file] [-cert file -key file]
//	                           prints its address, serves until its input ends,
//	                           and writes down in the file what was said
//	kafka client < job         does the job and prints what it did
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	switch args := os.Args[1:]; {
	case len(args) > 0 && args[0] == "broker":
		var o brokerOptions
		flags := flag.NewFlagSet("broker", flag.ExitOnError)
		flags.StringVar(&o.said, "said", "", "`file` for what was said")
		flags.StringVar(&o.cert, "cert", "", "`file` of a certificate: encrypt")
		flags.StringVar(&o.key, "key", "", "`file` of its key")
		_ = flags.Parse(args[1:]) // it exits
		broker(&o)
	case len(args) == 1 && args[0] == "client":
		client(bufio.NewReader(os.Stdin))
	default:
		fail(fmt.Errorf("want broker or client, got %q", args))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
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
