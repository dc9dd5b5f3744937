package doctor

import (
	"io/fs"
	"strings"
)

// The inodes that the kernel gives to its first namespaces (linux/proc_ns.h).
const (
	initialPIDNamespace    = "pid:[4026531836]"
	initialCgroupNamespace = "cgroup:[4026531835]"
)

func (h Host) pidNamespace() Check {
	c := Check{Name: "processes", Status: OK, Found: "all of the host are visible"}
	link, err := fs.ReadLink(h.Root, "proc/self/ns/pid")
	switch {
	case err != nil:
		c.Status, c.Found = Info, "the namespace of processes cannot be read"
	case link != initialPIDNamespace:
		c.Status, c.Found = Warn, "inside a namespace of processes"
		c.Missing = "details of processes that started before the agent; names of services outside its container"
		c.Remedy = "share the host's: hostPID: true (Kubernetes), --pid=host (Docker, podman)"
	}
	return c
}

// cgroups are what containers are told apart by.
func (h Host) cgroups() Check {
	c := Check{Name: "cgroups", Status: OK}
	mounts, ok := h.read("proc/self/mounts")
	if !ok {
		c.Status, c.Found = Info, "cannot be read from /proc/self/mounts"
		return c
	}
	v1, v2 := cgroupMounts(mounts)
	switch {
	case len(v2) == 0 && len(v1) == 0:
		c.Status, c.Found = Warn, "not mounted"
		c.Missing, c.Remedy = "containers and pods", "mount the host's /sys/fs/cgroup"
		return c
	case len(v1) == 0:
		c.Found = "version 2 at " + v2[0]
	case len(v2) == 0:
		c.Found = "version 1 at " + v1[0]
	default:
		c.Found = "both versions: 2 at " + v2[0] + ", 1 at " + v1[0]
	}
	if link, err := fs.ReadLink(h.Root, "proc/self/ns/cgroup"); err == nil && link != initialCgroupNamespace {
		c.Status = Warn
		c.Found += ", of this container only"
		c.Missing = "containers and pods beside this one"
		c.Remedy = "share the host's: --cgroupns=host (Docker, podman), or mount the host's /sys/fs/cgroup"
	}
	return c
}

// cgroupMounts returns where the hierarchies of both versions are mounted.
func cgroupMounts(mounts string) (v1, v2 []string) {
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		switch fields[2] {
		case "cgroup":
			v1 = append(v1, fields[1])
		case "cgroup2":
			v2 = append(v2, fields[1])
		}
	}
	return v1, v2
}
