package httpfacts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestSecretsInQueries(t *testing.T) {
	for in, want := range map[string]string{
		"key=a&accessToken=b&code=c&db_password=d": "key=REDACTED&accessToken=REDACTED&code=REDACTED&db_password=REDACTED",
		"X-Amz-Signature=a&X-Amz-Expires=60":       "X-Amz-Signature=REDACTED&X-Amz-Expires=60",
		"access%5Ftoken=a&%70assword=b":            "access%5Ftoken=REDACTED&%70assword=REDACTED",
		"session_id=a&sid=b&jwt=c":                 "session_id=REDACTED&sid=REDACTED&jwt=REDACTED",
		"keyword=a&author=b&postcode=c&q":          "keyword=a&author=b&postcode=c&q",
		"token&=x&%=y&%7=z":                        "token&=x&%=y&%7=z",
		strings.Repeat("k", 200) + "=x":            strings.Repeat("k", 200) + "=x",
	} {
		require.Equal(t, want, string(appendQuery(nil, []byte(in), false)), in)
	}
}

func TestQueriesDoNotAllocate(t *testing.T) {
	query := []byte("a_parameter_with_quite_a_long_name_indeed=1&accessToken=b&page=3")
	buf := make([]byte, 0, 256)
	require.Zero(t, alloctest.PerRun(100, func() { buf = appendQuery(buf[:0], query, false) }))
}
