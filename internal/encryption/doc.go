// Package encryption finds the TLS libraries that processes use and has them
// probed, so that the request capture sees the plain text of encrypted
// connections.
//
//	/proc/PID/maps -> Finder -> library.sites (internal/probesite) -> Attacher (bpf.Agent)
//
// Programs that have such a library in them, or are made by Go, are recognised by
// their functions (program.go), and so are shared objects of processes that were seen
// to encrypt by nothing else (objects.go).
//
// A file is probed once, whatever number of processes and containers use it, and
// as long as one of them does. Processes are looked at when the agent starts,
// soon after they exec, and at once when one of their connections is seen to be
// encrypted. The libraries of the host's system, and of each container's, are
// probed ahead (roots.go), so that the first connection of a program that starts
// later is seen from its beginning.
package encryption
