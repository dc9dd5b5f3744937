//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

func TestStraysAreToldOnce(t *testing.T) {
	core, seen := observer.New(zap.InfoLevel)
	log := zap.New(core)
	name := func(event.ProcessKey) string { return "db" }
	key := event.ProcessKey{Start: 1, TGID: 2}
	var s strays
	s.tell([]bpf.Stray{{Process: key, URing: true}}, name, log)
	s.tell([]bpf.Stray{{Process: key, URing: true}}, name, log)
	require.Equal(t, 1, seen.Len())
	fields := seen.TakeAll()[0].ContextMap()
	require.Equal(t, "db", fields["process"])
	require.EqualValues(t, 2, fields["pid"])
	require.Equal(t, []any{"io_uring"}, fields["because of"])
	s.tell([]bpf.Stray{{Process: key, URing: true, Compat: true}}, name, log)
	require.Equal(t, []any{"io_uring", "32-bit system calls"}, seen.TakeAll()[0].ContextMap()["because of"])
	s.tell(nil, name, log)
	require.Empty(t, s.told)
}
