package http1

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// TestFirstBytes: by which first bytes of a connection the kernel side and the
// protocol recognise it.
func TestFirstBytes(t *testing.T) {
	for _, tc := range []struct {
		first      string
		recognized bool // by the kernel side
		verdict    exchange.Verdict
	}{
		{"GET / HTTP/1.1\r\n", true, exchange.IsRequest},
		{"PROPFIND /dav HTTP/1.1\r\n", true, exchange.IsRequest},
		{"REPORT /dav HTTP/1.1\r\n", true, exchange.IsRequest},
		{"MKCALENDAR /dav HTTP/1.1\r\n", true, exchange.IsRequest},
		{"VERSION-CONTROL /dav HTTP/1.1\r\n", true, exchange.IsRequest},
		{"BREW /pot HTTP/1.1\r\n", true, exchange.IsRequest},
		{"FOO /x HTTP/1.0\r\n", true, exchange.IsRequest},
		{"REFRESH /cache HTTP/1.1\r\n", true, exchange.IsRequest},
		{"INVALIDATE /cache HTTP/1.1\r\n", true, exchange.IsRequest},
		{"HTTP/1.1 200 OK\r\n", true, exchange.IsResponse},
		{"GET /old\r\n", true, exchange.Foreign}, // HTTP/0.9
		{"get / HTTP/1.1\r\n", false, exchange.Foreign},
		{"GO / HTTP/1.1\r\n", false, exchange.IsRequest},
		{"HELO mail.example\r\n", false, exchange.Foreign},
		{"USER anonymous\r\n", false, exchange.Foreign},
		{"PUB subject 5\r\nhello\r\n", false, exchange.Foreign},
		{"SSH-2.0-OpenSSH\r\n", false, exchange.Foreign},
		{"AMQP\x00\x00\x09\x01", false, exchange.Foreign},
		{"QUIT\r\n", false, exchange.Foreign},
	} {
		matches := slices.ContainsFunc(New().Signatures(), func(s event.Signature) bool { return s.Matches([]byte(tc.first)) })
		require.Equal(t, tc.recognized, matches, tc.first)
		require.Equal(t, tc.verdict, New().Classify([]byte(tc.first)), tc.first)
	}
}
