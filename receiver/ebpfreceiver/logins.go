//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"strings"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
)

// maxLogins bounds the sessions that are followed, and the containers whose
// first program was seen.
const maxLogins = 4096

// logins finds the beginning and the end of sessions: an exec in another audit
// session than the program before it (ssh, a terminal), or inside a container
// that the process has entered from outside (kubectl exec, ctr task exec).
// Used by one goroutine.
type logins struct {
	open       map[process.Key]struct{}
	containers map[string]struct{} // whose own first program has run
	cgroup     func(container.CgroupID) *container.Info
}

func newLogins(cgroup func(container.CgroupID) *container.Info) *logins {
	return &logins{
		open:       make(map[process.Key]struct{}),
		containers: make(map[string]struct{}),
		cgroup:     cgroup,
	}
}

// running tells of a process that was there before: its container has begun.
func (l *logins) running(c *container.Info) {
	if c.State == container.Container {
		l.begun(c.Ref.ContainerID)
	}
}

// begun notes a container; it reports whether that was known.
func (l *logins) begun(id string) bool {
	if _, ok := l.containers[id]; ok {
		return true
	}
	if len(l.containers) >= maxLogins {
		clear(l.containers)
	}
	l.containers[id] = struct{}{}
	return false
}

// starts reports whether an exec begins a session.
func (l *logins) starts(ev *event.Event, change process.Change, c *container.Info, ancestors []*process.Process) bool {
	known := c.State != container.Container || l.begun(c.Ref.ContainerID)
	if change.Before == nil {
		return false
	}
	entered := known && l.entered(ev, change.Before, c)
	if !entered && !sessionBegins(ev, change.Before, ancestors) {
		return false
	}
	if len(l.open) >= maxLogins {
		clear(l.open) // their ends will not be told
	}
	l.open[ev.Key] = struct{}{}
	return true
}

// entered tells whether the process came into a container that has begun
// before, and is not that container's first one.
func (l *logins) entered(ev *event.Event, before *process.Process, c *container.Info) bool {
	if c.State != container.Container || c.Names.Sandbox || ev.Task.VPID == 1 {
		return false
	}
	from := l.cgroup(before.ExecCgroup)
	return from.State == container.Host || from.State == container.Container && from.Ref.ContainerID != c.Ref.ContainerID
}

// sessionBegins tells whether somebody has logged in. Scheduled jobs get an
// audit session too: what has neither a terminal nor sshd above it is none.
func sessionBegins(ev *event.Event, before *process.Process, ancestors []*process.Process) bool {
	if ev.Task.Session == event.NoID || ev.Task.Session == before.ExecSession {
		return false
	}
	if ev.Task.TTY != 0 {
		return true
	}
	for _, a := range ancestors {
		if strings.HasPrefix(a.Name, "sshd") {
			return true
		}
	}
	return false
}

// ends reports whether the end of a process ends a session.
func (l *logins) ends(k process.Key) bool {
	_, ok := l.open[k]
	delete(l.open, k)
	return ok
}
