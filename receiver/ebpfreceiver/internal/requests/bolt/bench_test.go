package bolt

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var (
	benchQuery = dbtest.Exchange{Request: one, Response: oneRow}
	benchRows  = dbtest.Exchange{Request: one, Response: ran + rows(50) + pulled}
)

func BenchmarkQuery(b *testing.B) { dbtest.Bench(b, New(), benchQuery) }
func BenchmarkRows(b *testing.B)  { dbtest.Bench(b, New(), benchRows) }

func TestAllocations(t *testing.T) {
	dbtest.CheckAllocations(t, New(), benchQuery)
	dbtest.CheckAllocations(t, New(), benchRows)
}
