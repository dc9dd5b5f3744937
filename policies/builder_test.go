package policies_test

import (
	"net/netip"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
)

// activity is one record as the receiver writes it when there is no process
// table to ask: with everything that is known about the process.
type activity struct {
	event     string
	container string // empty: on the host
	namespace string // empty: in no pod
	attrs     map[string]any
}

// fact changes an activity.
type fact func(a *activity)

const (
	root    = 0
	someone = 1000
	noTTY   = 0
	pts0    = 136 << 8
)

func happened(event string, facts []fact) activity {
	a := activity{event: event, attrs: map[string]any{
		schema.ProcessPID:      int64(4242),
		schema.ProcessUserID:   int64(root),
		schema.ProcessUserName: "root",
	}}
	for _, f := range facts {
		f(&a)
	}
	return a
}

func attr(name string, value any) fact { return func(a *activity) { a.attrs[name] = value } }

// by makes the program with this command line the acting one, with its file
// where packages install it.
func by(commandLine string) fact {
	return func(a *activity) {
		args := strings.Split(commandLine, " ")
		list := make([]any, len(args))
		for i := range args {
			list[i] = args[i]
		}
		a.attrs[schema.ProcessCommandArgs] = list
		file := args[0]
		if !strings.Contains(file, "/") {
			file = "/usr/bin/" + file
		}
		a.attrs[schema.ProcessPath] = file
		a.attrs[schema.ProcessName] = comm(path.Base(file))
	}
}

// comm is a name as the kernel cuts it.
func comm(name string) string { return name[:min(len(name), 15)] }

func file(path string) fact { return attr(schema.ProcessPath, path) }

func named(name string) fact { return attr(schema.ProcessName, comm(name)) }

// below names the ancestors, the parent first.
func below(names ...string) fact {
	return func(a *activity) {
		list := make([]any, len(names))
		for i := range names {
			list[i] = comm(names[i])
		}
		a.attrs[schema.ProcessAncestors] = list
		a.attrs[schema.ProcessParentName] = list[0]
	}
}

// runcInit is how a container's process looks before its own program runs.
var runcInit = below("runc:[2:INIT]", "containerd-shim", "systemd")

// underLock is a child of visudo.
func underLock(a *activity) {
	below("visudo", "bash")(a)
	a.attrs[schema.ProcessParentPath] = "/usr/sbin/visudo"
}

func parentCommand(line string) fact { return attr(schema.ProcessParentCommand, line) }

// in puts the process into a container.
func in(image string) fact { return func(a *activity) { a.container = image } }

// pod puts the process into a container of a pod.
func pod(namespace string) fact {
	return func(a *activity) { a.container, a.namespace = "localhost/app", namespace }
}

// privileged is a container that may do everything.
func privileged(a *activity) { a.attrs[schema.ContainerPrivileged] = true }

// sharesHostPIDs is a container without process ids of its own, and what runc was
// told to do with it.
func sharesHostPIDs(command string) fact {
	return func(a *activity) {
		a.attrs[schema.ContainerHostPID] = true
		a.attrs[schema.ProcessVPID] = int64(4242)
		a.attrs[schema.ProcessParentCommand] = "runc --root /run/runc " + command + " --bundle /run/x x"
	}
}

func tty(n int) fact { return attr(schema.ProcessTTY, int64(n)) }

func user(uid int, name string) fact {
	return func(a *activity) {
		a.attrs[schema.ProcessUserID] = int64(uid)
		a.attrs[schema.ProcessUserName] = name
	}
}

func login(uid int) fact { return attr(schema.ProcessLoginUID, int64(uid)) }

func exec(commandLine string, facts ...fact) activity {
	return happened(schema.EventProcessExec, append([]fact{by(commandLine)}, facts...))
}

// execArgs is a program whose arguments contain blanks.
func execArgs(name string, args []string, facts ...fact) activity {
	return exec(name, append([]fact{func(a *activity) {
		list := []any{name}
		for _, arg := range args {
			list = append(list, arg)
		}
		a.attrs[schema.ProcessCommandArgs] = list
	}}, facts...)...)
}

// call is a system call that returned ret.
func call(event, name string, ret int64, facts ...fact) activity {
	return happened(event, append([]fact{
		attr(schema.SyscallName, name), attr(schema.SyscallReturn, ret), by("tool"),
	}, facts...))
}

