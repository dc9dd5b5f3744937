package kafka

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// begin is a connection that is seen from its beginning.
func begin() *dbtest.Script { return dbtest.NewScript(New(), false, false) }

const topicKey = "\x01topic-id-of-16b"

func TestAllVersions(t *testing.T) {
	for version := range apis[keyProduce].newest + 1 {
		s := begin()
		topic, want := "orders", "orders"
		if version >= produceByID {
			topic, want = topicKey, "id:AXRvcGljLWlkLW9mLTE2Yg"
		}
		one := part{topic: topic, partition: 70, records: batch(3, 100)}
		s.Req(produce(version, 1, -1, one)).Resp(produced(version, 1, one))
		one.code = 3
		s.Req(produce(version, 2, 1, one, part{topic: topicKey[1:] + "2", partition: 1, records: batch(4, 10)})).Resp(produced(version, 2, one))
		require.Len(t, s.Found, 2, "version %d", version)
		require.Equal(t, fmt.Sprintf("produce %s/70 by app messages=3 @1+2+2", want), s.Found[0], "version %d", version)
		require.Contains(t, s.Found[1], "messages=7 UNKNOWN_TOPIC_OR_PARTITION @3+4+4", "version %d", version)
	}
	for version := range apis[keyFetch].newest + 1 {
		s := begin()
		topic, want := "orders", "orders"
		if version >= fetchByID {
			topic, want = topicKey, "id:AXRvcGljLWlkLW9mLTE2Yg"
		}
		one := part{topic: topic, partition: 2, records: batch(3, 100) + batch(2, 10) + batch(1, 90)[:80]}
		s.Req(fetch(version, 1, alone, one)).Resp(fetched(version, 1, 0, one))
		one.records = ""
		s.Req(fetch(version, 2, alone, one)).Resp(fetched(version, 2, 0, one))
		require.Equal(t, []string{
			fmt.Sprintf("fetch %s/2 by app messages=5 @1+2+2", want),
			fmt.Sprintf("fetch %s/2 by app messages=0 class=2 @3+4+4", want),
		}, s.Found, "version %d", version)
	}
	for version := range apis[keyMetadata].newest + 1 {
		s := begin()
		s.Req(metadata(version, 1, "orders")).Resp(metadataAnswer(version, 1, "orders", topicKey, 5))
		require.Equal(t, []string{"metadata orders by app LEADER_NOT_AVAILABLE @1+2+2"}, s.Found, "version %d", version)
	}
}

// What is newer than what is known has a name and times.
func TestNewerVersion(t *testing.T) {
	s := begin().Req(heartbeat(1)).Resp(heartbeatAnswer(1, 0))
	s.Req(req(keyFetch, 30, 2, func(w *wire) { w.raw("what") })).Resp(resp(keyFetch, 30, 2, func(w *wire) { w.raw("ever") }))
	require.Equal(t, "fetch by app @3+4+4 hidden", s.Found[1])
}

func TestOneWay(t *testing.T) {
	s := begin()
	one := part{topic: "orders", records: batch(2, 9000)}
	s.Req(produce(7, 1, 0, one)).Req(produce(7, 2, 0, one))
	require.Equal(t, []string{"produce orders/0 by app messages=2 class=4 @1+0+1", "produce orders/0 by app messages=2 class=4 @2+0+2"}, s.Found)
	require.Zero(t, s.P.Open())
}

func TestPipelined(t *testing.T) {
	s := begin()
	one := part{topic: "orders", records: batch(1, 10)}
	s.Req(produce(7, 1, 1, one) + produce(7, 2, 1, one)).Req(heartbeat(3))
	s.Resp(produced(7, 1, one)).Resp(produced(7, 2, one) + heartbeatAnswer(3, 27))
	require.Equal(t, []string{
		"produce orders/0 by app messages=1 @1+3+3", "produce orders/0 by app messages=1 @1+4+4",
		"heartbeat by app for billing REBALANCE_IN_PROGRESS class=3 @2+4+4",
	}, s.Found)
}

// A topic that is known by its id has its name from metadata, of whichever
// connection.
func TestTopicIDs(t *testing.T) {
	p := New()
	a, b := dbtest.NewScript(p, true, false), dbtest.NewScript(p, true, true)
	a.Req(metadata(12, 1, "orders")).Resp(metadataAnswer(12, 1, "orders", topicKey, 0))
	b.Req(produce(13, 9, 1, part{topic: topicKey, records: batch(5, 1)})).Resp(produced(13, 9, part{topic: topicKey}))
	require.Equal(t, []string{"produce orders/0 by app messages=5 @1+2+2"}, b.Found)
}

