package policies_test

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// recording reads activity that was recorded on a host, one OTLP JSON batch
// per line.
func recording(t *testing.T, path string) []plog.Logs {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	require.NoError(t, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<24)
	var out []plog.Logs
	for lines.Scan() {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(lines.Bytes())
		require.NoError(t, err)
		out = append(out, ld)
	}
	require.NoError(t, lines.Err())
	return out
}

// Nothing fires on what packages, containers, databases and builds do all day.
// The README says how the recordings were made.
func TestSilenceOnRoutine(t *testing.T) {
	a := arm(t, "all")
	recordings, err := filepath.Glob(filepath.Join("testdata", "noise", "*.json.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	for _, path := range recordings {
		t.Run(filepath.Base(path), func(t *testing.T) {
			records := 0
			for _, ld := range recording(t, path) {
				records += ld.LogRecordCount()
				for _, rec := range a.detections(ld) {
					t.Errorf("%s: %s", ruleOf(rec), rec.Body().Str())
				}
			}
			require.Greater(t, records, 50)
		})
	}
}
