// Package latency turns histograms of durations, as they arrive in batches of
// metrics, into one row per service and interval: rate, errors, percentiles.
//
//	pmetric.Metrics -> Store.Add    what each series gained since its last point
//	                -> Row          gains of all series of one service, merged exactly
//	                -> Store.Take   rows of the interval, which starts anew
//
// The package knows no terminal. A Store is for one goroutine at a time.
package latency
