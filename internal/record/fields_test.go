package record

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
)

const none = "\x00none" // the field has no value

// fieldText is the text of a field over a view, none when it has no value.
func fieldText(t *testing.T, v *View, name string) string {
	t.Helper()
	arg, hasArg := "", false
	base, rest, ok := strings.Cut(name, "[")
	if ok {
		arg, hasArg = strings.TrimSuffix(rest, "]"), true
	}
	ref, err := field.Standard().Resolve(base, arg, hasArg)
	require.NoError(t, err, name)
	event, _ := events.ByName(v.EventType())
	var c field.Context
	c.Begin(v, event)
	var val field.Value
	ref.Value(&c, &val)
	if val.Kind == field.None {
		return none
	}
	return val.String()
}

func arg(name string) string { return schema.SyscallArgPrefix + name }

// who is the acting process of the records below.
func who(more map[string]any) map[string]any {
	attrs := map[string]any{
		schema.ProcessPID:              int64(4242),
		schema.ProcessVPID:             int64(7),
		schema.ProcessParentPID:        int64(4000),
		schema.ProcessName:             "egprobe",
		schema.ProcessPath:             "/srv/egprobe",
		schema.ProcessCommandArgs:      []any{"./egprobe", "a b", "", "c"},
		schema.ProcessWorkingDirectory: "/srv",
		schema.ProcessUserID:           int64(1000),
		schema.ProcessUserName:         "ada",
		schema.ProcessGroupID:          int64(100),
		schema.ProcessGroupName:        "users",
		schema.ProcessLoginUID:         int64(1000),
		schema.ProcessLoginUserName:    "ada",
		schema.ProcessTTY:              int64(34816),
		schema.ProcessParentName:       "bash",
		schema.ProcessParentPath:       "/usr/bin/bash",
		schema.ProcessParentCommand:    "bash -l",
		schema.ProcessAncestors:        []any{"bash", "sshd", "systemd"},
	}
	maps.Copy(attrs, more)
	return attrs
}

type fieldCase struct {
	event    string
	resource map[string]any
	attrs    map[string]any
	fields   map[string]string
}

