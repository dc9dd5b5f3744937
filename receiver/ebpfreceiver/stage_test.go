//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

func attrs(key, value string) attribute.Set { return attribute.NewSet(attribute.String(key, value)) }

func ignoreTime() metricdatatest.Option { return metricdatatest.IgnoreTimestamp() }

// sys is a call with arguments that have addresses.
func sys(t *testing.T, name string, ret int64, args ...event.Arg) *event.Event {
	t.Helper()
	row, ok := syscalls.Index(name)
	require.True(t, ok)
	e := ev(event.TypeSyscall, keyTool, "tool")
	e.Syscall = event.Syscall{Index: uint16(row), NumArgs: len(args), Return: ret}
	copy(e.Syscall.Args[:], args)
	return e
}

func sockaddr(family, port uint16) event.Arg {
	return event.Arg{Socket: event.Socket{Family: family, LocalPort: port}}
}

func TestWhatIsToldByDefault(t *testing.T) {
	w := newWanted(interest.Wanted{Set: interest.DefaultKeep()})
	udp := event.Arg{Socket: event.Socket{Family: unix.AF_INET, Type: unix.SOCK_DGRAM}}
	tcp := event.Arg{Socket: event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM}}
	on := &ActivityConfig{Exits: true}
	command, forked, seeded := &process.Process{Executed: 1}, &process.Process{}, &process.Process{Seeded: true}
	self := sys(t, "listen", 0, tcp, event.Arg{})
	self.Flags = event.FlagSelf
	for _, tt := range []struct {
		name string
		ev   *event.Event
		p    *process.Process
		cfg  *ActivityConfig
		want string
	}{
		{"a command", ev(event.TypeExec, keyTool, ""), command, on, ""},
		{"its end", ev(event.TypeExit, keyTool, ""), command, on, ""},
		{"the end of an old process", ev(event.TypeExit, keyTool, ""), seeded, on, ""},
		{"the end of a mere fork", ev(event.TypeExit, keyTool, ""), forked, on, reasonUnwanted},
		{"ends switched off", ev(event.TypeExit, keyTool, ""), command, &ActivityConfig{}, reasonUnwanted},
		{"a fork", ev(event.TypeFork, keyTool, ""), forked, on, reasonUnwanted},
		{"a server", sys(t, "listen", 0, tcp, event.Arg{}), command, on, ""},
		{"a server that failed", sys(t, "listen", -98, tcp, event.Arg{}), command, on, reasonUnwanted},
		{"the agent's server", self, command, on, reasonSelf},
		{"a datagram server", sys(t, "bind", 0, udp, sockaddr(unix.AF_INET6, 53), event.Arg{}), command, on, ""},
		{"a bind before a listen", sys(t, "bind", 0, tcp, sockaddr(unix.AF_INET, 80), event.Arg{}), command, on, reasonUnwanted},
		{"a datagram client", sys(t, "bind", 0, udp, sockaddr(unix.AF_INET, 0), event.Arg{}), command, on, reasonUnwanted},
		{"a netlink bind", sys(t, "bind", 0, event.Arg{}, sockaddr(unix.AF_NETLINK, 1), event.Arg{}), command, on, reasonUnwanted},
		{"an open", sys(t, "openat", 3, event.Arg{}, event.Arg{}, event.Arg{}, event.Arg{}), command, on, reasonUnwanted},
	} {
		require.Equal(t, tt.want, w.refuses(tt.ev, tt.p, tt.cfg), tt.name)
	}
}

func TestWhatPoliciesGet(t *testing.T) {
	w := newWanted(interest.Wanted{Set: interest.Names("openat", interest.ProcessExit), Registered: true})
	failed := sys(t, "openat", -2, event.Arg{}, event.Arg{}, event.Arg{}, event.Arg{})
	failed.Flags = event.FlagSelf
	require.Empty(t, w.refuses(failed, nil, &ActivityConfig{}))
	require.Empty(t, w.refuses(ev(event.TypeExit, keyTool, ""), &process.Process{}, &ActivityConfig{}))
	require.Equal(t, reasonUnwanted, w.refuses(sys(t, "listen", 0, event.Arg{}, event.Arg{}), nil, &ActivityConfig{}))
	w = newWanted(interest.Wanted{Set: interest.Names("openat"), Registered: true})
	require.Equal(t, reasonUnwanted, w.refuses(ev(event.TypeExit, keyTool, ""), &process.Process{Executed: 1}, &ActivityConfig{Exits: true}))
}

// groups are control groups by id.
type groups map[uint64]*container.Info

func (g groups) lookup(id container.CgroupID) *container.Info {
	if c, ok := g[id.ID]; ok {
		return c
	}
	return &container.Info{}
}

func inContainer(id string) *container.Info {
	return &container.Info{State: container.Container, Path: "/docker/" + id, Ref: container.Ref{ContainerID: id}}
}