// The group of a fetch is the one that the consumer names elsewhere.
func TestGroups(t *testing.T) {
	p := New()
	a, b := dbtest.NewScript(p, true, false), dbtest.NewScript(p, true, false)
	fetchOrders := func(n int32) string {
		one := part{topic: "orders", records: batch(1, 1)}
		b.Found = nil
		b.Req(fetch(11, n, alone, one)).Resp(fetched(11, n, 0, one))
		what, _, _ := strings.Cut(b.Found[0], " messages")
		return what
	}
	require.Equal(t, "fetch orders/0 by app", fetchOrders(1))
	a.Req(offsetFetch(5, 1, "billing", "payments")).Resp(offsetFetched(5, 1, "payments"))
	require.Equal(t, "fetch orders/0 by app", fetchOrders(2), "of another topic")
	a.Req(offsetFetch(5, 2, "billing", "orders")).Resp(offsetFetched(5, 2, "orders"))
	require.Equal(t, "fetch orders/0 by app for billing", fetchOrders(3))
	a.Req(offsetFetch(7, 3, "shipping", "orders")).Resp(offsetFetched(7, 3, "orders"))
	require.Equal(t, "fetch orders/0 by app", fetchOrders(4), "one of two")
	b.Pause(doubt + 1e9)
	require.Equal(t, "fetch orders/0 by app for shipping", fetchOrders(5))
}

func TestSession(t *testing.T) {
	s := begin()
	one, two := part{topic: "orders", records: batch(2, 5)}, part{topic: "payments", partition: 1, records: batch(1, 5)}
	s.Req(fetch(12, 1, step{0, 0}, one)).Resp(fetched(12, 1, 55))
	s.Req(fetch(12, 2, step{55, 1})).Resp(fetched(12, 2, 55, one))
	s.Req(fetch(12, 3, step{55, 2})).Resp(fetched(12, 3, 55))
	s.Req(fetch(12, 4, step{55, 3}, two)).Resp(fetched(12, 4, 55, two))
	s.Req(fetch(12, 5, step{55, 4})).Resp(fetched(12, 5, 55))
	s.Req(fetch(12, 6, step{77, 4})).Resp(fetched(12, 6, 77))
	s.Req(fetch(12, 7, step{77, 5})).Resp(fetched(12, 7, 77, one))
	var got []string
	for _, line := range s.Found {
		what, _, _ := strings.Cut(line, " @")
		got = append(got, strings.Replace(what, " by app", "", 1))
	}
	require.Equal(t, []string{
		"fetch orders/0 messages=0 class=2", "fetch orders/0 messages=2", "fetch orders/0 messages=0 class=2",
		"fetch payments/1 messages=1", "fetch orders/0 payments/1 messages=0 class=2", "fetch messages=0 class=2", "fetch orders/0 messages=2",
	}, got)
}

// A broker reads the size of a request first, and the rest then.
func TestParts(t *testing.T) {
	s := dbtest.NewScript(New(), false, true)
	one := part{topic: "orders", records: batch(2, 50)}
	whole, back := produce(9, 1, 1, one), produced(9, 1, one)
	s.Req(whole[4:]).Resp(back) // its beginning was before
	s.Req(whole[:4]).Req(whole[4:]).Resp(back[:4]).Resp(back[4:])
	s.Req(whole[:4]).Req(whole[4:]).Resp(back)
	require.Equal(t, []string{"produce orders/0 by app messages=2 @3+5+6", "produce orders/0 by app messages=2 @7+9+9"}, s.Found)
	require.Equal(t, map[exchange.Reason]int{exchange.RequestLost: 1}, s.Counted)
}

// A thread that receives may be faster than the one that has sent.
func TestEarlyResponse(t *testing.T) {
	s := dbtest.NewScript(New(), true, false)
	s.Req(heartbeat(1)).Resp(heartbeatAnswer(1, 0)).Pause(10)
	late := heartbeat(2)
	s.Now++
	s.P.Segment(&exchange.Segment{Side: exchange.Response, Start: 20, End: 20, Len: uint64(len(heartbeatAnswer(2, 0))), Payload: []byte(heartbeatAnswer(2, 0))})
	s.P.Segment(&exchange.Segment{Side: exchange.Request, Start: 15, End: 21, Len: uint64(len(late)), Payload: []byte(late)})
	require.Equal(t, "heartbeat by app for billing class=3 @15+20+20", s.Found[1])
	require.Empty(t, s.Counted)
	s.Resp(heartbeatAnswer(9, 0))
	s.P.Tick(3e9)
	require.Equal(t, map[exchange.Reason]int{exchange.RequestLost: 1}, s.Counted)
}