var fieldCases = map[string]fieldCase{
	"exec": {
		event: schema.EventProcessExec,
		attrs: who(map[string]any{schema.ProcessUpperLayer: true}),
		fields: map[string]string{
			"evt.type": "execve", "syscall.type": "execve", "evt.res": "SUCCESS", "evt.rawres": "0", "evt.failed": "false",
			"evt.category": "process", "evt.source": "syscall", "evt.is_open_read": "false", "evt.is_open_write": "false",
			"proc.name": "egprobe", "proc.exe": "./egprobe", "proc.exepath": "/srv/egprobe", "proc.args": "a b  c",
			"proc.cmdline": "egprobe a b  c", "proc.cwd": "/srv/", "proc.pid": "4242", "proc.vpid": "7", "proc.tty": "34816",
			"proc.cmdnargs": "3", "proc.is_exe_upper_layer": "true", "proc.is_exe_from_memfd": "false",
			"proc.pname": "bash", "proc.pexepath": "/usr/bin/bash", "proc.pcmdline": "bash -l", "proc.ppid": "4000",
			"proc.aname[0]": "egprobe", "proc.aname[1]": "bash", "proc.aname[2]": "sshd", "proc.aname[4]": none,
			"proc.sname": none, "thread.tid": "4242",
			"user.uid": "1000", "user.name": "ada", "user.loginuid": "1000", "user.loginname": "ada",
			"group.gid": "100", "group.name": "users",
			"container.id": "host", "container.name": "host", "container.image.repository": "", "container.privileged": "false",
			"k8s.ns.name": none, "k8s.pod.name": none,
			"fd.name": none, "fd.num": none, "fd.typechar": none, "fs.path.name": none, "fs.path.resolved": none,
			"evt.arg.flags": "EXE_UPPER_LAYER",
		},
	},
	"login unset": {
		event:  schema.EventProcessExec,
		attrs:  map[string]any{schema.ProcessName: "cron", schema.ProcessUserID: int64(0)},
		fields: map[string]string{"user.loginuid": "-1", "user.loginname": "<NA>", "user.name": "root", "proc.tty": "0"},
	},
	"failed execve": {
		event: schema.EventSyscall,
		attrs: who(map[string]any{
			schema.SyscallName: "execve", schema.SyscallReturn: int64(-2),
			arg("filename"): "nope", arg("argv"): []any{"nope", "x"},
		}),
		fields: map[string]string{
			"evt.type": "execve", "evt.res": "ENOENT", "evt.rawres": "-2", "proc.name": "egprobe",
			"proc.cmdline": "egprobe a b  c", "evt.arg.filename": "/srv/nope",
		},
	},
	"open": {
		event: schema.EventFileOpen,
		attrs: who(map[string]any{
			schema.SyscallName: "openat", schema.SyscallReturn: int64(3), schema.FileDescriptor: int64(3),
			schema.FilePath: "/etc/hostname", schema.FileNameRaw: "/etc/../etc//hostname", schema.FileResolvedPath: "/run/hostname",
			schema.FileOpenFlags: int64(0o2000000), schema.FileDescriptorType: "file",
			arg("dirfd"): int64(-100), arg("name"): "/etc/../etc//hostname", arg("flags"): int64(0o2000000), arg("mode"): int64(0),
		}),
		fields: map[string]string{
			"evt.type": "openat", "evt.res": "SUCCESS", "evt.rawres": "3", "evt.is_open_read": "true", "evt.is_open_write": "false",
			"evt.arg.flags": "O_RDONLY|O_CLOEXEC", "evt.arg.mode": "0", "evt.arg.name": "/etc/../etc//hostname",
			"fd.num": "3", "fd.type": "file", "fd.typechar": "f", "fd.name": "/etc/hostname", "fd.nameraw": "/etc/../etc/hostname",
			"fd.directory": "/etc", "fd.filename": "hostname", "fs.path.name": "/etc/hostname", "fs.path.resolved": "/run/hostname",
			"fd.sip": none, "fd.l4proto": "<NA>", "fd.sockfamily": none,
		},
	},
	"open fails": {
		event: schema.EventFileOpen,
		attrs: who(map[string]any{
			schema.SyscallName: "openat", schema.SyscallReturn: int64(-2), schema.FilePath: "/srv/nofile.x", schema.FileNameRaw: "nofile.x",
			schema.FileOpenFlags: int64(0o1102), arg("dirfd"): int64(-100), arg("name"): "nofile.x", arg("flags"): int64(0o1102),
		}),
		fields: map[string]string{
			"evt.res": "ENOENT", "evt.rawres": "-2", "evt.is_open_read": "true", "evt.is_open_write": "true",
			"fd.num": "-1", "fd.typechar": "f", "fd.type": none, "fd.name": "/srv/nofile.x", "fd.directory": "/srv",
			"fs.path.name": none, "evt.arg.name": "/srv/nofile.x",
		},
	},
	"chmod": {
		event: schema.EventFileChange,
		attrs: who(map[string]any{
			schema.SyscallName: "chmod", schema.SyscallReturn: int64(0), schema.FilePath: "/srv/newfile.y",
			arg("filename"): "newfile.y", arg("mode"): int64(0o4755),
		}),
		fields: map[string]string{
			"evt.arg.filename": "/srv/newfile.y", "fs.path.name": "/srv/newfile.y", "fd.name": none,
			"evt.arg.mode": "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
		},
	},
	"rename": {
		event: schema.EventFileChange,
		attrs: who(map[string]any{
			schema.SyscallName: "rename", schema.SyscallReturn: int64(0), schema.FilePreviousPath: "/srv/a", schema.FilePath: "/srv/b",
			arg("oldpath"): "a", arg("newpath"): "b",
		}),
		fields: map[string]string{
			"fs.path.source": "/srv/a", "fs.path.target": "/srv/b", "evt.arg.oldpath": "/srv/a", "evt.arg.newpath": "/srv/b",
		},
	},
	"symlink": {
		event: schema.EventFileChange,
		attrs: who(map[string]any{
			schema.SyscallName: "symlink", schema.SyscallReturn: int64(0), schema.FilePath: "/srv/sl", schema.FileSymlinkTarget: "rel/target",
			arg("target"): "rel/target", arg("linkpath"): "sl",
		}),
		fields: map[string]string{"evt.arg.target": "rel/target", "evt.arg.linkpath": "/srv/sl", "fs.path.source": "/srv/sl"},
	},
	"connect": {
		event: schema.EventNetworkConnect,
		attrs: who(socket("10.0.0.7", 46904, "203.0.113.9", 443, "client", map[string]any{
			schema.SyscallName: "connect", schema.SyscallReturn: int64(0),
		})),
		fields: map[string]string{
			"fd.num": "5", "fd.type": "ipv4", "fd.typechar": "4", "fd.name": "10.0.0.7:46904->203.0.113.9:443",
			"fd.cip": "10.0.0.7", "fd.sip": "203.0.113.9", "fd.cport": "46904", "fd.sport": "443",
			"fd.lip": "10.0.0.7", "fd.rip": "203.0.113.9", "fd.l4proto": "tcp", "fd.sockfamily": "ip", "fd.is_server": "false",
		},
	},
	"accept": {
		event: schema.EventNetworkAccept,
		attrs: who(socket("10.0.0.7", 80, "203.0.113.9", 50000, "server", map[string]any{
			schema.SyscallName: "accept4", schema.SyscallReturn: int64(5),
		})),
		fields: map[string]string{
			"fd.name": "203.0.113.9:50000->10.0.0.7:80", "fd.cip": "203.0.113.9", "fd.sip": "10.0.0.7", "fd.sport": "80",
			"fd.is_server": "true",
		},
	},
	"refused": {
		event: schema.EventNetworkConnect,
		attrs: who(map[string]any{
			schema.SyscallName: "connect", schema.SyscallReturn: int64(-111), schema.NetworkType: "ipv4",
			schema.FileDescriptorType: "ipv4", schema.FileDescriptor: int64(5), arg("fd"): int64(5),
			schema.NetworkPeerAddress: "127.0.0.1", schema.NetworkPeerPort: int64(9),
		}),
		fields: map[string]string{"evt.res": "ECONNREFUSED", "fd.typechar": "4", "fd.sip": none, "fd.name": ""},
	},
	"unix": {
		event: schema.EventNetworkConnect,
		attrs: who(map[string]any{
			schema.SyscallName: "connect", schema.SyscallReturn: int64(0), schema.NetworkType: "unix",
			schema.FileDescriptorType: "unix", schema.FileDescriptor: int64(6), schema.NetworkPeerAddress: "/run/x.sock",
		}),
		fields: map[string]string{"fd.type": "unix", "fd.typechar": "u", "fd.name": "/run/x.sock", "fd.sip": none, "fd.sockfamily": "unix"},
	},
	"ptrace": {
		event: schema.EventSyscall,
		attrs: who(map[string]any{
			schema.SyscallName: "ptrace", schema.SyscallReturn: int64(0), arg("request"): int64(16), arg("pid"): int64(77),
		}),
		fields: map[string]string{"evt.arg.request": "PTRACE_ATTACH", "evt.arg.pid": "77"},
	},
	"setuid": {
		event: schema.EventSyscall,
		attrs: who(map[string]any{
			schema.SyscallName: "setuid", schema.SyscallReturn: int64(0), arg("uid"): int64(1000),
		}),
		fields: map[string]string{"evt.arg.uid": "ada", "user.uid": "1000"},
	},
	"socket": {
		event: schema.EventSyscall,
		attrs: who(map[string]any{
			schema.SyscallName: "socket", schema.SyscallReturn: int64(9), arg("domain"): int64(1), arg("type"): int64(524289), arg("proto"): int64(0),
		}),
		fields: map[string]string{"evt.arg.domain": "AF_LOCAL|AF_UNIX", "fd.num": "9", "fd.typechar": "u", "evt.arg.type": "524289"},
	},
	"container": {
		event: schema.EventProcessExec,
		resource: map[string]any{
			schema.ContainerID:        "3f2a8c5d7e9b1a4c6d8e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c",
			schema.ContainerName:      "web",
			schema.ContainerImageName: "registry.example/shop", schema.ContainerImageTags: []any{"1.2"},
			schema.ContainerRuntime: "containerd", schema.ContainerPrivileged: true,
			schema.K8sNamespaceName: "prod", schema.K8sPodName: "shop-1", schema.K8sPodUID: "u-1",
			"k8s.pod.label.app": "shop", schema.ServiceName: "shop",
		},
		attrs: who(nil),
		fields: map[string]string{
			"container.id": "3f2a8c5d7e9b", "container.full_id": "3f2a8c5d7e9b1a4c6d8e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c",
			"container.name": "web", "container.image.repository": "registry.example/shop", "container.image.tag": "1.2",
			"container.type": "containerd", "container.privileged": "true",
			"k8s.ns.name": "prod", "k8s.pod.name": "shop-1", "k8s.pod.uid": "u-1", "k8s.pod.label[app]": "shop", "k8s.pod.label[tier]": none,
		},
	},
}

