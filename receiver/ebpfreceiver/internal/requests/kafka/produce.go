package kafka

// First versions of Produce, Fetch and the requests about offsets that name
// topics by their ids.
const (
	produceByID      = 13
	fetchByID        = 13
	offsetsByID      = 10
	txnOffsetsByID   = 6
	metadataByID     = 10
	createTopicsByID = 7
	deleteTopicsByID = 6
)

// topic reads a topic's name or id.
func (r *reader) topic(byID bool) []byte {
	if byID {
		return r.take(idBytes)
	}
	return r.text()
}

// partitions reads a list of topics with their partitions; rest reads what
// follows the number of each partition, and may be nil.
func (r *reader) partitions(set *topics, byID bool, rest func(r *reader)) {
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		place := set.add(r.topic(byID), byID)
		for k := r.array(); k > 0 && !r.stopped(); k-- {
			if partition := r.int32(); !r.stopped() {
				set.addPartition(place, partition)
			}
			if rest != nil {
				rest(r)
				r.end()
			}
		}
		r.end()
	}
	set.more = set.more || r.cut
}

// produceRequest: topics, and for each partition records. What follows the first
// records is often not at hand.
func produceRequest(r *reader, f *Facts) {
	if f.version >= 3 {
		r.text() // the id of the transaction
	}
	f.OneWay = r.int16() == 0 && !r.stopped()
	r.skip(4) // how long the broker may take
	n := r.array()
	f.topics.more = n > maxTopics
	f.HasMessages = true
	for ; n > 0 && !r.stopped(); n-- {
		producedTopic(r, f, n == 1)
	}
	f.topics.more = f.topics.more || n > 0
	f.HasMessages = f.HasMessages && !r.stopped()
}

// producedTopic reads a topic with its records; last says that no other follows.
func producedTopic(r *reader, f *Facts, last bool) {
	byID := f.version >= produceByID
	place := f.topics.add(r.topic(byID), byID)
	for n := r.array(); n > 0; n-- {
		partition := r.int32()
		size := r.records()
		if r.stopped() {
			f.topics.addPartition(place, unknownPartition)
			return
		}
		f.topics.addPartition(place, partition)
		count, known := r.count(size)
		f.Messages += count
		f.HasMessages = f.HasMessages && known
		if last && n == 1 {
			return // the rest may be cut
		}
		r.end()
	}
	r.end()
}

// produceResponse: an error code for each partition.
func produceResponse(r *reader, f *Facts) {
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		r.topic(f.version >= produceByID)
		for k := r.array(); k > 0 && !r.stopped(); k-- {
			r.skip(4)
			f.fail(r.int16())
			r.skip(8) // offset of the first record
			if f.version >= 2 {
				r.skip(8) // time of appending
			}
			if f.version >= 5 {
				r.skip(8) // first offset of the log
			}
			if f.version >= 8 {
				for e := r.array(); e > 0 && !r.stopped(); e-- { // records that were refused
					r.skip(4)
					r.text()
					r.end()
				}
				r.text() // what is wrong
			}
			r.end()
		}
		r.end()
	}
}