func TestLoginsBySession(t *testing.T) {
	host := &container.Info{State: container.Host, Path: "/"}
	l := newLogins(groups{}.lookup)
	sshd := []*process.Process{{Name: "sshd-session"}}
	exec := func(k event.ProcessKey, session, before, tty uint32, above []*process.Process) bool {
		e := ev(event.TypeExec, k, "bash")
		e.Task.Session, e.Task.TTY = session, tty
		return l.starts(e, process.Change{Process: &process.Process{}, Before: &process.Process{ExecSession: before}}, host, above)
	}
	require.True(t, exec(keySh, 5, event.NoID, 0, sshd), "ssh")
	require.True(t, exec(keyTool, 6, event.NoID, 0x8801, nil), "a terminal")
	require.False(t, exec(keyTool, 6, 6, 0x8801, nil), "within the session")
	require.False(t, exec(keyTool, event.NoID, 6, 0x8801, nil), "no session")
	require.False(t, exec(keyTool, 7, event.NoID, 0, []*process.Process{{Name: "cron"}}), "a scheduled job")
	e := ev(event.TypeExec, keyTool, "bash")
	require.False(t, l.starts(e, process.Change{Process: &process.Process{}}, host, nil), "nothing known before")

	require.True(t, l.ends(keySh))
	require.False(t, l.ends(keySh), "once")
	require.False(t, l.ends(keyInit))
}

func TestLoginsIntoContainers(t *testing.T) {
	host, web, db := &container.Info{State: container.Host, Path: "/"}, inContainer("web"), inContainer("db")
	pause := inContainer("pause")
	pause.Names.Sandbox = true
	l := newLogins(groups{1: host, 2: web, 3: db, 4: pause}.lookup)
	exec := func(from uint64, into *container.Info, vpid uint32) bool {
		e := ev(event.TypeExec, keyTool, "sh")
		e.Task.VPID = vpid
		before := &process.Process{ExecSession: event.NoID, ExecCgroup: container.CgroupID{ID: from}}
		return l.starts(e, process.Change{Process: &process.Process{}, Before: before}, into, nil)
	}
	require.False(t, exec(1, web, 8), "the container's own first program, in the host's pid namespace")
	require.True(t, exec(1, web, 9), "kubectl exec")
	require.False(t, exec(2, web, 10), "what it runs")
	require.False(t, exec(1, db, 1), "another container begins")
	require.False(t, exec(1, db, 1), "its init again")
	require.True(t, exec(2, db, 20), "from one container into another")
	require.False(t, exec(99, db, 21), "from nobody knows where")
	l.running(pause)
	require.False(t, exec(1, pause, 30))
	old := inContainer("old")
	l.running(old)
	require.True(t, exec(1, old, 40), "into a container older than the agent")
	l.running(host)
}

func TestLoginsAreBounded(t *testing.T) {
	l := newLogins(groups{}.lookup)
	for i := range uint32(2*maxLogins + 1) {
		k := event.ProcessKey{TGID: i}
		e := ev(event.TypeExec, k, "bash")
		e.Task.Session, e.Task.TTY = i, 1
		l.starts(e, process.Change{Process: &process.Process{}, Before: &process.Process{ExecSession: event.NoID}}, &container.Info{}, nil)
		l.begun(string(rune(i)))
	}
	require.LessOrEqual(t, len(l.open), maxLogins)
	require.LessOrEqual(t, len(l.containers), maxLogins)
}

// With a processor that does not ask for exits they are no records; the end of a
// session still is one.
func TestExitsThatNobodyWants(t *testing.T) {
	b := newBench(t, nil)
	defer b.registry.Register("test", interest.Names("listen")).Release()
	b.start(t)
	login := ev(event.TypeExec, keySh, "bash")
	login.Task.Session, login.Task.TTY = 5, 0x8801
	b.write(
		execOf(keySh, "login", "/bin/login", "login"), at(login).exec("/bin/bash", "bash"),
		execOf(keyTool, "tool", "/usr/bin/tool", "tool"),
		at(ev(event.TypeExit, keyTool, "tool")).exit(), at(ev(event.TypeExit, keySh, "bash")).exit(),
	)
	var names []string
	for _, r := range b.records(t, 5) {
		names = append(names, r.rec.EventName())
	}
	require.ElementsMatch(t, []string{
		schema.EventProcessExec, schema.EventProcessExec, schema.EventLoginStart, schema.EventProcessExec, schema.EventLoginEnd,
	}, names)
	require.EqualValues(t, 1, b.running.activity.unwanted.Load())
}

// What is known of processes is known up to now when nothing waits in the ring,
// and else up to what the stage has told.
func TestHandledUntil(t *testing.T) {
	clock := new(bpf.Clock)
	clock.Refresh()
	pending := 0
	s := &activityStage{clock: clock, pending: func() int { return pending }}
	require.Zero(t, s.handled(), "not seeded")
	s.drained.Store(1)
	before := uint64(time.Now().UnixNano()-clock.Offset()) - uint64(settleTime)
	now := s.handled()
	require.GreaterOrEqual(t, now, before)
	pending = 8
	require.EqualValues(t, 1, s.handled())
	pending = 0
	s.drained.Store(^uint64(0))
	require.Equal(t, ^uint64(0), s.handled(), "never back")
}
