package kafka

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

func init() { dbtest.Tell = tell } //nolint:gochecknoinits // one description for all tests

// tell describes what does not depend on how the bytes came, and what is cut.
func tell(facts exchange.Facts) (what, flaws string) {
	f := facts.(*Facts)
	what = f.Operation
	set := f.destination()
	for i := range set.list {
		name := string(set.name(i))
		if set.list[i].isID {
			name = string(appendID([]byte("id:"), set.name(i)))
		}
		what += " " + name
		if n, ok := set.partition(i); ok {
			what += fmt.Sprintf("/%d", n)
		}
	}
	if len(f.Client) > 0 {
		what += " by " + string(f.Client)
	}
	if len(f.Group) > 0 {
		what += " for " + string(f.Group)
	}
	if f.HasMessages {
		what += fmt.Sprintf(" messages=%d", f.Messages)
	} else if f.key == keyProduce || f.key == keyFetch && f.Answered {
		flaws += " hidden"
	}
	if f.Code != 0 {
		what += " " + codeName(f.Code)
	}
	if f.RequestCut || set.more {
		flaws += " textcut"
	}
	if f.Hidden {
		flaws += " hidden"
	}
	return what, flaws
}

// wire writes a message. flexible says how.
type wire struct {
	b        []byte
	flexible bool
}

func (w *wire) int8(v int8) *wire   { w.b = append(w.b, byte(v)); return w }
func (w *wire) int16(v int16) *wire { w.b = binary.BigEndian.AppendUint16(w.b, uint16(v)); return w }

func (w *wire) int32(v int32) *wire { w.b = binary.BigEndian.AppendUint32(w.b, uint32(v)); return w }

func (w *wire) int64(v int64) *wire { w.b = binary.BigEndian.AppendUint64(w.b, uint64(v)); return w }
func (w *wire) raw(s string) *wire  { w.b = append(w.b, s...); return w }

func (w *wire) text(s string) *wire {
	if w.flexible {
		w.b = binary.AppendUvarint(w.b, uint64(len(s)+1))
	} else {
		w.int16(int16(len(s)))
	}
	return w.raw(s)
}

func (w *wire) null() *wire {
	if w.flexible {
		return w.int8(0)
	}
	return w.int16(-1)
}

func (w *wire) array(n int) *wire {
	if w.flexible {
		w.b = binary.AppendUvarint(w.b, uint64(n+1))
		return w
	}
	return w.int32(int32(n))
}

func (w *wire) bytes(s string) *wire { return w.array(len(s)).raw(s) }

// end writes that there are no tagged fields.
func (w *wire) end() *wire {
	if w.flexible {
		w.int8(0)
	}
	return w
}

func sizedText(b []byte) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(b)))) + string(b)
}

const clientName = "app"

// req is a request of an API whose body is written by body.
func req(key, version int16, correlation int32, body func(*wire)) string {
	w := (&wire{}).int16(key).int16(version).int32(correlation).int16(int16(len(clientName))).raw(clientName)
	w.flexible = apis[key].isFlexible(version)
	w.end()
	if body != nil {
		body(w)
	}
	return sizedText(w.b)
}

// resp is the response.
func resp(key, version int16, correlation int32, body func(*wire)) string {
	w := (&wire{}).int32(correlation)
	w.flexible = apis[key].isFlexible(version)
	if key != keyAPIVersions {
		w.end()
	}
	if body != nil {
		body(w)
	}
	return sizedText(w.b)
}

// batch is records in a batch of version 2, of which nothing but the header is
// as it should be.
func batch(count int32, size int) string {
	w := (&wire{}).int64(0).int32(int32(batchSize - 12 + size)).int32(0).int8(2).int32(0).int16(0).int32(count - 1)
	w.int64(0).int64(0).int64(-1).int16(-1).int32(-1).int32(count).raw(strings.Repeat("r", size))
	return string(w.b)
}

// part is a partition of a topic with its records, or its error.
type part struct {
	topic     string // or the 16 bytes of an id
	partition int32
	records   string
	code      int16
}

// topicsOf writes a list of topics of one partition each.
func (w *wire) topicsOf(byID bool, parts []part, each func(p part)) {
	w.array(len(parts))
	for _, p := range parts {
		if byID {
			w.raw(p.topic)
		} else {
			w.text(p.topic)
		}
		w.array(1).int32(p.partition)
		each(p)
		w.end().end()
	}
}

func produce(version int16, correlation int32, acks int16, parts ...part) string {
	return req(keyProduce, version, correlation, func(w *wire) {
		if version >= 3 {
			w.null()
		}
		w.int16(acks).int32(1500)
		w.topicsOf(version >= produceByID, parts, func(p part) { w.bytes(p.records) })
		w.end()
	})
}

