package securitypolicyprocessor

import (
	"slices"

	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
)

const keepAll = "all"

// activityEvents are the events that rules are evaluated on, and nothing else.
var activityEvents = record.Activities()

// defaultKeep is the command history, the sessions and the listening sockets.
func defaultKeep() []string {
	return []string{
		schema.EventProcessExec,
		schema.EventLoginStart,
		schema.EventLoginEnd,
		schema.EventNetworkListen,
	}
}

// eventFate is what is done with the records of one event name.
type eventFate struct {
	index int // into activityEvents
	keep  bool
}

// fates tells activity from other records, and kept from filtered activity.
type fates map[string]eventFate

func newFates(keep []string) fates {
	f := make(fates, len(activityEvents))
	for i, name := range activityEvents {
		f[name] = eventFate{index: i, keep: slices.Contains(keep, keepAll) || slices.Contains(keep, name)}
	}
	return f
}
