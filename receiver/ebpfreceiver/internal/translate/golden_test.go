package translate

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	containerID = "3f2a8c5d7e9b1a4c6d8e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c"
	podUID      = "1b0f7d3a-6c1e-4b7d-9f5a-0c2e4a6b8d0f"
	wallOffset  = int64(1_700_000_000_000_000_000)
)

var (
	observed = time.Unix(1_700_000_100, 0)
	host     = Host{ID: "host-1", Name: "node-a"}

	podInfo = &container.Info{
		State: container.Container, Path: "/kubepods/burstable/pod" + podUID + "/" + containerID,
		Ref: container.Ref{ContainerID: containerID, PodUID: podUID, Runtime: container.RuntimeContainerd},
		Names: container.Names{
			Name: "web", K8sContainerName: "web", PodName: "shop-1", PodNamespace: "prod",
			Image: "registry.example/shop", ImageTag: "1.2", PrivilegedKnown: true,
		},
	}
	dockerInfo = &container.Info{
		State: container.Container, Path: "/docker/" + containerID,
		Ref:   container.Ref{ContainerID: containerID, Runtime: container.RuntimeDocker},
		Names: container.Names{Name: "db"},
	}
	unitInfo = &container.Info{
		State: container.Host, Path: "/system.slice/nginx.service", Ref: container.Ref{SystemdUnit: "nginx.service"},
	}
	rootInfo = &container.Info{State: container.Host, Path: "/"}

	keySelf = process.Key{TGID: 4242, Start: 77_000_000_000}
	keySh   = process.Key{TGID: 4000, Start: 70_000_000_000}
	keyInit = process.Key{TGID: 1, Start: 1}

	processSh = &process.Process{
		Key: keySh, Parent: keyInit, Name: "sh", Path: "/bin/sh",
		Args: []string{"sh", "-c", "tool --password hunter2"},
	}
	processInit = &process.Process{Key: keyInit, Name: "init", Path: "/sbin/init"}
	processTool = &process.Process{
		Key: keySelf, Parent: keySh, Name: "tool", Path: "/usr/bin/tool",
		Args: []string{"tool", "--password", "hunter2", "x"},
	}
)

// base is an event of processTool.
func base(typ event.Type) *event.Event {
	return &event.Event{
		Header: event.Header{Type: typ, Time: 80_000_000_000, Key: keySelf, TID: keySelf.TGID},
		Task: event.Task{
			UID: 1000, GID: 1000, EUID: 1000, EGID: 1000, LoginUID: event.NoID, Session: event.NoID,
			VPID: keySelf.TGID, VTID: keySelf.TGID, PGID: 4000, Parent: keySh, Comm: []byte("tool"),
		},
	}
}

// calls makes a system call event; args are in the order of the table.
func calls(t *testing.T, name string, ret int64, args ...event.Arg) *event.Event {
	t.Helper()
	row, ok := syscalls.Index(name)
	require.True(t, ok, name)
	require.Len(t, args, len(syscalls.Table[row].Args), name)
	ev := base(event.TypeSyscall)
	ev.Syscall = event.Syscall{Index: uint16(row), NumArgs: len(args), Return: ret}
	copy(ev.Syscall.Args[:], args)
	return ev
}

func num(n int64) event.Arg  { return event.Arg{Number: uint64(n)} }
func str(s string) event.Arg { return event.Arg{Bytes: []byte(s), Number: 0x7fff1000} }
func cwdFD() event.Arg       { return num(unix.AT_FDCWD) }
func ip4(s ...byte) [16]byte { return [16]byte{s[0], s[1], s[2], s[3]} }
func dir(p string) event.Arg { return event.Arg{Number: 7, Path: []byte(p)} }
func peer4(port uint16, a ...byte) event.Arg {
	return event.Arg{Socket: event.Socket{Family: unix.AF_INET, PeerPort: port, PeerAddr: ip4(a...)}}
}

func activity(ev *event.Event, cgroup *container.Info) *Activity {
	a := &Activity{
		Owner: Owner{Process: processTool, Cgroup: cgroup}, Event: ev,
		User: process.User{Name: "ada"}, Group: process.User{Name: "staff"},
		Ancestors: []*process.Process{processSh, processInit},
	}
	switch ev.Type {
	case event.TypeExec:
		a.Name = schema.EventProcessExec
	case event.TypeExit:
		a.Name = schema.EventProcessExit
	default:
		a.Name = SyscallEventName(&ev.Syscall)
	}
	return a
}

