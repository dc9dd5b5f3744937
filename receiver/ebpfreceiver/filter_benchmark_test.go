package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/policies"
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

// BenchmarkFilterOpen is the same for an opened file that no rule is about: its
// path is held against those that rules name.
func BenchmarkFilterOpen(b *testing.B) {
	files, err := policies.Files()
	require.NoError(b, err)
	var rules []policy.File
	for _, f := range files {
		rules = append(rules, policy.File{Name: f.Name, Content: f.Content})
	}
	set, res := policy.Load(rules, nil)
	require.NotNil(b, set, res)
	cfg := createDefaultConfig().(*Config)
	stage := newActivityStage(b.Context(), &cfg.Activity, receivertest.NewNopSettings(typ).Logger, newEnricher(cfg), new(bpf.Clock))
	stage.handle(execOf(keySh, "sh", "/bin/sh", "sh"))
	stage.build = translate.NewLogs(translate.Host{}, "")
	stage.wanted.Store(needed(set))
	w := at(ev(event.TypeSyscall, keySh, "sh"))
	w.extra = appendExtra(nil, 1, 1, []byte("/usr/share/zoneinfo/Europe/Berlin\x00"))
	w.extra = appendExtra(w.extra, 8, 2, []byte("Berlin\x00Europe\x00zoneinfo\x00share\x00usr\x00"))
	raw := w.call(new(testing.T), "openat", 3, 0xffffff9c, 0, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		stage.handle(raw)
	}
	require.EqualValues(b, b.N, stage.unwanted.Load(), "every event must have reached the filter")
}
