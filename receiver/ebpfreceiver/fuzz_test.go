//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// fuzzStage is a stage that wants every call and is never full.
func fuzzStage(f *testing.F) *activityStage {
	f.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = f.TempDir()
	cfg.Activity.BatchSize = maxBatch
	s := newActivityStage(f.Context(), &cfg.Activity, receivertest.NewNopSettings(typ).Logger, newEnricher(cfg), new(bpf.Clock))
	names := make([]string, 0, len(syscalls.Table)+1)
	for i := range syscalls.Table {
		names = append(names, syscalls.Table[i].Name)
	}
	s.wanted.Store(newWanted(interest.Wanted{Set: interest.Names(append(names, interest.ProcessExit)...), Registered: true}))
	s.build = translate.NewLogs(translate.Host{}, "")
	s.out = newQueue(f.Context(), plog.Logs.LogRecordCount, func(context.Context, plog.Logs) {})
	f.Cleanup(func() { <-s.out.close() })
	return s
}

// FuzzHandle feeds whatever bytes into the whole way of a security record.
func FuzzHandle(f *testing.F) {
	for _, raw := range lifetime() {
		f.Add(raw)
	}
	var t testing.T
	for i := range syscalls.Table {
		f.Add(at(ev(event.TypeSyscall, keyTool, "tool")).call(&t, syscalls.Table[i].Name, int64(i%3-1), 1, 2, 3, 4, 5, 6))
	}
	w := at(ev(event.TypeSyscall, keyTool, "tool"))
	w.extra = appendExtra(appendExtra(appendExtra(nil, 1, 1, []byte("../x\x00")), 9, 2, []byte("b\x00a\x00")), 8, 3, make([]byte, 24))
	f.Add(w.call(&t, "openat", 3, uint64(0xffffff9c), 1, 0, 0))
	f.Add(execOf(keyTool, "caf\xe9", "/caf\xe9", "\xff"))
	s := fuzzStage(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := s.counts.decoded.Load() + s.counts.failed.Load() + s.counts.unknown.Load()
		s.handle(raw)
		require.Equal(t, before+1, s.counts.decoded.Load()+s.counts.failed.Load()+s.counts.unknown.Load())
		requireValidText(t, s.build.Take())
	})
}

// requireValidText checks that records hold nothing but UTF-8, whatever names
// the kernel has told.
func requireValidText(t *testing.T, ld plog.Logs) {
	t.Helper()
	for _, rl := range ld.ResourceLogs().All() {
		require.True(t, utf8.ValidString(fmt.Sprint(rl.Resource().Attributes().AsRaw())))
		for _, rec := range rl.ScopeLogs().At(0).LogRecords().All() {
			require.True(t, utf8.ValidString(fmt.Sprint(rec.Attributes().AsRaw())), "%q", rec.Attributes().AsRaw())
		}
	}
}