// check compares what activities become with a golden file.
func check(t *testing.T, name string, activities ...*Activity) {
	t.Helper()
	l := NewLogs(host, "1.0")
	for _, a := range activities {
		l.Append(a, wallOffset, observed)
	}
	require.Equal(t, len(activities), l.Len())
	got := l.Take()
	require.Zero(t, l.Len())
	file := filepath.Join("testdata", name+".yaml")
	if *update {
		require.NoError(t, golden.WriteLogsToFile(file, got))
	}
	want, err := golden.ReadLogs(file)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(want, got))
}

func TestExecRecords(t *testing.T) {
	exec := base(event.TypeExec)
	exec.Exec = event.Exec{
		Path: []byte("/usr/bin/tool"), Cwd: []byte("/home/ada"), Args: []byte("tool\x00--password\x00hunter2\x00x\x00"),
		File: event.File{Inode: 99, Device: 8<<20 | 1, Mode: unix.S_IFREG | 0o755},
	}
	login := base(event.TypeExec)
	login.Exec = exec.Exec
	login.Exec.File.Flags = event.FileUpper
	login.Exec.PathFlag = event.ArgTruncated
	login.Task.LoginUID, login.Task.Session, login.Task.TTY = 1000, 5, 0x8801
	login.Task.UID, login.Task.EUID, login.Task.VPID = 1000, 0, 17

	plain := activity(exec, rootInfo)
	plain.Redact = true
	inPod := activity(login, podInfo)
	inPod.LoginUser = process.User{Name: "ada"}
	cut := *processTool
	cut.ArgsTruncated = true
	inPod.Process = &cut
	memfd := base(event.TypeExec)
	memfd.Exec.File.Flags = event.FileMemfd
	memfd.Flags = event.FlagSelf
	check(t, "exec", plain, inPod, activity(memfd, unitInfo))
}

func TestExitRecords(t *testing.T) {
	code, signal := base(event.TypeExit), base(event.TypeExit)
	code.Exit.Code = 3
	signal.Exit = event.Exit{Signal: 9}
	check(t, "exit", activity(code, rootInfo), activity(signal, dockerInfo))
}

func TestOpenRecords(t *testing.T) {
	file := event.Arg{
		Path: []byte("/private/etc/passwd"),
		File: event.File{Inode: 123, Device: 8<<20 | 2, Mode: unix.S_IFREG | 0o644, Flags: event.FileLower},
	}
	absolute := calls(t, "openat", 3, cwdFD(), str("/etc//x/../passwd"), num(unix.O_RDONLY), num(0o777))
	absolute.Syscall.Result = file

	relative := calls(t, "openat", 4, cwdFD(), str("../passwd"), num(unix.O_WRONLY|unix.O_CREAT), num(0o640))
	relative.Syscall.Cwd = []byte("/etc/ssh")
	relative.Syscall.Result = file
	relative.Syscall.Result.File.Flags = event.FileUpper | event.FileCreated

	below := calls(t, "openat", -2, dir("/srv/data"), str("a/./b"), num(0), num(0))
	below.Flags = event.FlagSelf
	below.TID, below.Task.VTID = 4250, 4250

	how := calls(t, "openat2", 5, cwdFD(), str("/tmp/x"), event.Arg{Words: [6]uint64{unix.O_CREAT, 0o600, unix.RESOLVE_BENEATH}}, num(24))
	how.Syscall.Args[1].Flags = event.ArgTruncated | event.ArgLate
	creat := calls(t, "creat", -13, str("/tmp/y"), num(0o755))
	compat := calls(t, "open", 3, str("/etc/shadow"), num(0), num(0))
	compat.Syscall.ABI = event.ABI32
	compat.Syscall.Result.File.Flags = event.FileMemfd
	compat.Syscall.Result.File.Inode = 1
	unreadable := calls(t, "open", -14, event.Arg{Flags: event.ArgUnreadable}, num(0), num(0))

	withArgs := activity(absolute, rootInfo)
	withArgs.Arguments = true
	howArgs := activity(how, rootInfo)
	howArgs.Arguments = true
	null := activity(unreadable, rootInfo)
	null.Arguments = true
	full := activity(relative, podInfo)
	full.Full = true
	check(t, "open", withArgs, full, activity(below, rootInfo), howArgs, activity(how, rootInfo),
		activity(creat, rootInfo), activity(compat, rootInfo), null)
}

