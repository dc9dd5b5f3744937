package bolt

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: 256, Begin: start, Random: random, Namespace: "shop", Midway: true,
		Last: dbtest.Exchange{Request: query("MATCH (n:Last) RETURN n"), Response: oneRow, Want: "{MATCH (n:Last) RETURN n} in shop rows=1"},
	}
}

// random returns a query whose text nothing else of its conversation has.
func random(r *rand.Rand, n int) (x dbtest.Exchange) {
	text := fmt.Sprintf("MATCH (n:L%d {v: '%s'}) RETURN n", n, strings.Repeat("v", r.IntN(40)))
	parameters := kv{"p", strings.Repeat("p", r.IntN(300))}
	body := raw(run, text, parameters, kv{"db", "shop"})
	x.Request, x.Want = msg(run, text, parameters, kv{"db", "shop"}), fmt.Sprintf("{MATCH (n:L%d {v: ?}) RETURN n} in shop", n)
	if r.IntN(4) == 0 {
		x.Request = chunked(body, 30+r.IntN(100))
	}
	x.Request += pullAll
	switch r.IntN(8) {
	case 0:
		x.Response = fail("Neo.X") + skipped
		x.Want += " error=Neo.X"
		return x
	case 1:
		x.Response = ran + rows(r.IntN(4)) + fail("Neo.Y")
		x.Want += " error=Neo.Y"
		return x
	case 2:
		x.Response = ranEmpty + pulled
		return x
	}
	k := r.IntN(6)
	x.Response = ran
	for range k {
		if r.IntN(5) == 0 {
			x.Response += noop
		}
		x.Response += chunked(raw(record, []any{strings.Repeat("x", r.IntN(600))}), 1+r.IntN(500))
	}
	x.Response += pulled
	x.Want += fmt.Sprintf(" rows=%d", k)
	return x
}

func TestAnySegmentation(t *testing.T)        { conversation().CheckSegmentation(t, 400) }
func TestAnySegmentationBounded(t *testing.T) { conversation().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }

func FuzzBolt(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(4, req+one, resp+oneRow))
	f.Add(dbtest.Input(2, req+one, req+one, resp+oneRow))
	f.Add(dbtest.Input(5, resp+oneRow, req+one))
	f.Add(dbtest.Input(0, req+proposal, resp+version5, req+greet, resp+welcome, req+msg(begin, kv{}), resp+okay))
	f.Add(dbtest.Input(0, req+proposal, resp+"\x00\x00\x01\xff\x01\x00\x08\x08\x05\x00", req+"\x00\x00\x08\x05\x00"))
	f.Add(dbtest.Input(4, req+runIn("x", "RETURN n")+pull2, resp+ran+rows(2)+pulledIn, req+pull2, "\x02"+one, "\x04", "\x05"))
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
