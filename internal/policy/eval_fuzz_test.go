package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
)

// Whatever a condition and the values are, there is a verdict or an error, the
// same one each time, and a negation turns it round.
func FuzzEval(f *testing.F) {
	for _, seed := range [][2]string{
		{`proc.name glob "a*[b-d]?" or proc.name regex "(a|b)+" or proc.name pmatch (/a, b*)`, `{"proc.name": {"type": "CHARBUF", "value": "abc"}}`},
		{`evt.rawres in (-1, 5) and fd.sip = 10.0.0.1 and fd.net = "10.0.0.0/8"`, `{"evt.rawres": {"type": "INT64", "value": "-1"}, "fd.sip": {"type": "IPV4ADDR", "raw_hex": ["0a000001"]}}`},
		{`len(fd.types) > 1 and join(",", (proc.name, "x")) = concat(proc.name, ",x")`, `{"fd.types": {"type": "CHARBUF", "list": true, "value": "(file,ipv4)"}}`},
		{`b64(tolower(basename(proc.exe))) icontains anyof (x, y)`, `{"proc.exe": {"type": "FSPATH", "raw_hex": "2f61"}}`},
		{`getopt(proc.args, "ab:")[b] exists and evt.buffer bcontains ff00`, `{"evt.buffer": {"type": "BYTEBUF", "raw_hex": ["ff00"]}}`},
		{`proc.pid = val(proc.ppid) or evt.is_open_read = true`, `{"proc.pid": {"type": "INT64", "value": 7}, "evt.is_open_read": {"type": "BOOL", "value": true}}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, filter, fields string) {
		in := policy.EvalInput{Filter: filter, Event: "openat"}
		if json.Unmarshal([]byte(fields), &in.Fields) != nil {
			return
		}
		got, err := policy.EvalFilter(&in)
		if err != nil {
			return
		}
		again, err := policy.EvalFilter(&in)
		require.NoError(t, err)
		require.Equal(t, got, again)
		in.Filter = "not (" + filter + ")"
		if not, err := policy.EvalFilter(&in); err == nil {
			require.Equal(t, got, !not)
		}
	})
}
