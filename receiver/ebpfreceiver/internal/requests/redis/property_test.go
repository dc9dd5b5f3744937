package redis

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: DefaultBound, Random: randomExchange, Midway: true, Namespace: "0",
		Last: dbtest.Exchange{Request: cmd("GET", "last"), Response: null, Want: "GET {GET last} in 0"},
	}
}

func noise(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString([]string{"a", "b", "\r\n", "*", "$", "3", "+OK\r\n", ":1", "-ERR", "GET"}[r.IntN(10)])
	}
	return b.String()
}

func randomExchange(r *rand.Rand, n int) dbtest.Exchange {
	key := fmt.Sprintf("k%d", n)
	x := dbtest.Exchange{Request: cmd("GET", key), Want: "GET {GET " + key + "} in 0"}
	switch r.IntN(6) {
	case 0:
		x.Request, x.Want = cmd("SET", key, noise(r, r.IntN(600))), "SET {SET "+key+" ?} in 0"
		x.Response = okay
	case 1:
		x.Request, x.Want = cmd("LRANGE", key, "0", "-1"), "LRANGE {LRANGE "+key+" ? ?} in 0"
		items := r.IntN(8)
		x.Response = fmt.Sprintf("*%d\r\n", items)
		for range items {
			x.Response += []string{bulk(noise(r, r.IntN(60))), null, ":17\r\n", "*2\r\n:1\r\n+x\r\n"}[r.IntN(4)]
		}
	case 2:
		x.Response = "-ERR no\r\n"
		x.Want += " error=ERR"
	case 3:
		x.Request = cmd("MULTI") + cmd("SET", key, noise(r, r.IntN(100))) + cmd("INCR", key) + cmd("EXEC")
		x.Response = okay + queued + queued + "*2\r\n+OK\r\n:1\r\n"
		x.Want = "BATCH(2) MULTI in 0"
	default:
		x.Response = bulk(noise(r, r.IntN(600)))
	}
	return x
}

func TestAnySegmentation(t *testing.T)        { conversation().CheckSegmentation(t, 400) }
func TestAnySegmentationBounded(t *testing.T) { conversation().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }
func TestLeftOut(t *testing.T)                { conversation().CheckSkip(t, 300) }
func TestLeftOutOfOverrun(t *testing.T)       { conversation().CheckOverrun(t) }

func FuzzRedis(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(0, req+get, resp+null))
	f.Add(dbtest.Input(2, req+get, req+set, resp+null))
	f.Add(dbtest.Input(1, resp+null, req+get))
	f.Add(dbtest.Input(0, req+cmd("SUBSCRIBE", "a"), resp+">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", req+cmd("MULTI")+cmd("EXEC"), resp+okay+"*0\r\n"))
	f.Add(dbtest.Input(0, req+"PING\r\n", resp+"%1\r\n+a\r\n|1\r\n+a\r\n+b\r\n_\r\n", "\x02"+get, "\x04", "\x05"))
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
