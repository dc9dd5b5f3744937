package fastcgi

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

func TestClassify(t *testing.T) {
	const head = "\x01\x01\x00\x01\x00\x08\x00\x00"
	for first, want := range map[string]exchange.Verdict{
		head: exchange.IsRequest, // as far as PHP reads at first
		head + "\x00\x01\x00\x00\x00\x00\x00\x00":                          exchange.IsRequest,
		head + "\x00\x03\x01\x00\x00\x00\x00\x00":                          exchange.IsRequest, // a filter, over a kept connection
		"\x01\x01\x12\x34\x00\x08\x07\x00\x00\x02\x00\x00\x00\x00\x00\x00": exchange.IsRequest, // padded
		head + "\x00\x01\x00\x00\x00\x00\x00\x00\x01\x04\x00\x01\x00\x10":  exchange.IsRequest, // parameters follow
		head + "\x00\x00\x00\x00\x00\x00\x00\x00":                          exchange.Foreign,   // no role
		head + "\x00\x04\x00\x00\x00\x00\x00\x00":                          exchange.Foreign,
		head + "\x00\x01\x00\x00\x00\x00\x00\x01":                          exchange.Foreign,
		"\x01\x04\x00\x01\x00\x08\x00\x00":                                 exchange.Foreign, // midway
		"\x01\x01\x00\x01\x00\x09\x00\x00":                                 exchange.Foreign,
		head[:7]:                                                           exchange.Foreign,
		"":                                                                 exchange.Foreign,
	} {
		require.Equal(t, want, New().Classify([]byte(first)), "%q", first)
	}
}

func TestClassifySCGI(t *testing.T) {
	for first, want := range map[string]exchange.Verdict{
		"70:CONTENT_LENGTH\x0027\x00SCGI\x001\x00": exchange.IsRequest, // the specification's example
		"358:CONTENT_LENGTH\x000\x00":              exchange.IsRequest,
		"4000:CONTENT_LENGTH\x000\x00":             exchange.IsRequest,
		"7:CONTENT_LENGTH\x00":                     exchange.Foreign, // too short for what must follow
		"07:CONTENT_LENGTH\x00":                    exchange.Foreign,
		"7;:CONTENT_LENGTH\x00":                    exchange.Foreign,
		"70:SCGI\x001\x00CONTENT_LENGTH":           exchange.Foreign,
		"70:CONTENT_LENG":                          exchange.Foreign,
		"":                                         exchange.Foreign,
	} {
		require.Equal(t, want, NewSCGI().Classify([]byte(first)), "%q", first)
	}
}

func TestClassifyUWSGI(t *testing.T) {
	for first, want := range map[string]exchange.Verdict{
		"\x00\x59\x01\x00\x0c\x00QUERY_STRING\x00\x00":                  exchange.IsRequest, // nginx
		"\x00\x00\x01\x00\x0e\x00REQUEST_METHOD\x03\x00GET":             exchange.IsRequest,
		"\x00\x0f\x00\x00\x0c\x00QUERY_STRING\x00\x00":                  exchange.Foreign, // longer than all
		"\x00\x59\x01\x00\x09\x00PATH_INFO\x00\x00x":                    exchange.Foreign,
		"\x00\x59\x01\x00\x0c\x00QUERY^STRING\x00\x00":                  exchange.Foreign,
		"\x00\x59\x01\x00\x0c\x00query_string\x00\x00":                  exchange.Foreign,
		"\x00\x59\x01\x05\x0c\x00QUERY_STRING\x00\x00":                  exchange.Foreign, // for Perl
		"\x00\x00\x01\x00\x00\x12\x00\x04\x00\x00\x00\x01\x00\x07kafka": exchange.Foreign,
		"\x00\x59\x01\x00": exchange.Foreign,
		"":                 exchange.Foreign,
	} {
		require.Equal(t, want, NewUWSGI().Classify([]byte(first)), "%q", first)
	}
}

// sink is an exchange.Sink.
type sink struct {
	exchange.Sink
	told []exchange.Form
}

func (s *sink) Opaque(form exchange.Form) { s.told = append(s.told, form) }

func TestIsToldOnce(t *testing.T) {
	s := &sink{}
	p := New().NewParser(s)
	for range 2 {
		s.told = nil
		p.Reset(s, false)
		p.Segment(&exchange.Segment{})
		p.Segment(&exchange.Segment{Side: 1})
		require.Equal(t, []exchange.Form{exchange.Unsupported}, s.told)
	}
}
