// Package gateway runs agents, the balancing tier and gateways as they are
// configured in config, over mutual TLS with certificates of its own, and holds
// what reaches the back end against what was sent.
package gateway
