// Package freeport finds ports for servers that tests start as other programs,
// which have to be told their port and cannot be handed a listener.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// lowest is the first port that is handed out: below are those that programs
// listen at by default.
const lowest = 12000

// given are the ports that this process has handed out: nobody may listen at one
// yet when the next is asked for.
var given sync.Map

// attempts bounds how many ports are tried.
const attempts = 1000

// Port is a TCP and UDP port that nobody has at the moment, on any address. It is
// none of those that the kernel gives to clients: they would take it before the
// server that it is for has started.
func Port(tb testing.TB) int {
	tb.Helper()
	from, to := outside(ephemeral())
	for range attempts {
		port := from + rand.IntN(to-from)
		if _, twice := given.LoadOrStore(port, true); !twice && free(port) {
			return port
		}
	}
	tb.Fatalf("no port from %d to %d is free", from, to-1)
	return 0
}

// Address is a loopback address with such a port.
func Address(tb testing.TB) string {
	tb.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(Port(tb)))
}

// free reports whether both protocols can be listened to at a port.
func free(port int) bool {
	at := ":" + strconv.Itoa(port)
	l, err := net.Listen("tcp", at) //nolint:noctx // no name is resolved
	if err != nil {
		return false
	}
	defer l.Close()
	p, err := net.ListenPacket("udp", at) //nolint:noctx // no name is resolved
	if err != nil {
		return false
	}
	defer p.Close()
	return true
}

// ephemeral is the first and the last port that the kernel gives to clients.
func ephemeral() (first, last int) {
	first, last = 32768, 60999 // as kernels have it by default
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(text), &first, &last)
	}
	return first, last
}

// outside is the larger range of ports that clients do not get, its end not
// included; where there is hardly any, it is all ports.
func outside(first, last int) (from, to int) {
	const few, end = 1000, 1 << 16
	below, above := first-lowest, end-1-last
	switch {
	case max(below, above) < few:
		return lowest, end
	case below >= above:
		return lowest, first
	default:
		return last + 1, end
	}
}
