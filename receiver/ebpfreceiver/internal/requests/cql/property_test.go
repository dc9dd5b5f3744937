package cql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func conversation(framed bool) *dbtest.Conversation {
	c := &dbtest.Conversation{
		Protocol: New(), Bound: 256, Begin: start, Random: random, Namespace: "shop", Midway: true,
		Last: dbtest.Exchange{Request: query(0, "SELECT a FROM last"), Response: rows(0, 2, "x"), Want: "{SELECT a FROM last} in shop rows=2"},
	}
	if framed {
		c.Begin = func(s *script) {
			s.Req(five(startup)).Resp(five(ready)).Req(segments(five(use), 1000)).Resp(segments(five(used), 1000))
			s.Found = nil
		}
		c.Random = func(r *rand.Rand, n int) dbtest.Exchange { return inSegments(random(r, n)) }
		c.Last = inSegments(c.Last)
	}
	return c
}

func inSegments(x dbtest.Exchange) dbtest.Exchange {
	x.Request, x.Response = segments(five(x.Request), 1<<17-1), segments(five(x.Response), 1<<17-1)
	return x
}

// random returns a request whose text nothing else of its conversation has, on a
// stream that earlier ones have used.
func random(r *rand.Rand, n int) (x dbtest.Exchange) {
	id := n % 7
	x.Request = query(id, fmt.Sprintf("SELECT a FROM t%d WHERE b = '%s'", n, strings.Repeat("v", r.IntN(40))))
	x.Want = fmt.Sprintf("{SELECT a FROM t%d WHERE b = ?} in shop", n)
	switch r.IntN(6) {
	case 0:
		x.Response = failure(id, 0x2200)
		x.Want += " error=0x2200"
		return x
	case 1:
		x.Response = done(id)
		return x
	}
	k := r.IntN(5)
	x.Response = rows(id, k, strings.Repeat("x", r.IntN(900)))
	x.Want += fmt.Sprintf(" rows=%d", k)
	return x
}

func TestAnySegmentation(t *testing.T) {
	for _, framed := range []bool{false, true} {
		conversation(framed).CheckSegmentation(t, 400)
	}
}

func TestAnySegmentationBounded(t *testing.T) { conversation(false).CheckBound(t, 400) }

func TestAnyLoss(t *testing.T) {
	for _, framed := range []bool{false, true} {
		conversation(framed).CheckLoss(t, 3000)
	}
}

func FuzzCQL(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(4, req+one, resp+oneRow))
	f.Add(dbtest.Input(2, req+one, req+query(4, "x"), resp+oneRow))
	f.Add(dbtest.Input(5, resp+oneRow, req+one))
	f.Add(dbtest.Input(0, req+five(startup), resp+five(ready), req+segments(five(one), 1000), resp+segments(five(oneRow), 100)))
	f.Add(dbtest.Input(4, req+prepare(1, "x"), resp+preparedAs(1, "id"), req+execute(1, "id"), "\x02"+one, "\x04", "\x05"))
	f.Add(dbtest.Input(4, req+packed(one, byLZ4), resp+packed(oneRow, byLZ4), req+packed(one, bySnappy), resp+packed(oneRow, bySnappy)))
	c := conversation(false)
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
