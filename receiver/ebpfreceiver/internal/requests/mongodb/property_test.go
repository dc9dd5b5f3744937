package mongodb

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: DefaultBound, Random: randomExchange, Midway: true, Namespace: "shop",
		Last: dbtest.Exchange{
			Request: ask(999999, command1("dropDatabase", 1)), Response: tell(999999, fine), Want: "dropDatabase in shop",
		},
	}
}

// noise is a document that holds what looks like the beginnings of messages.
func noise(r *rand.Rand, n int) doc {
	return doc{{"_id", r.IntN(1000)}, {"text", strings.Repeat(ask(5, find)[4:24], n/20)}, {"more", []byte(strings.Repeat("x", n%100))}}
}

func randomExchange(r *rand.Rand, n int) dbtest.Exchange {
	id, name := n+1, fmt.Sprintf("c%d", n)
	switch r.IntN(5) {
	case 0:
		return dbtest.Exchange{
			Request:  ask(id, command1("insert", name), sequence("documents", noise(r, r.IntN(900)), noise(r, 10))),
			Response: tell(id, inserted(2)), Want: "BATCH(2) insert on " + name + " in shop",
		}
	case 1:
		return dbtest.Exchange{
			Request: ask(id, command1("count", name)), Response: tell(id, denied),
			Want: fmt.Sprintf(`count on %s {{"count":"%s"}} in shop error=13`, name, name),
		}
	case 2:
		return dbtest.Exchange{
			Request: flagged(flagMoreToCome, id, 0, command1("insert", name), sequence("documents", noise(r, 100))),
			Want:    "insert on " + name + " in shop class=4",
		}
	default:
		return dbtest.Exchange{
			Request:  ask(id, command1("find", name, field{"filter", doc{{"a", noise(r, r.IntN(300))}}})),
			Response: tell(id, doc{{"value", noise(r, r.IntN(2000))}, {"ok", 1.0}}),
			Want:     fmt.Sprintf(`find on %s {{"find":"%s","filter":{"a":{"_id":?,"text":?,"more":?}}}} in shop`, name, name),
		}
	}
}

func TestAnySegmentationBounded(t *testing.T) { serial().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }

// serial is a conversation in which every request is answered before the next.
func serial() *dbtest.Conversation {
	c := conversation()
	c.Random = func(r *rand.Rand, n int) dbtest.Exchange {
		for {
			if x := randomExchange(r, n); x.Response != "" {
				return x
			}
		}
	}
	return c
}

func TestAnySegmentation(t *testing.T) { serial().CheckSegmentation(t, 400) }

func FuzzMongoDB(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(0, req+ask(7, find), resp+tell(7, denied)))
	f.Add(dbtest.Input(2, req+ask(7, find), req+ask(8, find), resp+tell(8, fine)))
	f.Add(dbtest.Input(1, resp+tell(7, fine), req+ask(7, find)))
	f.Add(dbtest.Input(0, req+ask(7, command1("update", "a"), sequence("updates", doc{{"q", doc{{"a", list{1, doc{}}}}}})), resp+tell(7, inserted(1))))
	f.Add(dbtest.Input(0, req+query(7, "a.$cmd", doc{{"isMaster", 1}}), resp+legacyTell(7, 8, fine), "\x02"+ask(8, find), "\x04", "\x05"))
	for way, pack := range ways {
		f.Add(dbtest.Input(0, req+packed(ask(7, find), way, pack), resp+packed(tell(7, denied), way, pack)))
	}
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
