//go:build !linux

package footprint

import "runtime/debug"

// Trim collects the garbage and gives back what is free.
func Trim() { debug.FreeOSMemory() }

// Respect does nothing: only Linux has control groups.
func Respect() {}
