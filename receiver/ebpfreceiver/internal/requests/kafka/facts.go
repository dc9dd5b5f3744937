package kafka

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Facts of one request. The byte slices are its own; an empty one means that
// there was none, or that it lies beyond the bound.
type Facts struct {
	messagingfacts.Facts

	Client   []byte // what the client calls itself
	Group    []byte // of consumers
	Messages int64  // that were sent or fetched, if HasMessages
	Code     int16  // the first error code that is not 0
	MaxWait  int32  // ms that a fetch may be held

	HasMessages bool
	OneWay      bool // it has no response
	Replica     bool // a broker fetches what it keeps a copy of
	Unlisted    bool // which partitions are fetched was said before the connection was joined
	RequestCut  bool // the request goes on beyond what is at hand
	Hidden      bool // so does the response
	Answered    bool

	api          *api
	key, version int16
	topics       topics // that are asked for
	answers      topics // that a fetch has brought messages of
	forgotten    topics // that a session of fetches leaves out from now on
	session      int32
	sessionEpoch int32
	sessionOver  bool // the broker has forgotten the session
	learn        *ids // takes what metadata tell; nil: nobody does
}

var (
	_ exchange.Facts  = (*Facts)(nil)
	_ spans.Describer = (*Facts)(nil)
)

// facts returns what is known about an exchange of this protocol.
func facts(ex *exchange.Exchange) *Facts { return ex.Facts.(*Facts) }

// Reset implements exchange.Facts.
func (f *Facts) Reset() {
	f.topics.reset()
	f.answers.reset()
	f.forgotten.reset()
	f.Facts.Reset()
	*f = Facts{Facts: f.Facts, Client: f.Client[:0], Group: f.Group[:0], topics: f.topics, answers: f.answers, forgotten: f.forgotten}
}

func (f *Facts) setGroup(name []byte) { f.Group = append(f.Group[:0], name...) }

// fail remembers the first error code.
func (f *Facts) fail(code int16) {
	if f.Code == 0 {
		f.Code = code
	}
}

// failed tells whether the request has failed by what its response says.
func (f *Facts) failed() bool { return f.Code != 0 && !isSignal(f.key, f.Code) }

// readRequest reads the body of a request. It returns false when it is none.
func (f *Facts) readRequest(r *reader) bool {
	if f.version > f.api.newest || f.api.request == nil {
		return true
	}
	f.api.request(r, f)
	f.RequestCut = r.cut
	return !r.bad
}

// whole tells whether all of a request was at hand that is looked for.
func (f *Facts) whole(h *head) bool {
	return len(f.Client) >= int(h.client) && !f.RequestCut && (f.key != keyProduce || f.HasMessages)
}

// readResponse reads the body of the response.
func (f *Facts) readResponse(r *reader) {
	f.Answered = true
	if f.version > f.api.newest || f.api.response == nil {
		return
	}
	if f.key != keyAPIVersions && f.api.isFlexible(f.version) {
		r.flexible = true
		r.end() // of the header
	}
	if f.api.throttle != neverThrottled && f.version >= f.api.throttle {
		r.skip(4)
	}
	f.api.response(r, f)
	f.Hidden = r.stopped()
}

// conclude takes in how the exchange ended.
func (f *Facts) conclude(ex *exchange.Exchange) {
	if set := f.destination(); set.only() == 0 && !set.list[0].isID {
		f.Destination = append(f.Destination[:0], set.name(0)...)
	}
	if f.failed() {
		f.Fail(codeName(f.Code))
	}
	f.Held = f.held()
	ex.Class = f.class()
}

// held tells whether the request asks to be held until there is something to
// answer.
func (f *Facts) held() bool {
	return f.key == keyFetch && f.MaxWait > 0 || f.api.class == exchange.Wait
}

// class tells what kind of waiting the exchange is. A fetch that brought nothing
// has waited for as long as it may.
func (f *Facts) class() exchange.Class {
	empty := f.HasMessages && f.Messages == 0
	switch {
	case f.OneWay:
		return exchange.OneWay
	case f.key == keyFetch && f.held() && !f.failed() && (empty || !f.Answered):
		return exchange.Wait
	}
	return f.api.class
}

// destination returns the set of topics that the exchange is about.
func (f *Facts) destination() *topics {
	if len(f.answers.list) > 0 || f.Unlisted {
		return &f.answers
	}
	return &f.topics
}