func produced(version int16, correlation int32, parts ...part) string {
	return resp(keyProduce, version, correlation, func(w *wire) {
		w.topicsOf(version >= produceByID, parts, func(p part) {
			w.int16(p.code).int64(7)
			if version >= 2 {
				w.int64(-1)
			}
			if version >= 5 {
				w.int64(0)
			}
			if version >= 8 {
				w.array(0).null()
			}
		})
		w.int32(0).end()
	})
}

// session is the id and the epoch of a fetch.
type step struct{ id, epoch int32 }

var alone = step{0, noSession}

func fetch(version int16, correlation int32, s step, parts ...part) string {
	return req(keyFetch, version, correlation, func(w *wire) {
		if version <= 14 {
			w.int32(-1)
		}
		w.int32(500).int32(1)
		if version >= 3 {
			w.int32(1 << 20)
		}
		if version >= 4 {
			w.int8(0)
		}
		if version >= 7 {
			w.int32(s.id).int32(s.epoch)
		}
		w.topicsOf(version >= fetchByID, parts, func(part) {
			if version >= 9 {
				w.int32(-1)
			}
			w.int64(0)
			if version >= 12 {
				w.int32(-1)
			}
			if version >= 5 {
				w.int64(-1)
			}
			w.int32(1 << 20)
		})
		if version >= 7 {
			w.array(0)
		}
		if version >= 11 {
			w.text("")
		}
		w.end()
	})
}

func fetched(version int16, correlation, session int32, parts ...part) string {
	return resp(keyFetch, version, correlation, func(w *wire) {
		if version >= 1 {
			w.int32(0)
		}
		if version >= 7 {
			w.int16(0).int32(session)
		}
		w.topicsOf(version >= fetchByID, parts, func(p part) {
			w.int16(p.code).int64(100)
			if version >= 4 {
				w.int64(100)
			}
			if version >= 5 {
				w.int64(0)
			}
			if version >= 4 {
				w.array(0)
			}
			if version >= 11 {
				w.int32(-1)
			}
			w.bytes(p.records)
		})
		w.end()
	})
}

func offsetFetch(version int16, correlation int32, group, topic string) string {
	return req(keyOffsetFetch, version, correlation, func(w *wire) {
		w.text(group).array(1).text(topic).array(1).int32(0).end()
		if version >= 7 {
			w.int8(0)
		}
		w.end()
	})
}

func offsetFetched(version int16, correlation int32, topic string) string {
	return resp(keyOffsetFetch, version, correlation, func(w *wire) {
		if version >= 3 {
			w.int32(0)
		}
		w.array(1).text(topic).array(1).int32(0).int64(5)
		if version >= 5 {
			w.int32(-1)
		}
		w.text("").int16(0).end().end()
		if version >= 2 {
			w.int16(0)
		}
		w.end()
	})
}

func metadata(version int16, correlation int32, topic string) string {
	return req(keyMetadata, version, correlation, func(w *wire) {
		w.array(1)
		if version >= metadataByID {
			w.raw(strings.Repeat("\x00", idBytes))
		}
		w.text(topic).end()
		if version >= 4 {
			w.int8(0)
		}
		if version >= 8 && version <= 10 {
			w.int8(0)
		}
		if version >= 8 {
			w.int8(0)
		}
		w.end()
	})
}

func metadataAnswer(version int16, correlation int32, topic, id string, code int16) string {
	return resp(keyMetadata, version, correlation, func(w *wire) {
		if version >= 3 {
			w.int32(0)
		}
		w.array(1).int32(0).text("broker").int32(9092)
		if version >= 1 {
			w.null()
		}
		w.end()
		if version >= 2 {
			w.text("cluster")
		}
		if version >= 1 {
			w.int32(0)
		}
		w.array(1).int16(code).text(topic)
		if version >= metadataByID {
			w.raw(id)
		}
		if version >= 1 {
			w.int8(0)
		}
		w.array(1).int16(0).int32(0).int32(0)
		if version >= 7 {
			w.int32(0)
		}
		for range replicaLists(version) {
			w.array(1).int32(0)
		}
		w.end()
		if version >= 8 {
			w.int32(0)
		}
		w.end()
		if version >= 8 && version <= 10 {
			w.int32(0)
		}
		w.end()
	})
}

func heartbeat(correlation int32) string {
	return req(keyHeartbeat, 3, correlation, func(w *wire) { w.text("billing").int32(1).text("member").null() })
}

func heartbeatAnswer(correlation int32, code int16) string {
	return resp(keyHeartbeat, 3, correlation, func(w *wire) { w.int32(0).int16(code) })
}
