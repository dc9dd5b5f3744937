package dbconn

// certainTurns is how many bursts of requests a client must have waited for the
// answers to before it is believed to do so always. Several callers that share a
// connection look like it by chance, a few times.
const certainTurns = 6

// trialTurns is how many more it takes after a loss: the burst under way may not be
// over when some of its answers have been heard.
const trialTurns = 1

// turns is what the history of a connection tells about its client: whether it asks
// again only when all that it had asked for is answered. A pipelined connection of
// such a client can be joined wherever a request follows a response.
type turns struct {
	answered bool  // a response came since the last request
	several  bool  // since then, more than one was sent
	overran  bool  // a request was sent between two responses that were owed
	waited   uint8 // bursts of several that were all answered before the next
}

// ask takes a request, and whether others are under way.
func (t *turns) ask(owed bool) {
	switch {
	case !t.answered:
		t.several = t.several || owed
		return
	case owed:
		t.overran = true
	case t.several:
		t.waited = min(t.waited+1, certainTurns)
	}
	t.answered, t.several = false, false
}

// doubt has a client shown again that it waits.
func (t *turns) doubt() { t.waited = min(t.waited, certainTurns-trialTurns) }

// waits tells whether the client is known to wait for all answers.
func (t *turns) waits() bool { return !t.overran && t.waited >= certainTurns }
