package kafka

// metadataRequest: the topics that are asked about; none of them for all.
func metadataRequest(r *reader, f *Facts) {
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		var id []byte
		if f.version >= metadataByID {
			id = r.take(idBytes)
		}
		if name := r.text(); len(name) > 0 {
			f.topics.add(name, false)
		} else {
			f.topics.add(id, true)
		}
		r.end()
	}
	f.topics.more = f.topics.more || r.cut
}

// metadataResponse: brokers, the name of the cluster, and topics with their
// partitions.
func metadataResponse(r *reader, f *Facts) {
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		r.skip(4)
		r.text()  // host
		r.skip(4) // port
		if f.version >= 1 {
			r.text() // rack
		}
		r.end()
	}
	if f.version >= 2 {
		r.text() // cluster
	}
	if f.version >= 1 {
		r.skip(4) // controller
	}
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		metadataTopic(r, f)
	}
}

func metadataTopic(r *reader, f *Facts) {
	f.fail(r.int16())
	name := r.text()
	if f.version >= metadataByID {
		if id := r.take(idBytes); f.learn != nil {
			f.learn.learn(id, name)
		}
	}
	if f.version >= 1 {
		r.skip(1) // whether it is internal
	}
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		r.skip(2 + 4 + 4) // the error of a partition without a leader, its number, its leader
		if f.version >= 7 {
			r.skip(4) // epoch of the leader
		}
		for range replicaLists(f.version) {
			r.skip(4 * uint64(r.array()))
		}
		r.end()
	}
	if f.version >= 8 {
		r.skip(4) // what the client may do
	}
	r.end()
}

// replicaLists is how many lists of brokers a partition has.
func replicaLists(version int16) int {
	if version >= 5 {
		return 3
	}
	return 2
}

// createTopicsRequest: topics with what they shall be like. Of several the first
// is read.
func createTopicsRequest(r *reader, f *Facts) {
	n := r.array()
	f.topics.add(r.topic(false), false)
	f.topics.more = n > 1
}

func createTopicsResponse(r *reader, f *Facts) {
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		name := r.text()
		if f.version >= createTopicsByID {
			if id := r.take(idBytes); f.learn != nil {
				f.learn.learn(id, name)
			}
		}
		f.fail(r.int16())
		if f.version >= 5 {
			return // configurations follow
		}
		if f.version >= 1 {
			r.text()
		}
	}
}

func deleteTopicsResponse(r *reader, f *Facts) {
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		f.topics.add(r.text(), false)
		if f.version >= deleteTopicsByID {
			r.skip(idBytes)
		}
		f.fail(r.int16())
		if f.version >= 5 {
			r.text()
		}
		r.end()
	}
}

// listOffsetsRequest: for each partition a time.
func listOffsetsRequest(r *reader, f *Facts) {
	r.skip(4) // replica
	if f.version >= 2 {
		r.skip(1) // isolation
	}
	r.partitions(&f.topics, false, func(r *reader) {
		if f.version >= 4 {
			r.skip(4) // epoch of the leader
		}
		r.skip(8)
		if f.version == 0 {
			r.skip(4)
		}
	})
}

func listOffsetsResponse(r *reader, f *Facts) {
	r.partitions(&f.answers, false, func(r *reader) {
		f.fail(r.int16())
		if f.version == 0 {
			r.skip(8 * uint64(r.array()))
		} else {
			r.skip(16) // time and offset
		}
		if f.version >= 4 {
			r.skip(4)
		}
	})
}
