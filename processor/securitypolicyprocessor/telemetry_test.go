package securitypolicyprocessor

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadatatest"
)

func points(value int64, attrs ...attribute.KeyValue) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(attrs...)}
}

func TestTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	cfg := testConfig(func(c *Config) { c.RuleMatching = matchAll; c.RateLimit.Burst = 1 })
	proc, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(tel), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	input, err := golden.ReadLogs("testdata/golden/input.yaml")
	require.NoError(t, err)
	require.NoError(t, proc.ConsumeLogs(t.Context(), input))
	require.NoError(t, proc.ConsumeLogs(t.Context(), flood(3)))
	require.NoError(t, proc.Shutdown(t.Context()))

	event := func(name string) attribute.KeyValue { return attribute.String("event_name", name) }
	rule := func(name string) attribute.KeyValue { return attribute.String("rule", name) }
	priority := func(name string) attribute.KeyValue { return attribute.String("priority", name) }
	same := metricdatatest.IgnoreTimestamp()

	// 10 activities and 2 other records, then 3 more activities.
	metadatatest.AssertEqualProcessorSecurityPolicyEvaluated(t, tel, []metricdata.DataPoint[int64]{points(10)}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyForeign(t, tel, []metricdata.DataPoint[int64]{points(2)}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyKept(t, tel, []metricdata.DataPoint[int64]{
		points(1, event(schema.EventProcessExec)), points(1, event(schema.EventNetworkListen)),
	}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyFiltered(t, tel, []metricdata.DataPoint[int64]{
		points(5, event(schema.EventFileOpen)), points(1, event(schema.EventFileChange)),
		points(1, event(schema.EventNetworkConnect)), points(1, event(schema.EventProcessExec)),
	}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyMatched(t, tel, []metricdata.DataPoint[int64]{
		points(4, rule("Secret read"), priority("Warning")), points(1, rule("Shell"), priority("Notice")),
		points(2, rule("Anything by bash"), priority("Debug")),
	}, same)
	metadatatest.AssertEqualProcessorSecurityPolicySuppressed(t, tel, []metricdata.DataPoint[int64]{
		points(1, rule("Anything by bash")), points(2, rule("Secret read")),
	}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyRules(t, tel, []metricdata.DataPoint[int64]{points(3)}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyRuleErrors(t, tel, []metricdata.DataPoint[int64]{points(0)}, same)
	metadatatest.AssertEqualProcessorSecurityPolicyEvaluationDuration(t, tel,
		[]metricdata.HistogramDataPoint[float64]{{Count: 2}}, same, metricdatatest.IgnoreValue())
}
