// Package doctor finds out what this kernel and these privileges allow, what
// is therefore missing in the data, and what to do about it.
//
//	Host (files of /proc and /sys) -> Examine -> Report.Checks
//	a Prober that attaches each hook          -> Report.Hooks
//	                                             Report -> text, JSON, verdict
//
// Reading the host is pure: it takes a file system, so that tests can examine
// any host. Only the Prober touches the kernel.
package doctor
