package kafka

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var (
	benchPart    = part{topic: "orders", records: batch(10, 1000)}
	benchProduce = dbtest.Exchange{Request: produce(11, 7, -1, benchPart), Response: produced(11, 7, benchPart)}
	benchFetch   = dbtest.Exchange{Request: fetch(12, 7, alone, benchPart), Response: fetched(12, 7, 0, benchPart)}
	benchByID    = dbtest.Exchange{
		Request:  fetch(17, 7, alone, part{topic: topicKey}),
		Response: fetched(17, 7, 0, part{topic: topicKey, records: batch(10, 1000)}),
	}
	benchGroup = dbtest.Exchange{Request: offsetFetch(6, 7, "billing", "orders"), Response: offsetFetched(6, 7, "orders")}
)

func BenchmarkProduce(b *testing.B)     { dbtest.Bench(b, New(), benchProduce) }
func BenchmarkFetch(b *testing.B)       { dbtest.Bench(b, New(), benchFetch) }
func BenchmarkOffsetFetch(b *testing.B) { dbtest.Bench(b, New(), benchGroup) }

func TestAllocations(t *testing.T) {
	p := New()
	p.ids.learn([]byte(topicKey), []byte("orders"))
	for _, x := range []dbtest.Exchange{benchProduce, benchFetch, benchByID, benchGroup} {
		dbtest.CheckAllocations(t, p, x)
	}
}
