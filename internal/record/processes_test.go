package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

func plogTime(ns int64) pcommon.Timestamp { return pcommon.Timestamp(ns) }

func TestUseShared(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:100"})
	now := time.Now()
	v.UseShared(now)
	require.Nil(t, v.processes, "no receiver runs here")

	table := process.New(process.Options{Proc: t.TempDir()})
	t.Cleanup(process.Publish(table))
	parent, child := process.Key{TGID: 9, Start: 90}, process.Key{TGID: 10, Start: 100}
	for _, ev := range []*event.Event{
		{Header: event.Header{Type: event.TypeFork, Time: 90, Key: parent}, Task: event.Task{Comm: []byte("sshd")}},
		{Header: event.Header{Type: event.TypeFork, Time: 100, Key: child}, Task: event.Task{Comm: []byte("bash"), Parent: parent}},
	} {
		table.Apply(ev)
	}
	v.UseShared(now)
	v.SetRecord(v.Record())
	require.Positive(t, v.bootTime)
	require.Less(t, v.bootTime, now.UnixNano())
	var p field.Process
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, "sshd", p.Name)

	v.bootTime = 1
	v.UseShared(now.Add(clockEvery - 1))
	require.EqualValues(t, 1, v.bootTime)
	v.UseShared(now.Add(clockEvery))
	require.Greater(t, v.bootTime, int64(1))
}
