// Package aggregate turns durations into mergeable histograms, keeps one per
// series, and hands them out by interval. It knows nothing of spans, OTLP or
// the collector.
//
//	Record, Merge ──> shard (lock) ──> open histogram of this interval
//	                                        │  Swap: constant time
//	Flusher.Collect <───────────────────────┘
//	   delta:      the interval's histogram, start = end of the series' last one
//	   cumulative: added to the series' total, start = when the series began
//
// Two rules make merging exact. A value's bucket is computed once at the finest
// scale and every coarser bucket is a right shift of it, so the order in which
// values and histograms are added never shows in the result. And durations are
// integers of nanoseconds in 128-bit sums, so no rounding accumulates.
package aggregate
