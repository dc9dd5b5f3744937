package httpfacts

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestB3(t *testing.T) {
	const (
		long  = "80f198ee56343ba864fe8b2a57d3eff7"
		short = "64fe8b2a57d3eff7"
		span  = "e457b5a2e4d86bd1"
	)
	type header = [2]string
	tests := []struct {
		name    string
		headers []header
		trace   string // empty: no parent
		flags   byte
	}{
		{"single", []header{{"b3", long + "-" + span + "-1-05e3ac9a4f6e3b90"}}, long, 1},
		{"single, debug", []header{{"B3", long + "-" + span + "-d"}}, long, 1},
		{"single, deferred", []header{{"b3", long + "-" + span}}, long, 0},
		{"single, short trace id", []header{{"b3", short + "-" + span + "-0"}}, "0000000000000000" + short, 0},
		{"single, state only", []header{{"b3", "0"}}, "", 0},
		{"several", []header{{"X-B3-TraceId", long}, {"X-B3-SpanId", span}, {"X-B3-Sampled", "1"}}, long, 1},
		{"several, debug", []header{{"x-b3-traceid", short}, {"x-b3-spanid", span}, {"x-b3-flags", "1"}}, "0000000000000000" + short, 1},
		{"several, not sampled", []header{{"X-B3-TraceId", long}, {"X-B3-SpanId", span}, {"X-B3-Sampled", "0"}}, long, 0},
		{"single wins", []header{{"X-B3-TraceId", short}, {"X-B3-SpanId", span}, {"b3", long + "-" + span}}, long, 0},
		{"no span", []header{{"X-B3-TraceId", long}}, "", 0},
		{"no trace", []header{{"X-B3-SpanId", span}}, "", 0},
		{"zero", []header{{"b3", "00000000000000000000000000000000-" + span}}, "", 0},
		{"not hexadecimal", []header{{"b3", "x" + long[1:] + "-" + span}}, "", 0},
		{"wrong length", []header{{"b3", long[1:] + "-" + span}}, "", 0},
	}
	f := &Facts{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.Reset()
			for _, h := range tt.headers {
				f.SetHeader([]byte(h[0]), []byte(h[1]))
			}
			p, ok := f.b3.parent()
			require.Equal(t, tt.trace != "", ok)
			if ok {
				require.Equal(t, tt.trace, hex.EncodeToString(p.Trace[:]))
				require.Equal(t, span, hex.EncodeToString(p.Span[:]))
				require.Equal(t, tt.flags, p.Flags)
			}
		})
	}
}

func FuzzB3(f *testing.F) {
	f.Add([]byte("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"), []byte("b3"))
	f.Add([]byte("1"), []byte("x-b3-sampled"))
	f.Fuzz(func(t *testing.T, value, name []byte) {
		var facts Facts
		facts.SetHeader(name, value)
		if p, ok := facts.b3.parent(); ok {
			require.NotZero(t, p.Trace)
			require.NotZero(t, p.Span)
		}
	})
}
