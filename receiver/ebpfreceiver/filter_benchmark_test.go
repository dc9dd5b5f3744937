package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// BenchmarkDecodeAndFilter is the way of a system call that the kernel captured
// and nobody in user space wants: decoded, its process followed, refused.
func BenchmarkDecodeAndFilter(b *testing.B) {
	cfg := createDefaultConfig().(*Config)
	stage := newActivityStage(b.Context(), &cfg.Activity, receivertest.NewNopSettings(typ).Logger, newEnricher(cfg), new(bpf.Clock))
	stage.handle(execOf(keySh, "sh", "/bin/sh", "sh"))
	stage.build = translate.NewLogs(translate.Host{}, "")
	stage.wanted.Store(newWanted(interest.Wanted{}))
	var t testing.T
	raw := at(ev(event.TypeSyscall, keySh, "sh")).call(&t, "setuid", 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		stage.handle(raw)
	}
	require.EqualValues(b, b.N, stage.unwanted.Load(), "every event must have reached the filter")
}
