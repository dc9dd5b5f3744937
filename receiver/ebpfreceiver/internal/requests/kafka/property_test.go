package kafka

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// conversation makes exchanges of any form that the protocol has.
func conversation() *dbtest.Conversation {
	return &dbtest.Conversation{
		Protocol: New(), Bound: DefaultBound, Random: randomExchange, Midway: true,
		Last: dbtest.Exchange{
			Request: metadata(9, 1<<30, "last"), Response: metadataAnswer(9, 1<<30, "last", "", 0), Want: "metadata last by app",
		},
	}
}

func randomExchange(r *rand.Rand, n int) dbtest.Exchange {
	id := int32(1000 + n)
	one := part{topic: fmt.Sprintf("t%d", n), partition: int32(r.IntN(100)), records: batch(int32(1+r.IntN(50)), r.IntN(1500))}
	count := int32(0)
	for i := range 4 { // the number that the batch has
		count = count<<8 | int32(one.records[batchCount+i])
	}
	if r.IntN(6) == 0 {
		one.code = 6
	}
	failed := ""
	if one.code != 0 {
		failed = " NOT_LEADER_OR_FOLLOWER"
	}
	switch r.IntN(5) {
	case 0:
		version := int16(r.IntN(produceByID))
		return dbtest.Exchange{
			Request: produce(version, id, 1, one), Response: produced(version, id, one),
			Want: fmt.Sprintf("produce %s/%d by app messages=%d%s", one.topic, one.partition, count, failed),
		}
	case 1:
		version := int16(r.IntN(produceByID))
		return dbtest.Exchange{
			Request: produce(version, id, 0, one),
			Want:    fmt.Sprintf("produce %s/%d by app messages=%d class=4", one.topic, one.partition, count),
		}
	case 2:
		version := int16(r.IntN(fetchByID))
		return dbtest.Exchange{
			Request: fetch(version, id, alone, one), Response: fetched(version, id, 0, one),
			Want: fmt.Sprintf("fetch %s/%d by app messages=%d%s", one.topic, one.partition, count, failed),
		}
	case 3:
		version := int16(r.IntN(metadataByID))
		return dbtest.Exchange{
			Request: metadata(version, id, one.topic), Response: metadataAnswer(version, id, one.topic, "", one.code),
			Want: fmt.Sprintf("metadata %s by app%s", one.topic, failed),
		}
	}
	return dbtest.Exchange{Request: heartbeat(id), Response: heartbeatAnswer(id, 0), Want: "heartbeat by app for billing class=3"}
}

// serial is one whose client waits for each response: requests without one end
// before earlier ones.
func serial() *dbtest.Conversation {
	c := conversation()
	c.Serial = true
	return c
}

func TestAnySegmentation(t *testing.T)        { serial().CheckSegmentation(t, 400) }
func TestAnySegmentationBounded(t *testing.T) { serial().CheckBound(t, 400) }
func TestAnyLoss(t *testing.T)                { conversation().CheckLoss(t, 3000) }

func FuzzKafka(f *testing.F) {
	const req, resp = "\x00", "\x01"
	one := part{topic: "orders", records: batch(1, 10)}
	f.Add(dbtest.Input(0, req+heartbeat(1), resp+heartbeatAnswer(1, 0)))
	f.Add(dbtest.Input(1, req+produce(9, 1, 1, one)[:4], req+produce(9, 1, 1, one)[4:], resp+produced(9, 1, one)))
	f.Add(dbtest.Input(3, resp+heartbeatAnswer(1, 0), req+heartbeat(1), "\x02"+heartbeat(2), "\x05", "\x0a"+heartbeat(2)))
	f.Add(dbtest.Input(2, req+fetch(12, 1, step{0, 0}, one), resp+fetched(12, 1, 5, one), req+fetch(12, 2, step{5, 1}), resp+fetched(12, 2, 5)))
	f.Add(dbtest.Input(1, req+offsetFetch(6, 1, "g", "orders"), resp+offsetFetched(6, 1, "orders"), req+metadata(12, 2, "x"), resp+metadataAnswer(12, 2, "x", topicKey, 0)))
	c := conversation()
	f.Fuzz(func(t *testing.T, in []byte) { c.Fuzz(t, in) })
}

// FuzzBodies reads anything as the body of any request and any response.
func FuzzBodies(f *testing.F) {
	one := part{topic: "orders", records: batch(1, 10)}
	f.Add(int16(keyProduce), int16(9), []byte(produce(9, 1, 1, one)[21:]), uint32(0))
	f.Add(int16(keyFetch), int16(12), []byte(fetched(12, 1, 5, one)[8:]), uint32(100))
	f.Add(int16(keyOffsetFetch), int16(8), []byte("\x00\x02\x02g\x02\x02t\x02\x00\x00\x00\x00\x00\x00"), uint32(3))
	f.Fuzz(func(t *testing.T, key, version int16, body []byte, unseen uint32) {
		a := apiOf(key)
		if a == nil || version < 0 {
			t.Skip()
		}
		facts := &Facts{api: a, key: key, version: version, learn: new(ids)}
		r := reader{b: body, unseen: uint64(unseen), flexible: a.isFlexible(version)}
		facts.readRequest(&r)
		facts.readResponse(&reader{b: body, unseen: uint64(unseen)})
		require.LessOrEqual(t, len(facts.topics.list), maxTopics)
		require.LessOrEqual(t, len(facts.answers.list), maxTopics)
		facts.topics.resolve(facts.learn)
		facts.conclude(&exchange.Exchange{})
		facts.Reset()
		require.Empty(t, facts.topics.list)
	})
}
