//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/critical"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// maxAskedAncestors bounds the search for a process that still lives.
const maxAskedAncestors = 8

// enricher knows processes, containers and users. Its look-ups may be used by
// any goroutine.
type enricher struct {
	processes *process.Table
	cgroups   *container.Resolver
	users     *process.Users
	critical  *critical.Files
	named     *namer     // the activity stage's
	pipes     *pipes     // too
	loads     *downloads // too
	twins     *twins     // too
}

func newEnricher(cfg *Config) *enricher {
	proc := process.ProcDir(cfg.RootPath)
	e := &enricher{
		processes: process.New(process.Options{Proc: proc, Max: cfg.MaxProcesses}),
		cgroups:   container.NewResolver(container.Options{Root: cfg.RootPath, Proc: proc}),
		users:     process.NewUsers(cfg.RootPath, proc),
		critical:  critical.New(cfg.RootPath),
	}
	e.named, e.pipes = newNamer(e, proc), newPipes(proc)
	e.loads, e.twins = newDownloads(proc), newTwins(proc, "/proc/self/exe")
	return e
}

// cgroup is the control group that a task was in.
func (e *enricher) cgroup(ev *event.Event) *container.Info {
	id := container.CgroupID{Hierarchy: ev.Task.CgroupHierarchy, ID: ev.Task.CgroupID}
	return e.cgroups.Lookup(id, ev.Key.TGID)
}

// owner is who an actor belongs to.
func (e *enricher) owner(by translate.Actor) translate.Owner {
	p, _ := e.processes.Lookup(by.Process)
	return translate.Owner{Process: p, Cgroup: e.cgroups.Lookup(container.CgroupID{Hierarchy: by.CgroupHierarchy, ID: by.CgroupID}, by.Process.TGID)}
}

// ownerOf is who a process belongs to, wherever it is now.
func (e *enricher) ownerOf(k event.ProcessKey) translate.Owner {
	p, _ := e.processes.Lookup(k)
	var id container.CgroupID
	if p != nil {
		id = p.Cgroup
	}
	return translate.Owner{Process: p, Cgroup: e.cgroups.Lookup(id, k.TGID)}
}

// unmask gives a critical file of the host that was opened by another path, a
// hard link or a mount, its own; and one that is written in a directory of the
// host, the path below that.
func (e *enricher) unmask(opened *event.Arg) {
	name := e.critical.Name(&opened.File, opened.Path)
	if name == nil && opened.Flags&event.ArgDetached == 0 {
		name = e.critical.Written(&opened.File, opened.Path)
	}
	if name != nil {
		opened.Path, opened.Flags = name, opened.Flags&^event.ArgTruncated
	}
}

// name adds the names of users to an activity.
func (e *enricher) name(a *translate.Activity) {
	task, tgid := &a.Event.Task, a.Event.Key.TGID
	var ns uint32 // the host's files
	if a.Cgroup.State == container.Container {
		ns = task.MountNS
	}
	if ns != 0 {
		tgid = e.asked(ns, a.Event.Key)
	}
	a.User = e.user(ns, tgid, task.EUID)
	if task.LoginUID != event.NoID {
		a.LoginUser = e.user(0, tgid, task.LoginUID) // logins are the host's
	}
	a.Group.Name, _ = e.users.Group(ns, tgid, task.EGID)
}

// asked is the process whose files name the users of a mount namespace: the
// acting one or, when that has ended, the nearest ancestor that lives there.
func (e *enricher) asked(ns uint32, actor process.Key) uint32 {
	p, ok := e.processes.Lookup(actor)
	for n := 1; ok && p.MountNS == ns && n <= maxAskedAncestors; n++ {
		if p.Alive() {
			return p.Key.TGID
		}
		p, ok = e.processes.Ancestor(actor, n)
	}
	return actor.TGID
}

func (e *enricher) user(ns, tgid, uid uint32) process.User {
	u, ok := e.users.Lookup(ns, tgid, uid)
	if !ok && uid == 0 {
		u.Name = "root" // in images without a passwd file too
	}
	return u
}

// checkRoot refuses a root_path that leads nowhere: all would work but names.
func checkRoot(root string) error {
	var st unix.Stat_t
	err := unix.Stat(root, &st)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err != nil {
		return fmt.Errorf("ebpf receiver: root_path: %s: %w: mount the host's root there, or leave the key out on the host itself", root, err)
	}
	return nil
}

// readHost reads who this machine is. host.id is systemd's machine id, else
// that of this boot.
func readHost(root string) translate.Host {
	var h translate.Host
	for _, file := range []string{"etc/machine-id", "var/lib/dbus/machine-id"} {
		if raw, err := os.ReadFile(filepath.Join(root, file)); err == nil {
			if h.ID = strings.TrimSpace(string(raw)); h.ID != "" {
				break
			}
		}
	}
	if h.ID == "" {
		if raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
			h.ID = strings.TrimSpace(string(raw))
		}
	}
	h.Name = hostName(root)
	return h
}

// hostName is the machine's name: in a pod the agent's own is the pod's, so the
// host's file is asked first.
func hostName(root string) string {
	if filepath.Clean(root) != "/" {
		if raw, err := os.ReadFile(filepath.Join(root, "etc/hostname")); err == nil {
			if name := strings.TrimSpace(string(raw)); name != "" {
				return name
			}
		}
	}
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Nodename[:])
}
