package kafka

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// types are what APIs do to messages.
var types = map[int16]messagingfacts.Type{
	keyProduce:         messagingfacts.Send,
	keyFetch:           messagingfacts.Receive,
	keyShareFetch:      messagingfacts.Receive,
	keyOffsetCommit:    messagingfacts.Settle,
	keyTxnOffsetCommit: messagingfacts.Settle,
	keyShareAck:        messagingfacts.Settle,
}

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if !f.Facts.Describe(ex, w) {
		return false
	}
	if f.Type == messagingfacts.Receive && ex.Role == event.RoleClient {
		w.Kind(ptrace.SpanKindConsumer)
	}
	f.where(w)
	w.Bytes(schema.MessagingConsumerGroup, f.Group)
	w.Bytes(schema.MessagingClientID, f.Client)
	if f.HasMessages {
		w.Int(schema.MessagingBatchCount, f.Messages)
	}
	if f.Code != 0 && !f.failed() {
		w.Text(schema.KafkaSignal, codeName(f.Code))
	}
	f.truncated(w)
	return true
}

// where tells the partition, and what has no name or several.
func (f *Facts) where(w *spans.Writer) {
	set := f.destination()
	if i := set.only(); i >= 0 {
		if n, ok := set.partition(i); ok {
			w.Text(schema.MessagingPartition, partitionName(n))
		}
		if set.list[i].isID {
			w.Text(schema.KafkaTopicID, topicID(set.name(i), w))
		}
		return
	}
	if len(set.list) == 0 {
		return
	}
	var names [maxTopics]string
	for i := range set.list {
		if set.list[i].isID {
			names[i] = topicID(set.name(i), w)
		} else {
			names[i] = w.Intern(set.name(i))
		}
	}
	w.List(schema.MessagingDestinations, names[:len(set.list)]...)
}

func topicID(id []byte, w *spans.Writer) string {
	buf := appendID(w.Scratch(), id)
	w.Keep(buf)
	return w.Intern(buf)
}

// partitionNames are those of most, so that none is built for each request.
var partitionNames = func() (names [64]string) {
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}()

func partitionName(n int) string {
	if n >= 0 && n < len(partitionNames) {
		return partitionNames[n]
	}
	return strconv.Itoa(n)
}

// truncated says what lies beyond what is at hand.
func (f *Facts) truncated(w *spans.Writer) {
	var list [3]string
	n := 0
	add := func(missing bool, name string) {
		if missing {
			list[n] = name
			n++
		}
	}
	counts := f.key == keyProduce || f.key == keyFetch && f.Answered
	add(f.RequestCut && f.topics.only() < 0, schema.MessagingDestinationName)
	add(counts && !f.HasMessages && !f.failed(), schema.MessagingBatchCount)
	add(f.Hidden && f.Code == 0, schema.ErrorType)
	if n > 0 {
		w.List(schema.Truncated, list[:n]...)
	}
}
