package dbconn

// certainTurns is how many bursts of requests, each sent by several calls, a client
// must have waited for the answers to before it is believed to do so always.
const certainTurns = 2

// turns is what the history of a connection tells about its client: whether it asks
// again only when all that it had asked for is answered. A pipelined connection of
// such a client can be joined wherever a request follows a response.
type turns struct {
	answered bool  // a response came since the last request
	several  bool  // of the requests since then, some were sent by calls of their own
	overran  bool  // a request was sent between two responses that were owed
	waited   uint8 // bursts by several calls that were all answered before the next
}

// ask takes a request: whether others are under way, and the youngest of these was
// sent by another call.
func (t *turns) ask(owed, apart bool) {
	switch {
	case !t.answered:
		t.several = t.several || apart
		return
	case owed:
		t.overran = true
	case t.several:
		t.waited = min(t.waited+1, certainTurns)
	}
	t.answered, t.several = false, false
}

// waits tells whether the client is known to wait for all answers.
func (t *turns) waits() bool { return !t.overran && t.waited >= certainTurns }
