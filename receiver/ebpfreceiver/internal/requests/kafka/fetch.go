package kafka

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"

// noSession is the epoch of a request that neither goes on with a session nor
// begins one, newSession of one that begins one.
const (
	noSession  = -1
	newSession = 0
)

// fetchRequest: how long to wait, and the partitions; of a session that goes on
// only those that are different from the request before.
func fetchRequest(r *reader, f *Facts) {
	f.sessionEpoch = noSession
	if f.version <= 14 {
		f.Replica = r.int32() >= 0
	}
	f.MaxWait = r.int32()
	r.skip(4) // least bytes
	if f.version >= 3 {
		r.skip(4) // most bytes
	}
	if f.version >= 4 {
		r.skip(1) // isolation
	}
	if f.version >= 7 {
		f.session, f.sessionEpoch = r.int32(), r.int32()
	}
	byID := f.version >= fetchByID
	r.partitions(&f.topics, byID, func(r *reader) {
		if f.version >= 9 {
			r.skip(4) // epoch of the leader
		}
		r.skip(8) // offset
		if f.version >= 12 {
			r.skip(4) // epoch of the last record
		}
		if f.version >= 5 {
			r.skip(8) // first offset of the follower's log
		}
		r.skip(4) // most bytes
	})
	if f.version >= 7 {
		r.partitions(&f.forgotten, byID, nil)
	}
	if f.version >= 11 {
		r.text() // rack
	}
	if f.version >= 15 {
		f.Replica = r.tags(tagReplica) != nil
	}
	if f.Replica {
		f.Type = messagingfacts.Other
	}
}

// tagReplica is the tagged field of the brokers that follow.
const tagReplica = 1

// fetchResponse: for each partition an error code and records.
func fetchResponse(r *reader, f *Facts) {
	if f.version >= 7 {
		code := r.int16()
		f.fail(code)
		f.sessionOver = code != 0
		f.session = r.int32()
	}
	n := r.array()
	f.HasMessages = true
	for ; n > 0 && !r.stopped(); n-- {
		fetchedTopic(r, f, n == 1)
	}
	f.answers.more = f.answers.more || r.cut
	f.HasMessages = f.HasMessages && !r.stopped()
}

// fetchedTopic reads a topic with its records; last says that no other follows.
func fetchedTopic(r *reader, f *Facts, last bool) {
	byID := f.version >= fetchByID
	name := r.topic(byID)
	for n := r.array(); n > 0; n-- {
		partition, size := fetchedPartition(r, f)
		if r.stopped() {
			return
		}
		count, known := r.count(size)
		if count > 0 || !known {
			f.Messages += count
			f.answers.addPartition(f.answers.add(name, byID), partition)
		}
		f.HasMessages = f.HasMessages && known
		if last && n == 1 {
			return // the rest may be cut
		}
		r.end()
	}
	r.end()
}

// fetchedPartition reads what comes before the records of a partition, and how
// many bytes they are.
func fetchedPartition(r *reader, f *Facts) (partition int32, size uint64) {
	partition = r.int32()
	f.fail(r.int16())
	r.skip(8) // high watermark
	if f.version >= 4 {
		r.skip(8) // last stable offset
	}
	if f.version >= 5 {
		r.skip(8) // first offset of the log
	}
	if f.version >= 4 {
		for n := r.array(); n > 0 && !r.stopped(); n-- { // transactions that were aborted
			r.skip(16)
			r.end()
		}
	}
	if f.version >= 11 {
		r.skip(4) // where else to read
	}
	return partition, r.records()
}
