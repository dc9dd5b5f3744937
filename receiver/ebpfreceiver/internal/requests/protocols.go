package requests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/amqp"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/bolt"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/cql"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dns"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/fastcgi"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http1"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http2"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/kafka"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/memcached"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/mongodb"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/mysql"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/postgresql"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/redis"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/tls"
)

// Protocols is the list of the protocols that are understood. A new one is a
// folder beside http1 and a line here; its place in the list is its class in
// the kernel, from 1.
func Protocols() []exchange.Protocol {
	return []exchange.Protocol{
		http1.New(),
		dns.New(), // before others that begin with a length: its servers read 2 bytes first
		http2.New(),
		postgresql.New(),
		mysql.New(),
		redis.New(),
		memcached.New(),
		mongodb.New(),
		amqp.New(),
		kafka.New(),
		bolt.New(),
		cql.New(),
		fastcgi.New(),
		fastcgi.NewSCGI(),
		fastcgi.NewUWSGI(),
		tls.New(),
	}
}

// Named are the protocols with these names, in the order of Protocols; all when
// there are no names. An unknown name is an error that tells the known ones.
func Named(names []string) ([]exchange.Protocol, error) {
	all := Protocols()
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, p := range all {
		known = append(known, p.Name())
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%q is unknown: use some of %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(p exchange.Protocol) bool {
		return !slices.Contains(names, p.Name()) && p.Name() != cipherText
	}), nil
}

// cipherText is the name of the protocol that carries the others encrypted. It is
// always among those that are understood.
const cipherText = "tls"

// ClassOfCipherText is the class of encrypted connections in a list of protocols.
func ClassOfCipherText(protocols []exchange.Protocol) uint8 {
	return uint8(slices.IndexFunc(protocols, func(p exchange.Protocol) bool { return p.Name() == cipherText }) + 1)
}

// Signatures is what the kernel has to know about a list of protocols. The kernel
// takes the first that matches: those that look furthest come first, so that the
// length of a message alone, which many servers read before the rest, is not taken
// for something else's of which less is copied.
func Signatures(protocols []exchange.Protocol) []event.Signature {
	var all []event.Signature
	for i, p := range protocols {
		for _, s := range p.Signatures() {
			s.Class = uint8(i + 1)
			all = append(all, s)
		}
	}
	all = append(all, preambleSignatures(uint8(len(protocols)+1))...)
	slices.SortStableFunc(all, func(a, b event.Signature) int { return cmp.Compare(reach(&b), reach(&a)) })
	return all
}

// reach is how many bytes a signature looks at, beyond the eight that most do.
func reach(s *event.Signature) int {
	n := len(s.Mask)
	for n > 8 && s.Mask[n-1] == 0 {
		n--
	}
	return n
}