func arg(name string, value any) fact { return attr(schema.SyscallArgPrefix+name, value) }

// The kernel's bits of open.
const (
	rdonly = 0
	wronly = 1
	creat  = 0o100
	trunc  = 0o1000
)

// open is a successful openat of a path that is no link.
func open(name string, flags int, facts ...fact) activity {
	return call(schema.EventFileOpen, "openat", 3, append([]fact{
		attr(schema.FilePath, name), attr(schema.FileResolvedPath, name), attr(schema.FileDescriptor, int64(3)),
		attr(schema.FileOpenFlags, int64(flags)), attr(schema.FileDescriptorType, "file"),
		arg("dirfd", int64(-100)), arg("name", name), arg("flags", int64(flags)), arg("mode", int64(0)),
	}, facts...)...)
}

// link makes the name that an open was given differ from the file.
func through(link string) fact {
	return func(a *activity) {
		a.attrs[schema.FilePath] = link
		a.attrs[schema.SyscallArgPrefix+"name"] = link
	}
}

// itself is what the agent does.
func itself() fact { return attr(schema.Self, true) }

func failed(errno int64) fact { return attr(schema.SyscallReturn, -errno) }

func unlink(name string, facts ...fact) activity {
	return call(schema.EventFileChange, "unlinkat", 0, append([]fact{
		attr(schema.FilePath, name), arg("dirfd", int64(-100)), arg("name", name), arg("flags", int64(0)),
	}, facts...)...)
}

// made is a directory that was made.
func made(name string, facts ...fact) activity {
	return call(schema.EventFileChange, "mkdirat", 0, append([]fact{
		attr(schema.FilePath, name), attr(schema.FileResolvedPath, name), arg("dirfd", int64(-100)), arg("pathname", name), arg("mode", int64(0o755)),
	}, facts...)...)
}

// modified is that a critical file is not what it was.
func modified(name string, facts ...fact) activity {
	return happened(schema.EventFileModified, append([]fact{
		attr(schema.FilePath, name), attr(schema.FileResolvedPath, name), attr(schema.FileOperation, "open"),
		attr(schema.SyscallName, "openat"), attr(schema.SyscallReturn, int64(3)),
		attr(schema.FileBeforeSize, int64(1)), attr(schema.FileAfterSize, int64(2)),
	}, facts...))
}

// fileMade is that a modified file was not there before.
func fileMade(a *activity) { a.attrs[schema.FileChanges] = []any{"created"} }

// nobody is that no process was seen.
func nobody() fact {
	return func(a *activity) {
		for name := range a.attrs {
			if strings.HasPrefix(name, "process.") || strings.HasPrefix(name, "syscall.") {
				delete(a.attrs, name)
			}
		}
	}
}

func rename(from, to string, facts ...fact) activity {
	return call(schema.EventFileChange, "rename", 0, append([]fact{
		attr(schema.FilePreviousPath, from), attr(schema.FilePath, to), arg("oldpath", from), arg("newpath", to),
	}, facts...)...)
}

func symlink(target, name string, facts ...fact) activity {
	return call(schema.EventFileChange, "symlink", 0, append([]fact{
		attr(schema.FilePath, name), attr(schema.FileSymlinkTarget, target), arg("target", target), arg("linkpath", name),
	}, facts...)...)
}

func hardlink(old, name string, facts ...fact) activity {
	return call(schema.EventFileChange, "link", 0, append([]fact{
		attr(schema.FilePreviousPath, old), attr(schema.FilePath, name), arg("oldpath", old), arg("newpath", name),
	}, facts...)...)
}

func chmod(name string, mode int, facts ...fact) activity {
	return call(schema.EventFileChange, "fchmodat", 0, append([]fact{
		attr(schema.FilePath, name), arg("dirfd", int64(-100)), arg("filename", name), arg("mode", int64(mode)),
	}, facts...)...)
}

// chown gives a file to another owner.
func chown(name string, facts ...fact) activity {
	return call(schema.EventFileChange, "fchownat", 0, append([]fact{
		attr(schema.FilePath, name), arg("dirfd", int64(-100)), arg("pathname", name), arg("uid", int64(someone)), arg("gid", int64(someone)),
	}, facts...)...)
}

