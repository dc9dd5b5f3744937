// Package process keeps the processes of the machine, with their ancestry, as
// the kernel's events tell them.
//
//	fork, exec, exit, seed (event.Event) --Apply, one goroutine--> Table
//	Table --Lookup, Ancestors, Range, any goroutine--> *Process, immutable
//
// A process is named by its thread group id and its start time, so that a
// reused pid is another process. Ended processes stay for a minute, and as long
// as a living descendant refers to them; everything is bounded.
package process