func socket(local string, localPort int64, peer string, peerPort int64, role string, more map[string]any) map[string]any {
	attrs := map[string]any{
		schema.NetworkType: "ipv4", schema.FileDescriptorType: "ipv4", schema.FileDescriptor: int64(5), arg("fd"): int64(5),
		schema.NetworkTransport: "tcp", schema.SocketFamily: int64(2), schema.SocketRole: role,
		schema.NetworkLocalAddress: local, schema.NetworkLocalPort: localPort,
		schema.NetworkPeerAddress: peer, schema.NetworkPeerPort: peerPort,
	}
	maps.Copy(attrs, more)
	return attrs
}

func TestFieldsOverRecords(t *testing.T) {
	for name, c := range fieldCases {
		t.Run(name, func(t *testing.T) {
			v := view(t, c.event, c.resource, c.attrs)
			for f, want := range c.fields {
				require.Equal(t, want, fieldText(t, v, f), f)
			}
		})
	}
}

// A value of a type that nobody expects must neither break a field nor become
// one.
func TestFieldsOverValuesOfWrongTypes(t *testing.T) {
	res, rec := pcommon.NewResource(), plog.NewLogRecord()
	rec.SetEventName(schema.EventFileOpen)
	for a := range field.NumAttrs() {
		rec.Attributes().PutDouble(field.Attr(a).Name(), 1.5)
	}
	rec.Attributes().PutStr(schema.SyscallName, "openat")
	v := New()
	v.SetResource(res)
	v.SetRecord(rec)
	for _, f := range field.Standard().Rows() {
		if f.Unsupported != "" || f.Arg != field.ArgNone || f.Has(field.FilterOnly) {
			continue
		}
		require.NotContains(t, fieldText(t, v, f.Name), "1.5", f.Name)
	}
}
