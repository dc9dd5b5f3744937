package securitypolicyprocessor

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/sealed"
)

// maskedBatch is what the receiver of this program sends of a command with a
// password.
func maskedBatch(t *testing.T) plog.Logs {
	t.Helper()
	ld := plog.NewLogs()
	rec := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	rec.SetEventName(schema.EventProcessExec)
	secret := pcommon.NewMap()
	require.NoError(t, secret.FromRaw(map[string]any{schema.ProcessCommandArgs: []any{"tool", "--password", "hunter2"}}))
	require.NoError(t, rec.Attributes().FromRaw(map[string]any{
		schema.ProcessName:        "tool",
		schema.ProcessCommandArgs: []any{"tool", "--password", "***"},
		schema.Sealed:             sealed.Shared().Seal(secret, time.Now()),
	}))
	ld.MarkReadOnly() // another pipeline has it, too
	return ld
}

func TestRulesSeeWhatIsSealedAndNobodyElse(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(`
- rule: secret
  desc: d
  priority: error
  condition: proc.args contains hunter2
  output: "%proc.cmdline"
`), 0o600))
	for name, tt := range map[string]struct {
		redact bool
		want   string
	}{"masked": {true, "***"}, "not masked": {false, "hunter2"}} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			cfg := testConfig(func(c *Config) { c.RulesFiles, c.Redact.Enabled = []string{rules}, tt.redact })
			require.NoError(t, started(t, cfg, sink).ConsumeLogs(t.Context(), maskedBatch(t)))
			require.Equal(t, 2, sink.LogRecordCount())
			for _, sl := range sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().All() {
				for _, rec := range sl.LogRecords().All() {
					got := rec.Attributes().AsRaw()
					require.Equal(t, []any{"tool", "--password", tt.want}, got[schema.ProcessCommandArgs], rec.EventName())
					require.NotContains(t, got, schema.Sealed)
					if rec.EventName() == schema.EventPolicyMatch {
						require.Equal(t, "tool --password "+tt.want, rec.Body().Str())
					}
				}
			}
		})
	}
}
