package postgresql

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var (
	benchSimple   = dbtest.Exchange{Request: query("SELECT abalance FROM pgbench_accounts WHERE aid = 4711"), Response: oneRow}
	benchExtended = dbtest.Exchange{
		Request:  parse("", "SELECT abalance FROM pgbench_accounts WHERE aid = $1") + bind("", "") + describeP + execute("") + sync,
		Response: parsed + bound + oneRow,
	}
)

func BenchmarkSimple(b *testing.B)   { dbtest.Bench(b, New(), benchSimple) }
func BenchmarkExtended(b *testing.B) { dbtest.Bench(b, New(), benchExtended) }

func TestAllocations(t *testing.T) {
	dbtest.CheckAllocations(t, New(), benchSimple)
	dbtest.CheckAllocations(t, New(), benchExtended)
}
