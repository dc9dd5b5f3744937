package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
)

// table is a process table of one chain: index 0 is the process of the key.
type table map[string][]field.Process

func (t table) Ancestor(key string, n int, p *field.Process) bool {
	chain := t[key]
	if n >= len(chain) {
		return false
	}
	*p = chain[n]
	return true
}

func (t table) ByPID(pid int64, p *field.Process) bool {
	for _, chain := range t {
		for i := range chain {
			if chain[i].PID == pid {
				*p = chain[i]
				return true
			}
		}
	}
	return false
}

var selfAttrs = map[string]any{
	schema.ProcessKey:           "10:1",
	schema.ProcessParentKey:     "9:1",
	schema.ProcessPID:           int64(10),
	schema.ProcessVPID:          int64(2),
	schema.ProcessName:          "cat",
	schema.ProcessPath:          "/usr/bin/cat",
	schema.ProcessCommandArgs:   []any{"cat", "/etc/shadow"},
	schema.ProcessEnvironment:   []any{"A=1"},
	schema.ProcessCreationTime:  "1970-01-01T00:00:00.000000009Z",
	schema.ProcessParentPID:     int64(9),
	schema.ProcessParentName:    "bash",
	schema.ProcessParentPath:    "/usr/bin/bash",
	schema.ProcessParentCommand: "bash -i",
	schema.ProcessAncestors:     []any{"bash", "sshd", "systemd"},
}

func TestAncestryFromTheRecordAlone(t *testing.T) {
	v := view(t, "", nil, selfAttrs)
	var p field.Process

	require.True(t, v.Ancestor(0, &p))
	require.Equal(t, field.Process{
		PID: 10, VPID: 2, Start: 9, Name: "cat", Path: "/usr/bin/cat",
		Args: []string{"cat", "/etc/shadow"}, Env: []string{"A=1"},
	}, p)
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, field.Process{PID: 9, Name: "bash", Path: "/usr/bin/bash", Command: "bash -i"}, p)
	require.True(t, v.Ancestor(2, &p))
	require.Equal(t, field.Process{Name: "sshd"}, p)
	require.True(t, v.Ancestor(3, &p))
	require.Equal(t, "systemd", p.Name)
	require.False(t, v.Ancestor(4, &p))
	require.False(t, v.Leader(field.Session, &p))
}

func TestParentNameFromTheAncestors(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessAncestors: []any{"bash"}, schema.ProcessParentPath: "/bin/bash"})
	var p field.Process
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, field.Process{Name: "bash", Path: "/bin/bash"}, p)
}

func TestNothingKnownAboutTheParent(t *testing.T) {
	v := view(t, "", nil, nil)
	var p field.Process
	require.True(t, v.Ancestor(0, &p), "there always is an acting process")
	require.False(t, v.Ancestor(1, &p))
	require.False(t, v.Ancestor(2, &p))
}

func TestAncestryFromTheTable(t *testing.T) {
	procs := table{
		"10:1": {
			{PID: 10, Name: "stale", Env: []string{"B=2"}},
			{PID: 9, Name: "bash", Path: "/usr/bin/bash", Args: []string{"bash"}},
			{PID: 8, Name: "sshd", Args: []string{"sshd", "-D"}},
			{PID: 7, Name: "init"},
			{PID: 6, Name: "kthreadd"},
		},
	}
	v := view(t, "", nil, map[string]any{
		schema.ProcessKey: "10:1", schema.ProcessName: "cat",
		schema.ProcessAncestors: []any{"bash", "sshd", "systemd"},
	})
	v.SetProcesses(procs)
	var p field.Process

	require.True(t, v.Ancestor(0, &p))
	require.Equal(t, field.Process{PID: 10, Name: "cat", Env: []string{"B=2"}}, p, "the record completes and corrects")
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, procs["10:1"][1], p)
	require.True(t, v.Ancestor(2, &p))
	require.Equal(t, []string{"sshd", "-D"}, p.Args)
	require.True(t, v.Ancestor(3, &p))
	require.Equal(t, field.Process{PID: 7, Name: "systemd"}, p, "another program at the time of the event")
	require.True(t, v.Ancestor(4, &p), "beyond the record's list")
	require.Equal(t, "kthreadd", p.Name)
}

func TestAncestryThroughTheParentWhenTheProcessIsUnknown(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:1", schema.ProcessParentKey: "9:1"})
	v.SetProcesses(table{"9:1": {{PID: 9, Name: "bash"}, {PID: 8, Name: "sshd"}}})
	var p field.Process
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, "bash", p.Name)
	require.True(t, v.Ancestor(2, &p))
	require.Equal(t, "sshd", p.Name)
	require.False(t, v.Ancestor(3, &p))
}

func TestParentCommandBelongsToTheTimeOfTheEvent(t *testing.T) {
	v := view(t, "", nil, selfAttrs)
	v.SetProcesses(table{"10:1": {{}, {Name: "bash", Args: []string{"bash", "--later"}}}})
	var p field.Process
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, "bash -i", p.Command)
	require.Nil(t, p.Args)
}

func TestLeaders(t *testing.T) {
	procs := table{"10:1": {
		{PID: 10, VPID: 5, Name: "grep"},
		{PID: 9, VPID: 4, Name: "bash"},
		{PID: 8, VPID: 2, Name: "login"},
	}, "11:1": {{PID: 11, VPID: 6, Name: "cat"}}}
	attrs := map[string]any{
		schema.ProcessKey: "10:1", schema.ProcessVPID: int64(5), schema.ProcessName: "grep",
		schema.ProcessSID: int64(2), schema.ProcessPGID: int64(11), schema.ProcessVPGID: int64(6),
	}
	v := view(t, "", nil, attrs)
	v.SetProcesses(procs)
	var p field.Process
	require.True(t, v.Leader(field.Session, &p))
	require.Equal(t, "login", p.Name)
	require.True(t, v.Leader(field.ProcessGroup, &p))
	require.Equal(t, "cat", p.Name, "a sibling")
	require.True(t, v.Leader(field.VirtualProcGroup, &p))
	require.Equal(t, "cat", p.Name)
	require.False(t, v.Leader(field.Group(9), &p))

	attrs[schema.ProcessSID] = int64(77)
	delete(attrs, schema.ProcessPGID)
	attrs[schema.ProcessVPGID] = int64(5)
	v = view(t, "", nil, attrs)
	require.False(t, v.Leader(field.Session, &p), "it has ended")
	require.Zero(t, p)
	require.True(t, v.Leader(field.ProcessGroup, &p), "the process leads its group")
	require.Equal(t, "grep", p.Name)
}
