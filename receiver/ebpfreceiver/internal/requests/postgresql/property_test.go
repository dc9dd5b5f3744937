package postgresql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

// conversation makes exchanges of any form that the protocol has.
func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: DefaultBound, Random: randomExchange, Midway: true,
		Begin: begin, Namespace: "shop",
		Last: dbtest.Exchange{Request: ping(), Response: columns + done("SELECT 0") + readyI, Want: "{SELECT a FROM last} rows=0"},
	}
}

func noise(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("ab'Z\x00\x00\x00\x05ISQPD C"[r.IntN(15)])
	}
	return b.String()
}

func randomExchange(r *rand.Rand, n int) dbtest.Exchange {
	table := fmt.Sprintf("t%d", n)
	x := dbtest.Exchange{}
	text := "SELECT a FROM " + table + " WHERE b = "
	var head string
	switch r.IntN(5) {
	case 0:
		x.Request = query(text + "'" + strings.Repeat("q", r.IntN(900)) + "'")
		x.Want = "{" + text + "?}"
	case 1:
		x.Request = parse("", text+"$1") + bind("", "") + describeP + execute("") + sync
		x.Want, head = "{"+text+"$1}", parsed+bound
	case 2: // a statement of a name that is used again and again
		x.Request = parse("s", text+"$1") + bind("", "s") + execute("") + sync
		x.Want, head = "{"+text+"$1}", parsed+bound
	case 3:
		x.Request = parse("p", text+"$1") + sync
		x.Want, x.Response = "PREPARE {"+text+"$1}", parsed+readyI
	default:
		x.Request = sync
		x.Response = readyI
		return x
	}
	x.Want += " in shop"
	if r.IntN(6) == 0 {
		x.Response = failure("42P01") + readyI
		x.Want += " error=42P01"
		return x
	}
	if x.Response != "" {
		return x
	}
	rows := r.IntN(5)
	x.Response = head + columns
	for range rows {
		x.Response += row(noise(r, r.IntN(800)))
	}
	x.Response += done(fmt.Sprintf("SELECT %d", rows)) + readyI
	x.Want += fmt.Sprintf(" rows=%d", rows)
	return x
}

func TestAnySegmentation(t *testing.T)        { conversation().CheckSegmentation(t, 400) }
func TestAnySegmentationBounded(t *testing.T) { conversation().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }
func TestLeftOut(t *testing.T)                { conversation().CheckSkip(t, 300) }
func TestLeftOutOfOverrun(t *testing.T)       { conversation().CheckOverrun(t) }

func FuzzPostgreSQL(f *testing.F) {
	const req, resp = "\x00", "\x01"
	f.Add(dbtest.Input(4, req+one, resp+oneRow))
	f.Add(dbtest.Input(2, req+one, req+one, resp+oneRow))
	f.Add(dbtest.Input(5, resp+oneRow, req+one))
	f.Add(dbtest.Input(0, req+untypedMsg(codeTLS, ""), resp+"N", req+startup, resp+welcome, req+parse("s", "SELECT 1")+sync, resp+parsed+readyI))
	f.Add(dbtest.Input(4, req+query("COPY t FROM STDIN"), resp+msg('G', "\x00\x00\x00"), req+msg('d', "x"), "\x02"+one, "\x04", "\x05"))
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}
