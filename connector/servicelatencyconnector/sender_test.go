package servicelatencyconnector

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

func TestRefusedDeltasAreSentAgainUnchanged(t *testing.T) {
	r := newRig(t, delta)
	traces := tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second))
	r.sink.refuse(errBusy)
	r.consume(traces)
	refused := r.flush()
	require.Len(t, refused, 1)
	r.consume(traces)
	both := r.flush() // the first again, then the second
	require.Equal(t, refused[0], both[0])
	require.Equal(t, refused[0].end, both[1].start)
	require.EqualValues(t, 0, r.engine.sender.sent.Load())
	require.EqualValues(t, 3, r.engine.sender.turnedDown.Load())

	r.sink.refuse(nil)
	require.Equal(t, both, r.flush())
	require.Empty(t, r.flush())
	require.EqualValues(t, 2, r.engine.sender.sent.Load())
	require.Zero(t, r.engine.sender.lost.Load())
}

func TestRefusedTotalsAreNotKept(t *testing.T) {
	r := newRig(t)
	r.sink.refuse(errBusy)
	r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second)))
	r.flush()
	require.Empty(t, r.engine.sender.refused)
	r.sink.refuse(nil)
	require.EqualValues(t, 1, r.flush()[0].count, "the next total contains them")
	require.Zero(t, r.engine.sender.lost.Load())
}

func TestPermanentlyRefusedDeltasAreLostAndCounted(t *testing.T) {
	r := newRig(t, delta)
	r.sink.refuse(consumererror.NewPermanent(errBusy))
	r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second)))
	r.flush()
	require.EqualValues(t, 1, r.engine.sender.lost.Load())
	r.sink.refuse(nil)
	require.Empty(t, r.flush())
}

func TestRefusedDeltasAreBounded(t *testing.T) {
	r := newRig(t, delta, func(c *Config) { c.CardinalityLimit.Total = 10 })
	r.sink.refuse(errBusy)
	for i := range 6 {
		r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get(strconv.Itoa(i), 1), get("/", 1), get("/a", 1)))
		r.flush()
	}
	require.LessOrEqual(t, r.engine.sender.held, 10)
	require.EqualValues(t, 18, r.engine.sender.lost.Load()+int64(r.engine.sender.held), "what is not held is counted")

	r.engine.sender.giveUp()
	require.Zero(t, r.engine.sender.held)
	require.EqualValues(t, 18, r.engine.sender.lost.Load())
}
