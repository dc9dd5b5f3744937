package kafka

// offsetCommitRequest: the group, and for each partition an offset.
func offsetCommitRequest(r *reader, f *Facts) {
	f.setGroup(r.text())
	if f.version >= 1 {
		r.skip(4) // generation
		r.text()  // member
	}
	if f.version >= 7 {
		r.text() // instance
	}
	if f.version >= 2 && f.version <= 4 {
		r.skip(8) // how long to keep it
	}
	r.partitions(&f.topics, f.version >= offsetsByID, func(r *reader) {
		r.skip(8)
		switch {
		case f.version == 1:
			r.skip(8)
		case f.version >= 6:
			r.skip(4) // epoch of the leader
		}
		r.text() // what the client wants to be kept with it
	})
}

// txnOffsetCommitRequest is the same as a part of a transaction.
func txnOffsetCommitRequest(r *reader, f *Facts) {
	r.text() // transaction
	f.setGroup(r.text())
	r.skip(8 + 2) // producer
	if f.version >= 3 {
		r.skip(4) // generation
		r.text()  // member
		r.text()  // instance
	}
	r.partitions(&f.topics, f.version >= txnOffsetsByID, func(r *reader) {
		r.skip(8)
		if f.version >= 2 {
			r.skip(4)
		}
		r.text()
	})
}

// offsetCommitResponse: for each partition an error code.
func offsetCommitResponse(r *reader, f *Facts) {
	byID := f.version >= offsetsByID
	if f.key == keyTxnOffsetCommit {
		byID = f.version >= txnOffsetsByID
	}
	r.partitions(&f.answers, byID, func(r *reader) { f.fail(r.int16()) })
}

// offsetFetchRequest: the groups, of which the first is read, and the partitions
// whose offsets are asked for.
func offsetFetchRequest(r *reader, f *Facts) {
	if f.version < 8 {
		f.setGroup(r.text())
		r.partitions(&f.topics, false, nil)
		return
	}
	n := r.array()
	group := r.text()
	if n > 1 {
		return
	}
	f.setGroup(group)
	if f.version >= 9 {
		r.text()  // member
		r.skip(4) // its epoch
	}
	r.partitions(&f.topics, f.version >= offsetsByID, nil)
}

func offsetFetchResponse(r *reader, f *Facts) {
	offset := func(r *reader) {
		r.skip(8)
		if f.version >= 5 {
			r.skip(4) // epoch of the leader
		}
		r.text()
		f.fail(r.int16())
	}
	if f.version < 8 {
		r.partitions(&f.answers, false, offset)
		if f.version >= 2 {
			f.fail(r.int16())
		}
		return
	}
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		r.text()
		r.partitions(&f.answers, f.version >= offsetsByID, offset)
		f.fail(r.int16())
		r.end()
	}
}

// coordinatorOfGroup is what the coordinator is asked for of.
const coordinatorOfGroup = 0

// findCoordinatorRequest: of which group or transaction.
func findCoordinatorRequest(r *reader, f *Facts) {
	kind := int8(coordinatorOfGroup)
	if f.version >= 4 {
		kind = r.int8()
		if r.array() != 1 {
			return
		}
	}
	key := r.text()
	if f.version >= 1 && f.version < 4 {
		kind = r.int8()
	}
	if kind == coordinatorOfGroup && !r.stopped() {
		f.setGroup(key)
	}
}

func findCoordinatorResponse(r *reader, f *Facts) {
	if f.version < 4 {
		f.fail(r.int16())
		return
	}
	for n := r.array(); n > 0 && !r.stopped(); n-- {
		r.text()
		r.skip(4) // broker
		r.text()  // host
		r.skip(4) // port
		f.fail(r.int16())
		r.text()
		r.end()
	}
}
