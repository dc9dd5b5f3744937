package securitypolicyprocessor

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
)

func newRecord(t *testing.T, attrs map[string]any) plog.LogRecord {
	t.Helper()
	rec := plog.NewLogRecord()
	require.NoError(t, rec.Attributes().FromRaw(attrs))
	return rec
}

func sourceOf(rec plog.LogRecord) *record.View {
	v := record.New()
	v.SetResource(pcommon.NewResource())
	v.SetRecord(rec)
	return v
}

func TestRedactRecord(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true, Attributes: []string{"custom"}})
	rec := newRecord(t, map[string]any{
		schema.ProcessCommandArgs:   []any{"mysql", "-uroot", "-phunter2", "shop"},
		schema.ProcessParentCommand: "run --token abc",
		schema.ProcessEnvironment:   []any{"PATH=/bin", "DB_PASSWORD=x"},
		schema.FilePath:             "/tmp/password=x",
		"custom":                    "curl http://a:b@c/",
		schema.ProcessPID:           int64(3),
	})
	require.EqualValues(t, 4, r.record(rec))
	require.Equal(t, map[string]any{
		schema.ProcessCommandArgs:   []any{"mysql", "-uroot", "-p***", "shop"},
		schema.ProcessParentCommand: "run --token ***",
		schema.ProcessEnvironment:   []any{"PATH=/bin", "DB_PASSWORD=***"},
		schema.FilePath:             "/tmp/password=x",
		"custom":                    "curl http://a:***@c/",
		schema.ProcessPID:           int64(3),
	}, rec.Attributes().AsRaw())
	require.Zero(t, r.record(rec), "nothing is left to mask")
}

func TestRedactDetectionMasksWhatTheTextsRepeat(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	trigger := newRecord(t, map[string]any{
		schema.ProcessCommandArgs: []any{"redis-cli", "-a", "x", "-h", "xenon", "ping"},
	})
	rec := newRecord(t, map[string]any{
		schema.PolicyField + "proc.cmdline":  "redis-cli -a x -h xenon ping",
		schema.PolicyField + "proc.pcmdline": "sh -c PASSWORD=y exec z",
		schema.PolicyField + "fd.name":       "/x",
		schema.ProcessName:                   "redis-cli",
	})
	rec.Body().SetStr("run: redis-cli -a x -h xenon ping (file=/x)")
	require.EqualValues(t, 3, r.detection(rec, sourceOf(trigger)))
	require.Equal(t, "run: redis-cli -a *** -h xenon ping (file=/x)", rec.Body().Str())
	require.Equal(t, map[string]any{
		schema.PolicyField + "proc.cmdline":  "redis-cli -a *** -h xenon ping",
		schema.PolicyField + "proc.pcmdline": "sh -c PASSWORD=*** exec z",
		schema.PolicyField + "fd.name":       "/x",
		schema.ProcessName:                   "redis-cli",
	}, rec.Attributes().AsRaw())
}

func TestRedactTwoSecretsInARow(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	trigger := newRecord(t, map[string]any{
		schema.ProcessCommandArgs: []any{"mysql", "-phunter2", "--secret=s3", "db"},
	})
	rec := plog.NewLogRecord()
	rec.Body().SetStr("mysql -phunter2 --secret=s3 db")
	r.detection(rec, sourceOf(trigger))
	require.Equal(t, "mysql -p*** --secret=*** db", rec.Body().Str())
}

func TestRedactOff(t *testing.T) {
	r := newRedactor(RedactConfig{})
	require.Nil(t, r)
	rec := newRecord(t, map[string]any{schema.ProcessCommandArgs: []any{"mysql", "-phunter2"}})
	require.Zero(t, r.record(rec))
	require.Zero(t, r.detection(rec, sourceOf(rec)))
}

func TestRedactNothingDoesNotAllocate(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	rec := newRecord(t, map[string]any{schema.ProcessCommandLine: "ls -l", schema.FilePath: "/x"})
	require.Zero(t, testing.AllocsPerRun(100, func() { r.record(rec) }))
}

// What is not UTF-8 is replaced on the way into a record, one way in attributes
// and another in the text.
func TestRedactSecretsThatAreNotUTF8(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	trigger := newRecord(t, map[string]any{schema.ProcessCommandArgs: []any{"redis-cli", "-a", "x\xff\xfey", "ping"}})
	rec := newRecord(t, map[string]any{schema.PolicyField + "proc.cmdline": "redis-cli -a x\uFFFDy ping"})
	rec.Body().SetStr("run: redis-cli -a x\uFFFD\uFFFDy ping")
	require.EqualValues(t, 2, r.detection(rec, sourceOf(trigger)))
	require.Equal(t, "run: redis-cli -a *** ping", rec.Body().Str())
	require.Equal(t, map[string]any{schema.PolicyField + "proc.cmdline": "redis-cli -a *** ping"}, rec.Attributes().AsRaw())
}
