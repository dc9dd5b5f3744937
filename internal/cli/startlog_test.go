package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// lifeOf logs what the collector and a component do, and returns what is left.
func lifeOf(level zapcore.Level, starts bool) []string {
	core, logs := observer.New(level)
	log := zap.New(core).WithOptions(quietStart(component.BuildInfo{Command: "sightglass"}))
	part := log.With(zap.String("otelcol.component.id", "ebpf"))
	log.Info("Starting sightglass...")
	part.Warn("A privilege is missing.")
	if starts {
		log.Info(isReady)
	} else {
		part.Error("Failed to start component")
	}
	part.Info("Starting shutdown...")
	var left []string
	for _, line := range logs.All() {
		left = append(left, line.Message)
	}
	return left
}

func TestAStartIsQuiet(t *testing.T) {
	require.Equal(t, []string{"A privilege is missing.", isReady, "Starting shutdown..."}, lifeOf(zap.InfoLevel, true))
	require.Equal(t, []string{"A privilege is missing."}, lifeOf(zap.InfoLevel, false))
	require.Equal(t, []string{"A privilege is missing."}, lifeOf(zap.WarnLevel, false))
	require.Len(t, lifeOf(zap.DebugLevel, false), 4)
}
