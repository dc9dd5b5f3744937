package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// chains is a process table: by key the process itself, its parent, and so on.
type chains map[string][]process.Process

func (c chains) Ancestor(k process.Key, n int) (*process.Process, bool) {
	chain := c[string(process.AppendKey(make([]byte, 0, 32), k))]
	if n >= len(chain) {
		return nil, false
	}
	return &chain[n], true
}

func (c chains) Image(k process.Key, n int) (*process.Process, bool) {
	if n > 0 {
		return nil, false
	}
	return c.Ancestor(k, 0)
}

func (c chains) LookupPID(tgid uint32) (*process.Process, bool) {
	return c.find(func(p *process.Process) bool { return p.Key.TGID == tgid })
}

func (c chains) LookupVPID(namespace, pid uint32) (*process.Process, bool) {
	return c.find(func(p *process.Process) bool { return p.PIDNS == namespace && p.VPID == pid })
}

func (c chains) find(is func(*process.Process) bool) (*process.Process, bool) {
	for _, chain := range c {
		for i := range chain {
			if is(&chain[i]) {
				return &chain[i], true
			}
		}
	}
	return nil, false
}

func pid(n uint32) process.Key { return process.Key{TGID: n, Start: 100} }

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
	require.False(t, v.Leader(field.ProcessGroup, &p))
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
	procs := chains{"10:1": {
		{Key: pid(10), VPID: 3, Name: "cat", Path: "/usr/bin/cat", Args: []string{"cat", "x"}},
		{Key: pid(9), Name: "bash", Path: "/usr/bin/bash", Args: []string{"bash"}},
		{Key: pid(8), Name: "sshd", Args: []string{"sshd", "-D"}},
		{Key: pid(7), Name: "init"},
		{Key: pid(6), Name: "kthreadd"},
	}}
	v := view(t, "", nil, map[string]any{
		schema.ProcessKey: "10:1", schema.ProcessName: "cat", schema.ProcessPID: int64(10),
		schema.ProcessAncestors: []any{"bash", "sshd", "systemd"}, schema.ProcessParentCommand: "bash of then",
	})
	v.SetProcesses(procs, 1000)
	v.SetRecord(v.Record())
	var p field.Process

	require.True(t, v.Ancestor(0, &p))
	require.Equal(t, field.Process{PID: 10, VPID: 3, Start: 1001, Name: "cat", Path: "/usr/bin/cat", Args: []string{"cat", "x"}}, p)
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, field.Process{PID: 9, Start: 1100, Name: "bash", Path: "/usr/bin/bash", Args: []string{"bash"}}, p)
	require.True(t, v.Ancestor(2, &p))
	require.Equal(t, []string{"sshd", "-D"}, p.Args)
	require.True(t, v.Ancestor(3, &p))
	require.Equal(t, field.Process{PID: 7, Start: 1100, Name: "systemd"}, p, "another program at the time of the event")
	require.True(t, v.Ancestor(4, &p), "beyond the record's list")
	require.Equal(t, "kthreadd", p.Name)
	require.Zero(t, alloctest.PerRun(100, func() { v.Ancestor(1, &p) }))
}

func TestAncestryThroughTheParentWhenTheProcessIsUnknown(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:1", schema.ProcessParentKey: "9:1"})
	v.SetProcesses(chains{"9:1": {{Key: pid(9), Name: "bash"}, {Key: pid(8), Name: "sshd"}}}, 0)
	v.SetRecord(v.Record())
	var p field.Process
	require.True(t, v.Ancestor(1, &p))
	require.Equal(t, field.Process{PID: 9, Name: "bash"}, p, "without the boot time there is no start")
	require.True(t, v.Ancestor(2, &p))
	require.Equal(t, "sshd", p.Name)
	require.False(t, v.Ancestor(3, &p))
}

