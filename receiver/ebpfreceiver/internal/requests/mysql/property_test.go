package mysql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: DefaultBound, Random: randomExchange, Midway: true, Begin: begin, Namespace: "shop",
		Last: dbtest.Exchange{Request: query("SELECT a FROM last"), Response: pkt(1, ok), Want: "{SELECT a FROM last} in shop"},
	}
}

func noise(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("ab\x00\xfe\xff\x03\x05\x00 SEL"[r.IntN(12)])
	}
	return b.String()
}

// textRow is a row of one text.
func textRow(text string) string {
	return string([]byte{0xfc, byte(len(text)), byte(len(text) >> 8)}) + text
}

func randomExchange(r *rand.Rand, n int) dbtest.Exchange {
	table := fmt.Sprintf("t%d", n)
	sql := "SELECT a FROM " + table + " WHERE b = "
	x := dbtest.Exchange{Want: "{" + sql + "?} in shop"}
	switch r.IntN(4) {
	case 0:
		x.Request = prepare(sql + "?")
		x.Response = run(1, prepareOK(uint32(n), 1, 1), column, eof, column, eof)
		x.Want = "PREPARE " + x.Want
		if r.IntN(2) == 0 {
			x.Response = run(1, prepareOK(uint32(n), 1, 1), column, column)
		}
		return x
	case 1:
		x.Request = com(comClose, "\x01\x00\x00\x00")
	}
	x.Request += query(sql + "'" + strings.Repeat("q", r.IntN(900)) + "'")
	if r.IntN(6) == 0 {
		x.Response = pkt(1, failure(1054, "42S22"))
		x.Want += " error=1054 sqlstate=42S22"
		return x
	}
	bodies, end := []string{"\x01", column, eof}, eof
	if r.IntN(2) == 0 {
		bodies, end = bodies[:2], okForEOF
	}
	rows := r.IntN(5)
	for range rows {
		bodies = append(bodies, textRow(noise(r, r.IntN(800))))
	}
	x.Response = run(1, append(bodies, end)...)
	if rows > 0 {
		x.Want += fmt.Sprintf(" rows=%d", rows)
	}
	return x
}

func TestAnySegmentation(t *testing.T)        { conversation().CheckSegmentation(t, 400) }
func TestAnySegmentationBounded(t *testing.T) { conversation().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }
func TestLeftOut(t *testing.T)                { conversation().CheckSkip(t, 300) }

func FuzzMySQL(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(4, req+one, resp+oneRow))
	f.Add(dbtest.Input(2, req+one, req+one, resp+oneRow))
	f.Add(dbtest.Input(5, resp+oneRow, req+one))
	f.Add(dbtest.Input(0, resp+hello("8.0.36"), req+identity(plainCaps, "x"), resp+pkt(2, "\xfex"), req+pkt(3, "y"), resp+pkt(4, ok)))
	f.Add(dbtest.Input(4, req+prepare("SELECT ?"), resp+run(1, prepareOK(1, 1, 1), column, column), req+execute(1), "\x02"+oneRow, "\x04", "\x05"))
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
