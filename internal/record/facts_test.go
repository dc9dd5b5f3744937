package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// TestFactsOfTheTable: what only the process table has, as fields.
func TestFactsOfTheTable(t *testing.T) {
	table := process.New(process.Options{Proc: t.TempDir()})
	table.KeepEnvironments(true)
	k := process.Key{TGID: 10, Start: 5_000_000_000}
	table.Apply(&event.Event{
		Header:   event.Header{Type: event.TypeExec, Time: 5_000_000_000, Key: k},
		Task:     event.Task{Comm: []byte("sh"), VPID: 3, PGID: 9},
		Identity: event.Identity{Known: true, CapPermitted: 1<<21 | 1, CapEffective: 1, PIDNSStart: 1_000_000_000, SID: 3, VPGID: 3},
		Exec: event.Exec{
			Path: []byte("/bin/sh"), Ctime: 2_000_000_000, Mtime: 1_000_000_000, Env: []byte("A=1\x00HTTP_PROXY= x \x00"),
			File: event.File{Inode: 77, Flags: event.FileWritable | event.FileUpper},
		},
	})
	v := view(t, "", nil, map[string]any{
		schema.SyscallName: "openat", schema.SyscallReturn: int64(3), schema.ProcessKey: "10:5000000000",
		schema.ProcessPID: int64(10), schema.ProcessVPID: int64(3), schema.ProcessName: "sh", schema.ProcessPath: "/bin/sh",
	})
	v.SetProcesses(table, 1_000_000_000)
	v.SetRecord(v.Record())
	v.rec.SetTimestamp(plogTime(60_000_000_000))
	for name, want := range map[string]string{
		"thread.cap_permitted": "CAP_CHOWN CAP_SYS_ADMIN", "thread.cap_effective": "CAP_CHOWN", "thread.cap_inheritable": "",
		"proc.sid": "3", "proc.vpgid": "3", "proc.is_sid_leader": "true", "proc.is_vpgid_leader": "true",
		"proc.sname": "sh", "proc.is_exe_writable": "true", "proc.is_exe_upper_layer": "true",
		"proc.exe_ino": "77", "proc.exe_ino.ctime": "2000000000", "proc.exe_ino.mtime": "1000000000",
		"proc.exe_ino.ctime_duration_proc_start": "4000000000", "proc.exe_ino.ctime_duration_pidns_start": none,
		"proc.pidns_init_start_ts": "2000000000", "proc.env": "A=1 HTTP_PROXY= x ", "proc.env[HTTP_PROXY]": "x", "proc.env[NONE]": "",
		"thread.vtid": "3", "proc.pgid": "9",
	} {
		require.Equal(t, want, fieldText(t, v, name), name)
	}

	v.rec.Attributes().PutStr(schema.SyscallName, "capset")
	v.SetRecord(v.Record())
	require.Equal(t, "1", fieldText(t, v, "evt.arg.cap_effective"), "as they are after the call")
	require.Equal(t, "200001", fieldText(t, v, "evt.arg.cap_permitted"))

	v.rec.Attributes().PutStr(schema.SyscallName, "execve")
	v.SetRecord(v.Record())
	for name, want := range map[string]string{
		"evt.rawarg.tid": "10", "evt.rawarg.pid": "10", "evt.rawarg.vpgid": "3", "evt.arg.cap_effective": "1", "evt.arg.exe_ino": "77",
	} {
		require.Equal(t, want, fieldText(t, v, name), name)
	}
	v.rec.Attributes().PutStr(schema.SyscallName, "clone")
	v.SetRecord(v.Record())
	require.Equal(t, "3", fieldText(t, v, "evt.rawarg.vtid"))
	require.Equal(t, "3", fieldText(t, v, "evt.rawarg.vpid"))
}
