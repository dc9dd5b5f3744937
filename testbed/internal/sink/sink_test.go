package sink

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
)

// TestLogsArrive sends by the exporter that the agent uses.
func TestLogsArrive(t *testing.T) {
	got := make(chan plog.Logs, 1)
	s, err := Start(t.Context(), Consumers{Logs: func(data plog.Logs, arrived time.Time) {
		require.False(t, arrived.IsZero())
		copied := plog.NewLogs()
		data.CopyTo(copied)
		got <- copied
	}})
	require.NoError(t, err)
	defer s.Stop(t.Context())

	factory := otlpexporter.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"endpoint": s.Endpoint, "tls": map[string]any{"insecure": true},
	}).Unmarshal(cfg))
	exporter, err := factory.CreateLogs(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, exporter.Start(t.Context(), componenttest.NewNopHost()))
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("x")
	require.NoError(t, exporter.ConsumeLogs(t.Context(), ld))
	select {
	case data := <-got:
		require.Equal(t, 1, data.LogRecordCount())
	case <-time.After(time.Minute):
		t.Fatal("nothing arrived")
	}
	require.NoError(t, exporter.Shutdown(t.Context()))
	s.Stop(t.Context()) // twice is allowed
}
