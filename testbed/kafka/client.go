package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// job is what a client does.
type job struct {
	Addr      string
	Topics    []string // to produce to in turn
	N, Batch  int      // so many times so many records at once
	Spread    bool     // over all partitions
	NoAck     bool     // ask for no response to them
	Group     string   // consume all of it in this group
	Direct    bool     // consume all of it, in no group
	Unknown   int      // send so many records to a topic that does not exist
	Handshake bool     // after the first records, say "ready" and wait for a line
	TLS       bool     // encrypt
}

// record is what the client knows of what it did.
type record struct {
	Requests []request
	Before   int            // of these, done before the capture began
	Sent     map[string]int // records by topic
	Fetched  map[string]int

	mu sync.Mutex
}

// request is one that was sent: its key, and when it began and was over.
type request struct {
	Key        int16
	Start, End uint64 // ns since boot; no end: nothing came back
	Records    int    // that it has, of those that produce
}

func newRecord() *record { return &record{Sent: map[string]int{}, Fetched: map[string]int{}} }

// begin writes down a request and returns its place.
func (r *record) begin(key int16, records int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Requests = append(r.Requests, request{Key: key, Start: bootNow(), Records: records})
	return len(r.Requests) - 1
}

func (r *record) end(place int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Requests[place].End = bootNow()
}

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (r *record) OnProduceBatchWritten(_ kgo.BrokerMetadata, topic string, _ int32, m kgo.ProduceBatchMetrics) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Sent[topic] += m.NumRecords
}

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (r *record) OnFetchBatchRead(_ kgo.BrokerMetadata, topic string, _ int32, m kgo.FetchBatchMetrics) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Fetched[topic] += m.NumRecords
}

// forget leaves out what was done before the capture began.
func (r *record) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Before, r.Sent, r.Fetched = len(r.Requests), map[string]int{}, map[string]int{}
}

const patience = 30 * time.Second

func (j *job) run(r *record, in *bufio.Reader) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opts := []kgo.Opt{kgo.SeedBrokers(j.Addr), kgo.WithHooks(r), kgo.Dialer(r.dial(j)), kgo.ClientID("tester"), kgo.UnknownTopicRetries(0), kgo.FetchMaxWait(300 * time.Millisecond)}
	if j.NoAck {
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	}
	if j.Group != "" {
		opts = append(opts, kgo.ConsumerGroup(j.Group), kgo.ConsumeTopics(j.Topics...), kgo.DisableAutoCommit())
	} else if j.Direct {
		opts = append(opts, kgo.ConsumeTopics(j.Topics...))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := j.produce(ctx, cl, r, in); err != nil {
		return err
	}
	if err := j.unknown(ctx, cl); err != nil {
		return err
	}
	if j.Group != "" || j.Direct {
		return j.consume(ctx, cl)
	}
	return nil
}

func (j *job) produce(ctx context.Context, cl *kgo.Client, r *record, in *bufio.Reader) error {
	for i := range j.N {
		batch := make([]*kgo.Record, j.Batch)
		for k := range batch {
			key := i
			if j.Spread {
				key = k
			}
			batch[k] = &kgo.Record{Topic: j.Topics[i%len(j.Topics)], Key: []byte(strconv.Itoa(key)), Value: []byte("planted-secret " + strconv.Itoa(k))}
		}
		if err := cl.ProduceSync(ctx, batch...).FirstErr(); err != nil {
			return err
		}
		if i == 0 && j.Handshake {
			fmt.Fprintln(os.Stdout, "ready")
			_, _ = in.ReadBytes('\n')
			r.forget()
		}
	}
	return nil
}

// unknown sends records to a topic that does not exist, as a client with old
// metadata does.
func (j *job) unknown(ctx context.Context, cl *kgo.Client) error {
	for range j.Unknown {
		req := kmsg.NewPtrProduceRequest()
		req.Acks, req.TimeoutMillis = -1, 1000
		topic := kmsg.NewProduceRequestTopic()
		topic.Topic = "missing"
		topic.TopicID = [16]byte{1, 2, 3}
		partition := kmsg.NewProduceRequestTopicPartition()
		partition.Records = new(kmsg.RecordBatch).AppendTo(nil)
		topic.Partitions = append(topic.Partitions, partition)
		req.Topics = append(req.Topics, topic)
		resp, err := cl.Broker(0).Request(ctx, req)
		if err != nil {
			return err
		}
		code := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode
		if err := kerr.ErrorForCode(code); err == nil {
			return errors.New("a topic that does not exist was written to")
		}
	}
	return nil
}

// consume reads what the client has sent, and commits it.
func (j *job) consume(ctx context.Context, cl *kgo.Client) error {
	for n := 0; n < j.N*j.Batch; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		n += fetches.NumRecords()
	}
	if j.Group == "" {
		return nil
	}
	return cl.CommitUncommittedOffsets(ctx)
}
