package postgresql

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
)

// limits are how long the body of a message may be.
type limits struct {
	known    bool
	min, max uint32
}

// types are the messages of one side by their type.
type types [256]limits

func (t *types) add(list string, shortest, longest uint32) {
	for _, typ := range []byte(list) {
		t[typ] = limits{known: true, min: shortest, max: longest}
	}
}

// length reads a header: type, and a length that counts itself.
func (t *types) length(head []byte) (uint64, bool) {
	l := &t[head[0]]
	n := binary.BigEndian.Uint32(head[1:])
	if !l.known || n < lengthSize {
		return 0, false
	}
	n -= lengthSize
	return uint64(n), n >= l.min && n <= l.max
}

// walk tells whether b begins with a header, and all headers that it holds
// after it are such, too.
func (t *types) walk(b []byte) bool {
	for first := true; len(b) >= typedSize; first = false {
		n, ok := t.length(b)
		if !ok {
			return false
		}
		if uint64(len(b)-typedSize) <= n {
			return true
		}
		b = b[typedSize+n:]
		if first && len(b) < typedSize {
			return true
		}
	}
	return len(b) == 0 || t[b[0]].known
}

var requestTypes = func() *types {
	t := new(types)
	t.add("Q", 1, maxMessage)   // Query
	t.add("P", 4, maxMessage)   // Parse
	t.add("B", 6, maxMessage)   // Bind
	t.add("E", 5, 1<<16)        // Execute
	t.add("DC", 2, 1<<16)       // Describe, Close
	t.add("F", 10, maxMessage)  // FunctionCall
	t.add("SHcX", 0, 0)         // Sync, Flush, CopyDone, Terminate
	t.add("dfp", 0, maxMessage) // CopyData, CopyFail, a password
	return t
}()

var responseTypes = func() *types {
	t := new(types)
	t.add("123nsIc", 0, 0)     // ParseComplete, ..., EmptyQueryResponse, CopyDone
	t.add("Z", 1, 1)           // ReadyForQuery
	t.add("TDtVGHW", 2, 1<<30) // RowDescription, DataRow, ...
	t.add("CE", 1, 1<<20)
	t.add("NAS", 1, 1<<16) // NoticeResponse, NotificationResponse, ParameterStatus
	t.add("RKv", 4, 1<<16) // Authentication, BackendKeyData, NegotiateProtocolVersion
	t.add("d", 0, maxMessage)
	return t
}()

// maxNames is how much of a message is kept for the names at its beginning.
const maxNames = 512

var requests = dbconn.Header{
	Size: typedSize, Length: requestTypes.length,
	Keep: func(head []byte) int {
		switch head[0] {
		case 'Q', 'P':
			return maxMessage
		case 'B', 'E', 'C':
			return maxNames
		}
		return 0
	},
}

var responses = dbconn.Header{
	Size: typedSize, Length: responseTypes.length,
	Keep: func(head []byte) int {
		switch head[0] {
		case 'C', 'E', 'Z':
			return maxNames
		}
		return 0
	},
}

// beginsRequest tells whether b begins what a client asks.
func beginsRequest(b []byte) bool {
	if len(b) < typedSize || bytes.IndexByte([]byte("QPBEDCF"), b[0]) < 0 || !requestTypes.walk(b) {
		return false
	}
	if n, _ := requestTypes.length(b); b[0] == 'Q' && n <= uint64(len(b)-typedSize) {
		return b[typedSize+n-1] == 0
	}
	return true
}

// beginsResponse tells whether b begins what a server answers.
func beginsResponse(b []byte) bool {
	return len(b) >= typedSize && b[0] != 'd' && responseTypes.walk(b)
}

// cutString takes a string that ends with a zero byte off b.
func cutString(b []byte) (s, rest []byte, ok bool) { return bytes.Cut(b, []byte{0}) }

// ready and synced are how a ReadyForQuery begins, which its state follows, and
// what a Sync is.
var (
	ready  = []byte{'Z', 0, 0, 0, 5}
	synced = []byte{'S', 0, 0, 0, 4}
)

// endsReady tells whether the last bytes of a segment are a ReadyForQuery.
func endsReady(last []byte) bool {
	n := len(last) - len(ready) - 1
	return n >= 0 && bytes.HasPrefix(last[n:], ready) && isState(last[len(last)-1])
}

// isState tells whether b is a state of a transaction.
func isState(b byte) bool { return b == 'I' || b == 'T' || b == 'E' }
