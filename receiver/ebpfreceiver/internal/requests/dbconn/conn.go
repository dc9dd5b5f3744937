package dbconn

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// Conn is what parsers do alike that follow one connection: they embed it, and with
// it have most methods of exchange.Parser.
type Conn[T any] struct {
	Q          Queue[T]
	RespHidden bool // where the next message of the response begins is not known
	Stopped    bool // the connection goes on in another way

	steps   Steps
	refused bool // it was never of this protocol
}

// Steps are what the protocols do differently.
type Steps struct {
	// Request and Response take the next segment of their side.
	Request, Response func(s *exchange.Segment)
	// Lose gives up what is under way (Queue.Lose), and forgets the place on both
	// sides.
	Lose func(now uint64, why exchange.Reason)
	// End forgets the place and all that was learned of the connection and may have
	// changed unseen.
	End func()
}

// Follow makes c that of a parser with these steps.
func (c *Conn[T]) Follow(sink exchange.Sink, steps Steps) { c.Q.Sink, c.steps = sink, steps }

// Restart prepares for a new connection.
func (c *Conn[T]) Restart(sink exchange.Sink, midway bool) {
	c.Q.Reset(sink, midway)
	c.RespHidden, c.Stopped, c.refused = false, false, false
}

// Open implements exchange.Parser.
func (c *Conn[T]) Open() int { return c.Q.Open() }

// Segment implements exchange.Parser.
func (c *Conn[T]) Segment(s *exchange.Segment) {
	if c.Stopped {
		return
	}
	if s.Side == exchange.Request {
		if c.Q.trial && c.Q.Rested(s) { // whatever answers were lost, none is to come
			c.steps.Lose(s.Start, exchange.Desynchronized)
		}
		c.steps.Request(s)
		c.Q.Replay(c.steps.Response)
	} else {
		c.steps.Response(s)
	}
	c.Q.Seen(s)
}

// Skip implements exchange.Skipper. The requests that were left out may have
// changed anything.
func (c *Conn[T]) Skip(now uint64) {
	if c.Stopped {
		return
	}
	c.steps.Lose(now, exchange.ResponseLost)
	c.steps.End()
	c.Q.skipped()
}

// EOF implements exchange.Parser.
func (c *Conn[T]) EOF(side exchange.Side, at uint64) {
	if side == exchange.Request {
		c.Q.CallerGone(at)
		return
	}
	c.Close(at)
}

// Close implements exchange.Parser.
func (c *Conn[T]) Close(at uint64) {
	c.Q.Close(at, c.RespHidden)
	c.steps.End()
}

// Tick implements exchange.Parser.
func (c *Conn[T]) Tick(now uint64) { c.Q.Tick(now) }

// Abandon implements exchange.Parser.
func (c *Conn[T]) Abandon(why exchange.Reason) {
	c.Q.Abandon(why)
	c.steps.End()
}

// Stop ends the following of a connection that goes on in another way.
func (c *Conn[T]) Stop() {
	c.steps.Lose(0, exchange.Desynchronized)
	c.steps.End()
	c.Stopped = true
}

// Refuse ends the following of a connection of another protocol.
func (c *Conn[T]) Refuse() {
	c.Q.Discard()
	c.Stop()
	c.refused = true
}

// Refused implements exchange.Refuser.
func (c *Conn[T]) Refused() bool { return c.refused }
