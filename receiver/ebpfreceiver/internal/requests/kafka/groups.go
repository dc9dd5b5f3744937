package kafka

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// maxGroups bounds the consumers whose group is remembered; when there are more,
// all are forgotten, and known again when they commit.
const maxGroups = 1 << 14

// doubt is for how long, in ns, a consumer that was seen in two groups is taken
// to be in either.
const doubt = 600e9

// groups are the groups of consumers. A fetch does not name its group: it is the
// one for which the same consumer asks for or commits offsets of the same topic,
// be it on another connection. A consumer is a process, or an address for its
// broker, and what it calls itself.
type groups struct {
	byConsumer map[string]*membership
	key        []byte
}

type membership struct {
	group   string
	seen    uint64 // when it was confirmed last
	unclear uint64 // until when it is not certain
}

// of makes the key of a consumer of a topic.
func (g *groups) of(ex *exchange.Exchange, client, topic []byte) []byte {
	k := g.key[:0]
	if ex.Role == event.RoleClient {
		k = binary.LittleEndian.AppendUint32(k, ex.Owner.TGID)
		k = binary.LittleEndian.AppendUint64(k, ex.Owner.Start)
	} else {
		k = binary.LittleEndian.AppendUint32(k, ex.NetNS)
		k = append(k, ex.PeerAddr[:]...)
	}
	k = binary.LittleEndian.AppendUint16(k, uint16(len(client)))
	k = append(k, client...)
	k = append(k, topic...)
	g.key = k
	return k
}

// learn notes the group that a consumer names.
func (g *groups) learn(ex *exchange.Exchange, f *Facts, topic []byte) {
	key := g.of(ex, f.Client, topic)
	m := g.byConsumer[string(key)]
	if m == nil {
		if g.byConsumer == nil || len(g.byConsumer) >= maxGroups {
			g.byConsumer = make(map[string]*membership)
		}
		m = &membership{group: string(f.Group)}
		g.byConsumer[string(key)] = m
	}
	if m.group != string(f.Group) {
		if ex.Start < m.seen+doubt {
			m.unclear = ex.Start + doubt
		}
		m.group = string(f.Group)
	}
	m.seen = ex.Start
}

// find returns the group of a consumer, empty when it is not known.
func (g *groups) find(ex *exchange.Exchange, f *Facts, topic []byte) string {
	key := g.of(ex, f.Client, topic)
	m := g.byConsumer[string(key)]
	if m == nil || ex.Start < m.unclear {
		return ""
	}
	return m.group
}
