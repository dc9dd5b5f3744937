//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

func TestOwnExport(t *testing.T) {
	s := &spanStage{agent: "Sightglass/0.1.0 ("}
	for _, tc := range []struct {
		role              event.Role
		target, userAgent string
		want              bool
	}{
		{event.RoleServer, "/v1/logs", "Sightglass/0.1.0 (linux/amd64)", true},
		{event.RoleServer, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "Sightglass/0.1.0 (linux/amd64) grpc-go/1.80.0", true},
		{event.RoleServer, "/v1/logs", "OTel-OTLP-Exporter-Python/1.0", false},
		{event.RoleServer, "/v1/logs", "", false},
		{event.RoleServer, "/orders", "Sightglass/0.1.0 (linux/amd64)", false},
		{event.RoleClient, "/v1/logs", "Sightglass/0.1.0 (linux/amd64)", false},
	} {
		ex := &exchange.Exchange{
			Endpoint: exchange.Endpoint{Role: tc.role},
			Facts:    &httpfacts.Facts{Target: []byte(tc.target), UserAgent: []byte(tc.userAgent)},
		}
		assert.Equal(t, tc.want, s.isOwnExport(ex), "%+v", tc)
	}
}