func TestChangeRecords(t *testing.T) {
	rename := calls(t, "renameat2", 0, dir("/srv/a"), str("old"), cwdFD(), str("new"), num(1))
	rename.Syscall.Cwd = []byte("/work")
	symlink := calls(t, "symlinkat", 0, str("../target"), dir("/srv"), str("link"))
	fchmod := calls(t, "fchmod", 0, event.Arg{Number: 3, Path: []byte("/bin/su"), File: event.File{Inode: 5, Mode: unix.S_IFREG}}, num(0o4755))
	chdir := calls(t, "chdir", 0, str("sub"))
	chdir.Syscall.Cwd, chdir.Syscall.Result.Path = []byte("/work"), []byte("/mnt/sub")
	detached := calls(t, "mkdirat", 0, event.Arg{Number: 9, Path: []byte("gone/dir"), Flags: event.ArgDetached}, str("x"), num(0o700))
	check(t, "change",
		activity(rename, rootInfo), activity(symlink, rootInfo), activity(fchmod, unitInfo),
		activity(calls(t, "unlinkat", 0, cwdFD(), str("/tmp/d"), num(unix.AT_REMOVEDIR)), rootInfo),
		activity(calls(t, "unlink", -1, str("/etc/passwd")), rootInfo),
		activity(chdir, rootInfo), activity(detached, rootInfo),
	)
}

func TestNetworkRecords(t *testing.T) {
	tcp := event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: unix.IPPROTO_TCP, NetNS: 42, LocalPort: 5555, LocalAddr: ip4(10, 0, 0, 1)}
	connect := calls(t, "connect", 0, event.Arg{Number: 5, Socket: tcp}, peer4(443, 93, 184, 216, 34), num(16))
	connect.Syscall.Enter = connect.Time - 1500
	pending := calls(t, "connect", -int64(unix.EINPROGRESS), event.Arg{Number: 5, Socket: tcp}, peer4(443, 93, 184, 216, 34), num(16))

	mapped := event.Socket{Family: unix.AF_INET6, Type: unix.SOCK_STREAM, LocalPort: 80, PeerPort: 6000}
	mapped.LocalAddr = [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}
	mapped.PeerAddr = mapped.LocalAddr
	accept := calls(t, "accept4", 6, event.Arg{Number: 4}, event.Arg{}, num(0), num(0))
	accept.Syscall.Result.Socket = mapped

	six := event.Socket{Family: unix.AF_INET6, Type: unix.SOCK_DGRAM, Protocol: unix.IPPROTO_UDP}
	bind := calls(t, "bind", 0, event.Arg{Number: 3, Socket: six},
		event.Arg{Socket: event.Socket{Family: unix.AF_INET6, LocalPort: 53, LocalAddr: [16]byte{15: 1}}}, num(28))
	listen := calls(t, "listen", 0, event.Arg{Number: 3, Socket: event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, LocalPort: 8080}}, num(128))
	local := calls(t, "connect", -2, event.Arg{Number: 5, Socket: event.Socket{Family: unix.AF_UNIX, Type: unix.SOCK_STREAM}},
		event.Arg{Socket: event.Socket{Family: unix.AF_UNIX, PeerPath: []byte("/run/x.sock")}}, num(20))
	abstract := calls(t, "connect", 0, event.Arg{Number: 5, Socket: event.Socket{Family: unix.AF_UNIX, PeerPath: []byte("\x00abc")}}, event.Arg{}, num(20))
	check(t, "network",
		activity(connect, dockerInfo), activity(pending, dockerInfo), activity(accept, unitInfo), activity(bind, rootInfo),
		activity(listen, rootInfo), activity(local, rootInfo), activity(abstract, rootInfo),
		activity(calls(t, "socket", 3, num(unix.AF_NETLINK), num(unix.SOCK_RAW), num(0)), rootInfo))
}

func TestOtherCalls(t *testing.T) {
	var out []*Activity
	for _, ev := range []*event.Event{
		calls(t, "setresuid", 0, num(0), num(0), num(0xffffffff)),
		calls(t, "ptrace", 0, num(16), num(4000), num(0), num(0)),
		calls(t, "kill", 0, num(-1), num(15)),
		calls(t, "mount", -1, str("/dev/sda1"), str("/mnt"), str("ext4"), num(unix.MS_RDONLY), num(0xdead)),
		calls(t, "setns", 0, event.Arg{Number: 8, Path: []byte("mnt:[4026531841]"), Flags: event.ArgDetached}, num(unix.CLONE_NEWNS)),
		calls(t, "execve", -2, str("/bin/none"), event.Arg{Bytes: []byte("none\x00-v\x00")}, num(1)),
	} {
		a := activity(ev, rootInfo)
		a.Arguments = true
		out = append(out, a)
	}
	check(t, "syscall", out...)
}
