package mongodb

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var (
	benchFind   = dbtest.Exchange{Request: ask(7, find), Response: tell(7, cursorOf(0, "firstBatch", 1))}
	benchInsert = dbtest.Exchange{
		Request: ask(7, command1("insert", "orders"), sequence("documents", doc{{"a", 1}})), Response: tell(7, inserted(1)),
	}
)

func BenchmarkFind(b *testing.B) { dbtest.Bench(b, New(), benchFind) }

func TestAllocations(t *testing.T) {
	dbtest.CheckAllocations(t, New(), benchFind)
	dbtest.CheckAllocations(t, New(), benchInsert)
}
