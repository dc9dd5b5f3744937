package cql

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var (
	benchQuery    = dbtest.Exchange{Request: one, Response: oneRow}
	benchSegments = dbtest.Exchange{Request: segments(five(one), 1000), Response: segments(five(oneRow), 1000)}
)

func BenchmarkQuery(b *testing.B)    { dbtest.Bench(b, New(), benchQuery) }
func BenchmarkSegments(b *testing.B) { dbtest.Bench(b, New(), benchSegments) }

func TestAllocations(t *testing.T) {
	dbtest.CheckAllocations(t, New(), benchQuery)
	dbtest.CheckAllocations(t, New(), benchSegments)
}
