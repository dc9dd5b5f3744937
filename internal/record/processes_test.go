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

// images is a process table with one process: its programs, the present one first.
type images []process.Process

func (i images) Image(_ process.Key, n int) (*process.Process, bool) {
	if n >= len(i) {
		return nil, false
	}
	return &i[n], true
}

func (i images) Ancestor(k process.Key, n int) (*process.Process, bool) {
	if n > 0 {
		return nil, false
	}
	return i.Image(k, 0)
}

func (images) LookupVPID(uint32, uint32) (*process.Process, bool) { return nil, false }

func (images) LookupPID(uint32) (*process.Process, bool) { return nil, false }

func TestTheProgramAtTheTimeOfTheEvent(t *testing.T) {
	const ms = int64(time.Millisecond)
	at := func(ms uint64) uint64 { return ms * uint64(time.Millisecond) }
	programs := images{
		{Name: "true", Path: "/bin/true", Cwd: "/3", Executed: at(120)},
		{Name: "su", Path: "/bin/su", Cwd: "/2", Executed: at(110)},
		{Name: "bash", Path: "/bin/bash", Cwd: "/1"},
	}
	for _, c := range []struct {
		at         int64 // ns since boot
		name, path string
		want       string // working directory of the program that is found
	}{
		{at: 130 * ms, want: "/3"},
		{at: 130 * ms, name: "true", path: "/bin/true", want: "/3"},
		{at: 130 * ms, name: "renamed"},
		{at: 130 * ms, name: "su"},
		{at: 115 * ms, name: "su", path: "/bin/su", want: "/2"},
		{at: 110 * ms, name: "su", want: "/2"},
		{at: 115 * ms, name: "su", path: "/bin/sudo"},
		{at: 105 * ms, name: "bash", want: "/1"},
		{at: 105 * ms, want: "/1"},
		{at: 105 * ms, name: "sshd"},
		// within what the clocks differ, the name decides
		{at: 120*ms + ms/2, name: "su", want: "/2"},
		{at: 120*ms - ms/2, name: "true", want: "/3"},
		{at: 120*ms - ms/2, name: "su", want: "/2"},
		{at: 110*ms - ms/2, name: "bash", want: "/1"},
	} {
		attrs := map[string]any{schema.ProcessKey: "10:1"}
		if c.name != "" {
			attrs[schema.ProcessName] = c.name
		}
		if c.path != "" {
			attrs[schema.ProcessPath] = c.path
		}
		v := view(t, "", nil, attrs)
		v.SetProcesses(programs, 1000)
		v.Record().SetTimestamp(plogTime(1000 + c.at))
		v.SetRecord(v.Record())
		cwd, _ := v.String(field.AttrProcCwd)
		require.Equal(t, c.want, cwd, "%+v", c)
	}
}
