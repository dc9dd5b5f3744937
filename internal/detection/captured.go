package detection

import (
	"slices"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// maxNamedTypes tells a rule that names its event types from one that takes
// whatever comes.
const maxNamedTypes = 100

// NotCaptured are the event types that a rule names and that no receiver of
// this version reports, sorted. The rule still works on its other types, and
// on records of other senders.
func NotCaptured(r *policy.Rule) []string {
	if r.Types.Len() > maxNamedTypes {
		return nil
	}
	var missing []string
	for _, name := range r.Types.Names() {
		if syscalls.Lookup(name) == nil && name != interest.ProcessExit && name != interest.FileModified {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}
