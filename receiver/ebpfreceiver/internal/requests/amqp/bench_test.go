package amqp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

var benchPublish = dbtest.Exchange{Request: publish(1, "orders", "new", "a body")}

func BenchmarkPublish(b *testing.B) { dbtest.Bench(b, New(), benchPublish) }

// counter counts, and gives exchanges back at once.
type counter struct {
	pool *exchange.Pool
	done int
}

func (c *counter) New(s *exchange.Segment) *exchange.Exchange {
	ex := c.pool.Get()
	ex.Start = s.Start
	return ex
}
func (c *counter) Done(ex *exchange.Exchange) { c.done++; ex.Release() }
func (*counter) Drop(ex *exchange.Exchange)   { ex.Release() }
func (*counter) Count(exchange.Reason)        {}
func (*counter) Opaque(exchange.Form)         {}
func (*counter) Client() bool                 { return true }

func TestAllocations(t *testing.T) {
	alloctest.NotRaced(t)
	p := New()
	sink := &counter{pool: exchange.NewPool(p)}
	parser := p.NewParser(sink)
	parser.Reset(sink, false)
	now := uint64(0)
	feed := func(side exchange.Side, data []byte) {
		now++
		parser.Segment(&exchange.Segment{Side: side, Start: now, End: now, Len: uint64(len(data)), Payload: data})
	}
	for _, data := range []string{preface, does(1, channelOpen, "\x00"), does(1, confirmSelect, "\x00"), consume(1, "q", "c", 0)} {
		feed(exchange.Request, []byte(data))
	}
	for _, data := range []string{does(1, channelOpen+1, openOK), does(1, selected), does(1, basicConsumeOK, text("c"))} {
		feed(exchange.Response, []byte(data))
	}
	const tagAt = headSize + 4
	sent, confirm := []byte(publish(1, "orders", "new", "a body")), []byte(ack(1, 0, 0))
	came, settle := []byte(deliver(1, "c", 0, "q", "a body")), []byte(ack(1, 0, 0))
	tag := byte(0)
	once := func() {
		tag++
		confirm[tagAt+7], settle[tagAt+7], came[tagAt+2+7] = tag, tag, tag
		feed(exchange.Request, sent)
		feed(exchange.Response, confirm)
		feed(exchange.Response, came)
		feed(exchange.Request, settle)
	}
	once()
	once()
	before := sink.done
	require.Zero(t, alloctest.PerRun(100, once))
	require.Equal(t, before+202, sink.done)
}
