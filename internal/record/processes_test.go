package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

func fork(key, parent process.Key, vpid uint32, comm string) *event.Event {
	return &event.Event{
		Header: event.Header{Type: event.TypeFork, Time: key.Start, Key: key, TID: key.TGID},
		Task:   event.Task{Comm: []byte(comm), VPID: vpid, Parent: parent},
	}
}

func TestSharedProcesses(t *testing.T) {
	var p field.Process
	var s SharedProcesses
	require.False(t, s.Ancestor("10:100", 0, &p), "there is no table")
	require.False(t, s.ByPID(10, &p))

	tab := process.New(process.Options{Proc: t.TempDir()})
	t.Cleanup(process.Publish(tab))
	parent, child := process.Key{TGID: 9, Start: 90}, process.Key{TGID: 10, Start: 100}
	tab.Apply(fork(parent, process.Key{}, 1, "sshd"))
	tab.Apply(fork(child, parent, 2, "bash"))

	require.True(t, s.Ancestor("10:100", 0, &p))
	require.Equal(t, "bash", p.Name)
	require.EqualValues(t, 10, p.PID)
	require.EqualValues(t, 2, p.VPID)
	require.Zero(t, p.Start, "the boot time is not known")
	s.BootTime = 1000
	require.True(t, s.Ancestor("10:100", 1, &p))
	require.Equal(t, "sshd", p.Name)
	require.EqualValues(t, 1090, p.Start)
	require.False(t, s.Ancestor("10:100", 2, &p))
	require.False(t, s.Ancestor("10:99", 0, &p), "a reused pid is another process")
	require.False(t, s.Ancestor("bash", 0, &p))
	require.True(t, s.ByPID(9, &p))
	require.Equal(t, "sshd", p.Name)
	require.False(t, s.ByPID(-1, &p))
	require.False(t, s.ByPID(11, &p))

	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:100"})
	v.SetProcesses(&s)
	require.Zero(t, testing.AllocsPerRun(100, func() { v.Ancestor(1, &p) }))
}

func TestBootTime(t *testing.T) {
	var s SharedProcesses
	s.Refresh()
	require.Positive(t, s.BootTime)
	require.Less(t, s.BootTime, time.Now().UnixNano())
}
