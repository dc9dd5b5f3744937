package encryption

import (
	"cmp"
	"path"
)

// Reasons for which a process's connections are not decoded.
const (
	ReasonUnknown   = "unknown library"                      // it has none that is known
	ReasonUnmatched = "unknown connection"                   // it has one that is followed, and uses it in a way that is not
	ReasonBudget    = "probes took too much of its CPU time" // so it goes without them for a while
)

// reason says why a process that uses some files and maps others is not decoded;
// empty when all that it uses is followed.
func reason(uses []*file, mappings []mapping) string {
	if len(mappings) > 0 {
		if why := runtimes[path.Base(mappings[0].path)]; why != "" {
			return why
		}
	}
	for _, u := range uses {
		if !u.Read {
			return u.Name + ": " + u.Reason
		}
	}
	if len(uses) > 0 {
		return ReasonUnmatched
	}
	return cmp.Or(foreignLibrary(mappings), ReasonUnknown)
}
