package mongodb

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// maxCursors bounds the cursors that are remembered. When there are too many,
// all are forgotten.
const maxCursors = 4096

// cursors are those that wait for what is to come, of tailing queries and of
// streams of changes. Whoever fetches from them waits, too, on whichever
// connection.
type cursors map[cursor]struct{}

// cursor names one by the server that has it.
type cursor struct {
	id   int64
	addr [16]byte
	port uint16
}

// cursorAt is the cursor with an id of the server that ex goes to.
func cursorAt(ex *exchange.Exchange, id int64) cursor {
	if ex.Role == event.RoleClient {
		return cursor{id, ex.PeerAddr, ex.PeerPort}
	}
	return cursor{id, ex.LocalAddr, ex.LocalPort}
}

func (cs *cursors) add(c cursor) {
	if *cs == nil || len(*cs) >= maxCursors {
		*cs = make(cursors)
	}
	(*cs)[c] = struct{}{}
}

func (cs cursors) has(c cursor) bool {
	_, ok := cs[c]
	return ok
}