func TestLeaders(t *testing.T) {
	procs := chains{"10:1": {
		{Key: pid(10), VPID: 5, Name: "grep"},
		{Key: pid(9), VPID: 4, Name: "bash"},
		{Key: pid(8), VPID: 2, Name: "login"},
	}, "11:1": {{Key: pid(11), VPID: 6, Name: "cat"}}}
	attrs := map[string]any{
		schema.ProcessKey: "10:1", schema.ProcessVPID: int64(5), schema.ProcessName: "grep",
		schema.ProcessSID: int64(2), schema.ProcessPGID: int64(11), schema.ProcessVPGID: int64(6),
	}
	v := view(t, "", nil, attrs)
	v.SetProcesses(procs, 0)
	v.SetRecord(v.Record())
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

// slim is a record as a receiver writes it that knows of a processor in its
// own program.
func slim(t *testing.T, attrs map[string]any, p process.Process) *View {
	t.Helper()
	attrs[schema.ProcessKey] = "10:100"
	v := view(t, schema.EventFileOpen, nil, attrs)
	v.Record().SetTimestamp(plogTime(1_000_000_300))
	v.SetProcesses(chains{"10:100": {p}}, 1_000_000_000)
	v.SetRecord(v.Record())
	return v
}

var editor = process.Process{
	Key: pid(10), Name: "vi", Path: "/usr/bin/vi", Args: []string{"vi", "/etc/passwd"}, Cwd: "/root",
	File: event.File{Inode: 5, Flags: event.FileUpper | event.FileMemfd}, Executed: 200,
}

func TestTheTableFillsInWhatTheRecordLeavesOut(t *testing.T) {
	v := slim(t, map[string]any{}, editor)
	for a, want := range map[field.Attr]string{
		field.AttrProcName: "vi", field.AttrProcPath: "/usr/bin/vi", field.AttrProcCwd: "/root",
	} {
		s, ok := v.String(a)
		require.True(t, ok)
		require.Equal(t, want, s)
	}
	args, ok := v.Strings(field.AttrProcArgs)
	require.True(t, ok)
	require.Equal(t, editor.Args, args)
	for a, want := range map[field.Attr]int64{
		field.AttrExeUpper: 1, field.AttrExeMemfd: 1, field.AttrExeInode: 5, field.AttrProcStart: 1_000_000_100,
	} {
		n, ok := v.Int(a)
		require.True(t, ok)
		require.Equal(t, want, n)
	}
	_, ok = v.Int(field.AttrExeLower)
	require.False(t, ok)
	_, ok = v.String(field.AttrFilePath)
	require.False(t, ok, "the table knows nothing about files")
	_, ok = v.Strings(field.AttrAncestors)
	require.False(t, ok)
}

func TestTheTableIsNotBelievedWhenTheProcessHasMovedOn(t *testing.T) {
	later := editor
	later.Executed = 1_000_000_000
	for name, v := range map[string]*View{
		"name": slim(t, map[string]any{schema.ProcessName: "bash"}, editor),
		"path": slim(t, map[string]any{schema.ProcessPath: "/usr/bin/vim"}, editor),
		"exec": slim(t, map[string]any{}, later),
	} {
		_, ok := v.Strings(field.AttrProcArgs)
		require.False(t, ok, name)
		_, ok = v.Int(field.AttrExeUpper)
		require.False(t, ok, name)
		var p field.Process
		v.Ancestor(0, &p)
		require.Nil(t, p.Args, name)
	}
}

func TestTheTableIsAskedOncePerRecord(t *testing.T) {
	v := slim(t, map[string]any{}, editor)
	require.NotNil(t, v.self())
	v.SetProcesses(nil, 0)
	require.NotNil(t, v.self())
	v.SetRecord(plog.NewLogRecord())
	require.Nil(t, v.self())
	_, ok := v.Int(field.AttrProcStart)
	require.False(t, ok)
}

func TestUnknownProcess(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "77:1"})
	v.SetProcesses(chains{}, 0)
	v.SetRecord(v.Record())
	require.Nil(t, v.self())
	v = view(t, "", nil, map[string]any{schema.ProcessKey: "bash"})
	v.SetProcesses(chains{}, 0)
	v.SetRecord(v.Record())
	require.Nil(t, v.self())
}

// TestNameOf: processes are found by the numbers of the host, or by those that
// the acting one knows.
func TestNameOf(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessKey: "10:1"})
	name := func(pid int64, own bool) string {
		s, _ := v.NameOf(pid, own)
		return s
	}
	require.Empty(t, name(10, false), "a gateway knows nobody")
	v.SetProcesses(chains{
		"10:1": {{Key: process.Key{TGID: 10, Start: 1}, Name: "sh", PIDNS: 7, VPID: 3}, {Key: pid(20), Name: "shim", VPID: 20}},
		"11:1": {{Key: process.Key{TGID: 11, Start: 1}, Name: "sleep", PIDNS: 7, VPID: 20}},
	}, 1000)
	v.SetRecord(v.Record())
	require.Equal(t, "shim", name(20, false))
	require.Equal(t, "sleep", name(20, true))
	require.Equal(t, "sh", name(3, true))
	for _, pid := range []int64{0, -3, 99, 1<<32 + 20} {
		require.Empty(t, name(pid, false), pid)
		require.Empty(t, name(pid, true), pid)
	}
}

// TestWhereAProcessIs: the table tells where the program was started, the record
// where it has gone since.
func TestWhereAProcessIs(t *testing.T) {
	in := chains{"10:1": {{Key: process.Key{TGID: 10, Start: 1}, Name: "sh", Cwd: "/root", MovedTo: "/srv"}}}
	for want, attrs := range map[string]map[string]any{
		"/root": {schema.ProcessKey: "10:1"}, // it went to /srv later
		"/tmp":  {schema.ProcessKey: "10:1", schema.ProcessWorkingDirectory: "/tmp"},
	} {
		v := view(t, "", nil, attrs)
		v.SetProcesses(in, 1000)
		v.SetRecord(v.Record())
		cwd, _ := v.String(field.AttrProcCwd)
		require.Equal(t, want, cwd)
	}
}
