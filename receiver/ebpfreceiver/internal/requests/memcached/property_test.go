package memcached

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: DefaultBound, Random: randomExchange, Midway: true, Namespace: "-",
		Last: dbtest.Exchange{Request: "get last\r\n", Response: miss, Want: "get {get last} rows=0"},
	}
}

func noise(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString([]string{"a", "b", "\r\n", "END", "VALUE ", "get k", "STORED\r\n"}[r.IntN(7)])
	}
	return b.String()
}

func randomExchange(r *rand.Rand, n int) dbtest.Exchange {
	key := fmt.Sprintf("k%d", n)
	value := noise(r, r.IntN(200))
	switch r.IntN(5) {
	case 0:
		return dbtest.Exchange{
			Request:  fmt.Sprintf("set %s 0 0 %d\r\n%s\r\n", key, len(value), value),
			Response: stored, Want: "set {set " + key + " ? ? ?}",
		}
	case 1:
		return dbtest.Exchange{Request: "incr " + key + " 1\r\n", Response: "CLIENT_ERROR no\r\n", Want: "incr {incr " + key + " ?} error=CLIENT_ERROR"}
	case 2:
		return dbtest.Exchange{
			Request: "mg " + key + " v\r\n", Response: fmt.Sprintf("VA %d\r\n%s\r\n", len(value), value), Want: "mg {mg " + key + " ?}",
		}
	}
	x := dbtest.Exchange{Request: "get " + key + "\r\n"}
	rows := r.IntN(4)
	for range rows {
		x.Response += fmt.Sprintf("VALUE k 0 %d\r\n%s\r\n", len(value), value)
	}
	x.Response += miss
	x.Want = fmt.Sprintf("get {get %s} rows=%d", key, rows)
	return x
}

func TestAnySegmentation(t *testing.T)        { conversation().CheckSegmentation(t, 400) }
func TestAnySegmentationBounded(t *testing.T) { conversation().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }
func TestLeftOut(t *testing.T)                { conversation().CheckSkip(t, 300) }
func TestLeftOutOfOverrun(t *testing.T)       { conversation().CheckOverrun(t) }

func FuzzMemcached(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(0, req+get, resp+hit))
	f.Add(dbtest.Input(2, req+get, req+set, resp+miss))
	f.Add(dbtest.Input(1, resp+miss, req+get))
	f.Add(dbtest.Input(0, req+"mg a v q\r\nmn\r\n", resp+"VA 1\r\nx\r\nMN\r\n", req+"stats\r\n", resp+"STAT a b\r\n", "\x02"+get, "\x04", "\x05"))
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
