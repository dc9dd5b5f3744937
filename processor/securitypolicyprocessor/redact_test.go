package securitypolicyprocessor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

func newRecord(t *testing.T, attrs map[string]any) plog.LogRecord {
	t.Helper()
	rec := plog.NewLogRecord()
	require.NoError(t, rec.Attributes().FromRaw(attrs))
	return rec
}

// family is a process table with one process and its ancestors.
type family []process.Process

func (f family) Ancestor(_ process.Key, n int) (*process.Process, bool) {
	if n >= len(f) {
		return nil, false
	}
	return &f[n], true
}

func (f family) Image(_ process.Key, n int) (*process.Process, bool) {
	if n > 0 || len(f) == 0 {
		return nil, false
	}
	return &f[0], true
}

func (family) LookupVPID(uint32, uint32) (*process.Process, bool) { return nil, false }

func (f family) LookupPID(uint32) (*process.Process, bool) { return nil, false }

// detect makes the detection of a rule with this output.
func detect(t *testing.T, r *redactor, output string, trigger plog.LogRecord, procs record.Processes) (plog.LogRecord, int64) {
	t.Helper()
	rule := "- rule: r\n  desc: d\n  priority: error\n  condition: evt.type = open\n  output: \"" + output + "\"\n"
	set, res := policy.Load([]policy.File{{Name: "r.yaml", Content: []byte(rule)}}, nil)
	require.NoError(t, res.Err())
	trigger.Attributes().PutStr(schema.SyscallName, "open")
	rl := plog.NewResourceLogs()
	w := &worker{p: &policyProcessor{redactor: r}, view: record.New(), rec: trigger}
	w.out.reset()
	w.out.resource = rl
	w.view.SetProcesses(procs, 1)
	w.view.SetResource(rl.Resource())
	w.view.SetRecord(trigger)
	var found int
	set.NewMatcher().Match(w.view, func(m *policy.Match) { found++; w.match(m) })
	require.Equal(t, 1, found)
	return w.out.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), w.counts.redacted
}

// fields are the fields of a detection without the prefix.
func fields(rec plog.LogRecord) map[string]string {
	out := map[string]string{}
	for name, value := range rec.Attributes().All() {
		if key, ok := strings.CutPrefix(name, schema.PolicyField); ok {
			out[key] = value.AsString()
		}
	}
	return out
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

func TestRedactDetection(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	trigger := newRecord(t, map[string]any{
		schema.ProcessName:        "mysql",
		schema.ProcessCommandArgs: []any{"/usr/bin/mysql", "-pHUNTER", "--secret=HUNTER", "shop"},
		schema.ProcessEnvironment: []any{"DB_PASS=HUNTER"},
		schema.FilePath:           "/x",
	})
	rec, n := detect(t, r, "%proc.cmdline|%proc.args|%proc.exeline|%proc.env|%fd.name", trigger, nil)
	require.Equal(t, "mysql -p*** --secret=*** shop|-p*** --secret=*** shop|/usr/bin/mysql -p*** --secret=*** shop|DB_PASS=***|/x", rec.Body().Str())
	require.Equal(t, map[string]string{
		"proc.cmdline": "mysql -p*** --secret=*** shop", "proc.args": "-p*** --secret=*** shop",
		"proc.exeline": "/usr/bin/mysql -p*** --secret=*** shop", "proc.env": "DB_PASS=***", "fd.name": "/x",
	}, fields(rec))
	require.NotContains(t, fmt.Sprint(rec.Attributes().AsRaw()), "HUNTER")
	require.Positive(t, n)
	kept, _ := trigger.Attributes().Get(schema.ProcessCommandArgs)
	require.Contains(t, kept.AsString(), "HUNTER", "the trigger stays as it is")
}

func TestRedactDetectionOfAncestors(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	trigger := newRecord(t, map[string]any{schema.ProcessKey: "10:100"})
	procs := family{
		{Key: process.Key{TGID: 10}, Name: "redis-cli", Args: []string{"/bin/redis-cli", "-a", "HUNT ER", "ping"}},
		{Key: process.Key{TGID: 9}, Name: "mysql", Args: []string{"/usr/bin/mysql", "-pHUNTER", "shop"}},
		{Key: process.Key{TGID: 8}, Name: "sh", Args: []string{"sh", "-c", "PASSWORD=HUNTER exec z"}},
	}
	rec, _ := detect(t, r, "%proc.cmdline|%proc.pcmdline|%proc.acmdline[2]", trigger, procs)
	require.Equal(t, "redis-cli -a *** ping|mysql -p*** shop|sh -c PASSWORD=*** exec z", rec.Body().Str())
	require.NotContains(t, fmt.Sprint(rec.Attributes().AsRaw()), "HUNT")
	parent, _ := rec.Attributes().Get(schema.ProcessParentCommand)
	require.Equal(t, "/usr/bin/mysql -p*** shop", parent.AsString())
}

// What is not UTF-8 or no text is replaced on the way into a record, one way in
// attributes and another in the text.
func TestRedactSecretsThatAreNoText(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	for _, secret := range []string{"x\xff\xfey", "x\ty", "x\u0085y"} {
		trigger := newRecord(t, map[string]any{schema.ProcessName: "redis-cli", schema.ProcessCommandArgs: []any{"redis-cli", "-a", secret, "ping"}})
		rec, _ := detect(t, r, "run: %proc.cmdline", trigger, nil)
		require.Equal(t, "run: redis-cli -a *** ping", rec.Body().Str())
		require.Equal(t, map[string]string{"proc.cmdline": "redis-cli -a *** ping"}, fields(rec))
	}
}

// A failed exec leaves its vector as the argument of a call.
func TestRedactArgumentsOfCalls(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	var vectors int
	for i := range syscalls.Table {
		for _, arg := range syscalls.Table[i].Args {
			name := schema.SyscallArgPrefix + arg.Name
			var value any
			switch arg.Kind {
			case syscalls.KindStrings:
				value = []any{"/usr/bin/mysql", "-pHUNTER", "--password=HUNTER"}
				vectors++
			case syscalls.KindText:
				value = "password=HUNTER,cifs://bob:HUNTER@h"
			case syscalls.KindBytes:
				value = []byte("password=HUNTER")
			default:
				continue
			}
			rec := newRecord(t, map[string]any{name: value})
			require.Positive(t, r.record(rec), name)
			require.NotContains(t, fmt.Sprintf("%s", rec.Attributes().AsRaw()), "HUNTER", name)
		}
	}
	require.Positive(t, vectors)
	rec := newRecord(t, map[string]any{"any": []byte("password=x")})
	value, _ := rec.Attributes().Get("any")
	require.EqualValues(t, 1, maskValue(value))
	require.Equal(t, "password=***", string(value.Bytes().AsRaw()))
	require.Zero(t, maskValue(value))
}

func TestRedactOff(t *testing.T) {
	r := newRedactor(RedactConfig{})
	require.Nil(t, r)
	rec := newRecord(t, map[string]any{schema.ProcessCommandArgs: []any{"mysql", "-phunter2"}})
	require.Zero(t, r.record(rec))
	require.Zero(t, r.detection(rec))
	found, n := detect(t, r, "%proc.args", rec, nil)
	require.Equal(t, "-phunter2", found.Body().Str())
	require.Zero(t, n)
}

func TestRedactNothingDoesNotAllocate(t *testing.T) {
	r := newRedactor(RedactConfig{Enabled: true})
	rec := newRecord(t, map[string]any{schema.ProcessCommandLine: "ls -l", schema.FilePath: "/x"})
	require.Zero(t, alloctest.PerRun(100, func() { r.record(rec) }))
}
