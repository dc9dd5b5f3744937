// Package request reads a span as a request: which metric of the semantic
// conventions measures it, and with which attributes.
//
//	span ──> Read: one pass over the attributes ──> Fields (by slot)
//	     ──> by span kind and protocol           ──> Metric
//	     ──> the protocol's rules                ──> error.type, class, route, ...
//	     ──> AppendKey                           ──> key of the series
//
// Metrics, slots and rules are tables in this package; nothing here allocates
// for an ordinary span.
package request
