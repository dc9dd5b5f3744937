package main

import "fmt"

// A histogram reaches Prometheus native, or with explicit buckets
// (histogram.type: explicit). Every query here is of both, so that the same
// dashboards serve: where one form is not stored, its half is empty.

// window is Grafana's: at least four scrapes.
const window = "$__rate_interval"

// unary are the requests that somebody waits for, once per pod.
const unary = `sightglass_request_class="",sightglass_request_within_pod=""`

// unaryCalls is unary for metrics of clients, which have no pod to enter.
const unaryCalls = `sightglass_request_class=""`

// rate is how many requests there are per second.
func rate(metric, match, by, over string) string {
	return fmt.Sprintf("histogram_count(sum by (%s) (rate(%s{%s}[%s]))) or sum by (%s) (rate(%s_count{%s}[%s]))",
		by, metric, match, over, by, metric, match, over)
}

// failures is the share of requests that failed, 0 where none did.
func failures(metric, match, by, over string) string {
	all := rate(metric, match, by, over)
	failed := rate(metric, match+`,error_type!=""`, by, over)
	return fmt.Sprintf("((%s) or 0 * (%s)) / (%s)", failed, all, all)
}

// quantile is the duration that the fraction q of requests stays below.
func quantile(q float64, metric, match, by, over string) string {
	return fmt.Sprintf("histogram_quantile(%g, sum by (%s) (rate(%s{%s}[%s]))) or histogram_quantile(%g, sum by (le, %s) (rate(%s_bucket{%s}[%s])))",
		q, by, metric, match, over, q, by, metric, match, over)
}
