package kafka

// session is the fetch session of a connection (KIP-227): requests that go on
// with it name only the partitions that are different from the request before.
type session struct {
	id     int32 // 0: there is none that is known
	topics topics
}

func (s *session) forget() {
	s.id = 0
	s.topics.reset()
}

// request brings the topics of a fetch and of its session into agreement.
func (s *session) request(f *Facts) {
	switch {
	case f.sessionEpoch == noSession:
	case f.sessionEpoch == newSession:
		s.id = 0
		s.topics.copy(&f.topics)
	case f.session != s.id || f.RequestCut:
		s.forget()
		f.Unlisted = true
	default:
		s.topics.merge(&f.topics)
		s.topics.remove(&f.forgotten)
		f.topics.copy(&s.topics)
	}
}

// response takes the id of a session that begins, and its end.
func (s *session) response(f *Facts) {
	switch {
	case f.sessionOver:
		s.forget()
	case f.sessionEpoch == newSession:
		s.id = f.session
	}
}