func TestCut(t *testing.T) {
	s := begin()
	one, big := part{topic: "orders", records: batch(9, 100000)}, part{topic: "payments", partition: 1, records: batch(4, 50)}
	s.Bound = DefaultBound
	s.Req(produce(9, 1, 1, one)).Resp(produced(9, 1, one))
	s.Req(produce(9, 2, 1, one, big)).Resp(produced(9, 2, one, big))
	s.Req(fetch(11, 3, alone, one, big)).Resp(fetched(11, 3, 0, one, big))
	s.Req(heartbeat(4)).Resp(heartbeatAnswer(4, 0))
	require.Equal(t, []string{
		"produce orders/0 by app messages=9 @1+2+2",
		"produce orders/0 by app @3+4+4 hidden textcut",
		"fetch orders/0 by app @5+6+6 hidden textcut hidden",
		"heartbeat by app for billing class=3 @7+8+8",
	}, s.Found)
}

func TestLostResponse(t *testing.T) {
	s := begin().Req(heartbeat(1)).Resp(heartbeatAnswer(1, 0)).Req(heartbeat(2)).Gap(exchange.Response, 14)
	s.Req(heartbeat(3)).Resp(heartbeatAnswer(3, 0))
	require.Equal(t, []string{
		"heartbeat by app for billing class=3 @1+2+2", "heartbeat by app for billing class=3 @3+0+3 response_lost",
		"heartbeat by app for billing class=3 @4+5+5",
	}, s.Found)
	s.Req(heartbeat(4)).Gap(exchange.Response, 14).Pause(61e9)
	s.P.Tick(s.Now)
	require.Contains(t, s.Found[3], "response_lost")
}

// What follows bytes that are no request is looked for in the next call: what came
// before them in the same one is not told twice.
func TestNonsenseBetween(t *testing.T) {
	s := begin().Req(heartbeat(1)).Resp(heartbeatAnswer(1, 0))
	bad := req(keyProduce, 9, 3, func(w *wire) { w.null().int16(1).int32(0).array(200) })
	s.Req(heartbeat(2) + bad + heartbeat(4)).Resp(heartbeatAnswer(2, 0))
	s.Req(heartbeat(5)).Resp(heartbeatAnswer(5, 0))
	require.Len(t, s.Found, 3)
}

func TestLostRequest(t *testing.T) {
	s := begin().Req(heartbeat(1)).Resp(heartbeatAnswer(1, 0)).Gap(exchange.Request, 40).Resp(heartbeatAnswer(2, 0))
	s.Req(heartbeat(3)).Resp(heartbeatAnswer(3, 0))
	require.Len(t, s.Found, 2)
	require.Equal(t, map[exchange.Reason]int{exchange.RequestLost: 1}, s.Counted)
}

// A client that leaves while it waits has done nothing wrong.
func TestClose(t *testing.T) {
	one := part{topic: "orders"}
	for _, client := range []bool{true, false} {
		for _, gone := range []bool{true, false} {
			s := dbtest.NewScript(New(), client, false).Req(fetch(4, 1, alone, one))
			if gone && !client {
				s.EOF(exchange.Request)
			} else if !gone && client {
				s.EOF(exchange.Response)
			}
			s.Close()
			require.Contains(t, s.Found[0], "fetch orders/0 by app class=2 @1+0+", "client %v", client)
			require.Contains(t, s.Found[0], " connection_closed")
		}
	}
}

func TestForeign(t *testing.T) {
	for name, first := range map[string]string{
		"text":            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"another key":     strings.Replace(heartbeat(1), "\x00\x0c\x00\x03", "\x01\x0c\x00\x03", 1),
		"another version": strings.Replace(heartbeat(1), "\x00\x0c\x00\x03", "\x00\x0c\x00\x70", 1),
		"another id":      strings.Replace(heartbeat(1), "app", "a\x00p", 1),
		"too short":       req(keyProduce, 9, 1, func(w *wire) { w.null().int16(1).int32(0).array(200) }),
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, exchange.Foreign, New().Classify([]byte(first)))
			s := begin().Req(first)
			require.True(t, s.Refused())
			require.Zero(t, s.Opened)
			require.Empty(t, s.Found)
		})
	}
	s := begin().Req(heartbeat(1)).Resp("HTTP/1.1 200 OK\r\n\r\n")
	require.True(t, s.Refused())
	require.Empty(t, s.Found)
	s = dbtest.NewScript(New(), false, false)
	for n := range int32(10) {
		s.Req(heartbeat(n)).Resp(heartbeatAnswer(n+100, 0))
	}
	require.True(t, s.Refused(), "nothing is ever answered")
	require.Empty(t, s.Found)
}