// truncate cuts a file that is only named.
func truncate(name string, facts ...fact) activity {
	return call(schema.EventFileChange, "truncate", 0, append([]fact{
		attr(schema.FilePath, name), attr(schema.FileResolvedPath, name), arg("path", name), arg("length", int64(0)),
	}, facts...)...)
}

// connect is a TCP connection to an address and port.
func connect(to string, facts ...fact) activity {
	peer := netip.MustParseAddrPort(to)
	family, local := int64(2), "10.0.0.7"
	if peer.Addr().Is6() {
		family, local = 10, "fd00::7"
	}
	kind := map[int64]string{2: "ipv4", 10: "ipv6"}[family]
	return call(schema.EventNetworkConnect, "connect", 0, append([]fact{
		attr(schema.SocketFamily, family), attr(schema.SocketType, int64(1)), attr(schema.SocketRole, "client"),
		attr(schema.NetworkTransport, "tcp"), attr(schema.NetworkType, kind), attr(schema.FileDescriptorType, kind),
		attr(schema.NetworkLocalAddress, local), attr(schema.NetworkLocalPort, int64(40000)),
		attr(schema.NetworkPeerAddress, peer.Addr().String()), attr(schema.NetworkPeerPort, int64(peer.Port())),
		attr(schema.FileDescriptor, int64(5)), arg("fd", int64(5)),
	}, facts...)...)
}

// duplicate is a copy of a descriptor of a TCP connection.
func duplicate(to int64, facts ...fact) activity {
	a := connect("203.0.113.7:4444", append([]fact{attr("syscall.name", "dup2"), attr("syscall.return_value", to)}, facts...)...)
	a.event = schema.EventSyscall
	return a
}

// connectUnix is a connection to a socket of the file system.
func connectUnix(path string, facts ...fact) activity {
	return call(schema.EventNetworkConnect, "connect", 0, append([]fact{
		attr(schema.SocketFamily, int64(1)), attr(schema.SocketType, int64(1)), attr(schema.SocketRole, "client"),
		attr(schema.NetworkTransport, "unix"), attr(schema.NetworkType, "unix"), attr(schema.FileDescriptorType, "unix"),
		attr(schema.NetworkPeerAddress, path), attr(schema.FileDescriptor, int64(5)), arg("fd", int64(5)),
	}, facts...)...)
}

// mount is a mount of a source that may be a device.
func mount(kind, source, target string, facts ...fact) activity {
	return call(schema.EventSyscall, "mount", 0, append([]fact{
		arg("dev", source), arg("dir", target), arg("type", kind), arg("flags", int64(0)),
	}, facts...)...)
}

// other is a call that has no builder of its own.
func other(name string, facts ...fact) activity { return call(schema.EventSyscall, name, 0, facts...) }

// setuid is a change of the effective user; the record tells the user after it.
func setuid(uid int, facts ...fact) activity {
	return call(schema.EventSyscall, "setuid", 0, append([]fact{
		arg("uid", int64(uid)), attr(schema.ProcessUserID, int64(uid)),
	}, facts...)...)
}

func ptrace(request, pid int64, facts ...fact) activity {
	return call(schema.EventSyscall, "ptrace", 0, append([]fact{arg("request", request), arg("pid", pid)}, facts...)...)
}

// logs puts activities into resources as the receiver does.
func logs(t *testing.T, activities ...activity) plog.Logs {
	t.Helper()
	ld := plog.NewLogs()
	for i, a := range activities {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(schema.HostName, "node")
		if a.container != "" {
			rl.Resource().Attributes().PutStr(schema.ContainerID, strings.Repeat("0123456789abcdef", 4))
			rl.Resource().Attributes().PutStr(schema.ContainerName, "web")
			rl.Resource().Attributes().PutStr(schema.ContainerImageName, a.container)
		}
		if a.namespace != "" {
			rl.Resource().Attributes().PutStr(schema.K8sNamespaceName, a.namespace)
			rl.Resource().Attributes().PutStr(schema.K8sPodName, "app-1")
		}
		rec := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		rec.SetEventName(a.event)
		rec.SetTimestamp(1_700_000_000_000_000_000 + plogTimestamp(i))
		require.NoError(t, rec.Attributes().FromRaw(a.attrs))
	}
	return ld
}
