// Package config holds complete configurations that users start from. Each is
// a file of its own beside this one, and valid as it is, but for MutualTLS.
package config

import _ "embed"

// Local is for one machine and a person who watches it: what "sightglass run"
// starts with.
//
//go:embed local.yaml
var Local string

// Host is for one machine outside Kubernetes, as a service.
//
//go:embed host.yaml
var Host string

// Agent is for one node of a Kubernetes cluster.
//
//go:embed agent.yaml
var Agent string

// Gateway is for what stands between the agents and the back end.
//
//go:embed gateway.yaml
var Gateway string

// Balancer is for the tier between the agents and several gateways.
//
//go:embed balancer.yaml
var Balancer string

// MutualTLS is added to Gateway or Balancer.
//
//go:embed mutual-tls.yaml
var MutualTLS string
