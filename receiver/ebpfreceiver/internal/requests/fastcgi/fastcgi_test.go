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
