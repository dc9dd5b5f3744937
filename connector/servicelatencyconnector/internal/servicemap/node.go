package servicemap

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/schema"
)

// Node is one end of an edge.
type Node struct{ Name, Namespace string }

// Names of nodes of which nothing is known but the direction.
const (
	Internet = "internet"
	Unknown  = "unknown"
)

// NodeOf returns the node of a service. Its strings are the owner's.
func NodeOf(o *aggregate.Owner) (n Node) {
	var kubernetes string
	for name, v := range o.Attributes() {
		switch name {
		case schema.ServiceName:
			n.Name = v.Str()
		case schema.ServiceNamespace:
			n.Namespace = v.Str()
		case schema.K8sNamespaceName:
			kubernetes = v.Str()
		}
	}
	if n.Namespace == "" {
		n.Namespace = kubernetes
	}
	return n
}

// Network is a range of addresses with a name.
type Network struct {
	Name   string
	Prefix netip.Prefix
}

// knownNetworks are named unless configured otherwise.
var knownNetworks = []Network{
	{"localhost", netip.MustParsePrefix("127.0.0.0/8")},
	{"localhost", netip.MustParsePrefix("::1/128")},
	{"10.0.0.0/8", netip.MustParsePrefix("10.0.0.0/8")},
	{"172.16.0.0/12", netip.MustParsePrefix("172.16.0.0/12")},
	{"192.168.0.0/16", netip.MustParsePrefix("192.168.0.0/16")},
	{"100.64.0.0/10", netip.MustParsePrefix("100.64.0.0/10")},
	{"link-local", netip.MustParsePrefix("169.254.0.0/16")},
	{"link-local", netip.MustParsePrefix("fe80::/10")},
	{"fc00::/7", netip.MustParsePrefix("fc00::/7")},
}

// ParseNetworks reads ranges by their names. Longer prefixes win.
func ParseNetworks(byName map[string][]string) ([]Network, error) {
	var list []Network
	for name, prefixes := range byName {
		for _, text := range prefixes {
			prefix, err := netip.ParsePrefix(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %q is not a range of addresses; write it as 192.0.2.0/24", name, text)
			}
			list = append(list, Network{name, prefix.Masked()})
		}
	}
	slices.SortFunc(list, func(a, b Network) int {
		if a.Prefix.Bits() != b.Prefix.Bits() {
			return b.Prefix.Bits() - a.Prefix.Bits()
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// Outside names what is not a known service.
type Outside struct{ networks []Network }

// NewOutside returns a namer that knows these networks before the common ones.
func NewOutside(networks []Network) *Outside {
	return &Outside{networks: append(slices.Clone(networks), knownNetworks...)}
}

// Node names an address, which may be a DNS name or a number; ok is false when
// it is empty. Names of Kubernetes services are taken apart.
func (n *Outside) Node(address string) (node Node, ok bool) {
	if address == "" {
		return Node{}, false
	}
	if ip, number := ParseAddress(address); number {
		return Node{Name: n.network(ip.WithZone(""))}, true
	}
	if name, rest, found := strings.Cut(address, "."); found {
		if namespace, tail, _ := strings.Cut(rest, "."); tail == "svc" || strings.HasPrefix(tail, "svc.") {
			return Node{Name: name, Namespace: namespace}, true
		}
	}
	return Node{Name: address}, true
}

// ParseAddress reads a numeric address; false if it is none. Names, which are
// most of what is not numeric, are told by their letters, without an error to
// allocate.
func ParseAddress(address string) (netip.Addr, bool) {
	if strings.Trim(address, "0123456789.") != "" && !strings.Contains(address, ":") || address == "" {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(address)
	return ip.Unmap(), err == nil
}

func (n *Outside) network(ip netip.Addr) string {
	for i := range n.networks {
		if n.networks[i].Prefix.Contains(ip) {
			return n.networks[i].Name
		}
	}
	return Internet
}
