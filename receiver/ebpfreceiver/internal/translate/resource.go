package translate

import (
	"path"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// Host is what every resource says about the machine. Empty fields are left
// out.
type Host struct {
	ID, Name string
}

// Owner is who something is told about: a process and the cgroup that it was
// in. Process may be nil and Cgroup is never.
type Owner struct {
	Process *process.Process
	Cgroup  *container.Info
	// Instrumented says that the process makes spans of its own.
	Instrumented bool
}

// resourceKey tells resources of one batch apart.
type resourceKey struct {
	cgroup     *container.Info
	service    process.Service
	executable string // only where it names the service
}

func (o Owner) key() resourceKey {
	k := resourceKey{cgroup: o.Cgroup}
	if o.Process != nil {
		k.service = o.Process.Service
	}
	if k.service.Name == "" && namedByExecutable(o.Cgroup) {
		// Host processes share one resource per executable, whatever their
		// cgroup says beyond the unit.
		k.executable = o.executable()
	}
	return k
}

// ServiceName is the name of the service that the owner belongs to:
// the one that the process states in its environment; for a pod none, since
// k8s_attributes never overwrites a name and knows better; else the
// container's name, the systemd unit's, or the executable's.
func (o Owner) ServiceName() string {
	if o.Process != nil && o.Process.Service.Name != "" {
		return o.Process.Service.Name
	}
	c := o.Cgroup
	switch {
	case c.Ref.PodUID != "":
		return ""
	case c.State == container.Container && c.Names.Name != "":
		return c.Names.Name
	}
	if name := unitName(c.Ref.SystemdUnit); name != "" {
		return name
	}
	return o.executable()
}

// namedByExecutable tells whether the cgroup gives its processes no name.
func namedByExecutable(c *container.Info) bool {
	if c.Ref.PodUID != "" || c.State == container.Container && c.Names.Name != "" {
		return false
	}
	return unitName(c.Ref.SystemdUnit) == ""
}

// unitName is the service's name that a systemd unit gives: "nginx" for
// nginx.service, "postgresql" for postgresql@15-main.service. Sessions, user
// managers and transient units (run-u7.service) give none.
func unitName(unit string) string {
	name, ok := strings.CutSuffix(unit, ".service")
	if !ok {
		return ""
	}
	name, _, template := strings.Cut(name, "@")
	if template && name == "user" {
		return ""
	}
	if id, ok := strings.CutPrefix(name, "run-"); ok && id != "" && strings.ContainsAny(id[1:], "0123456789") {
		return ""
	}
	return name
}

// executable is the name of the program's file, else the process's name. A file
// that is many programs, as busybox is, has the name that it was called by.
func (o Owner) executable() string {
	if o.Process == nil {
		return ""
	}
	if o.Process.Path == "" {
		return o.Process.Name
	}
	file := path.Base(o.Process.Path)
	if called, ok := calledBy(o.Process); ok && !strings.HasPrefix(file, called) {
		return called
	}
	return file
}

// calledBy is the name by which a program was started: where the kernel, which
// keeps 15 bytes of it, and the first argument agree. A script and the
// interpreter that runs it do not.
func calledBy(p *process.Process) (string, bool) {
	if len(p.Args) == 0 || p.Name == "" {
		return "", false
	}
	arg := strings.TrimPrefix(path.Base(p.Args[0]), "-") // of a login shell
	arg, _, _ = strings.Cut(arg, " ")
	if arg == p.Name || len(p.Name) == maxComm && strings.HasPrefix(arg, p.Name) {
		return arg, true
	}
	return "", false
}

// maxComm is the length of the longest name that the kernel keeps.
const maxComm = 15

// fill writes the resource's attributes.
func (h *Host) fill(attrs pcommon.Map, o Owner) {
	attrs.EnsureCapacity(18)
	put(attrs, schema.HostID, h.ID)
	put(attrs, schema.HostName, h.Name)
	put(attrs, schema.ServiceName, o.ServiceName())
	if o.Process != nil {
		put(attrs, schema.ServiceNamespace, o.Process.Service.Namespace)
		put(attrs, schema.ServiceVersion, o.Process.Service.Version)
	}
	c := o.Cgroup
	put(attrs, schema.SystemdUnit, c.Ref.SystemdUnit)
	if c.State == container.Host && namedByExecutable(c) {
		return // one resource for many cgroups
	}
	put(attrs, schema.CgroupPath, c.Path)
	fillContainer(attrs, c)
}

func fillContainer(attrs pcommon.Map, c *container.Info) {
	put(attrs, schema.K8sPodUID, c.Ref.PodUID)
	put(attrs, schema.K8sPodName, c.Names.PodName)
	put(attrs, schema.K8sNamespaceName, c.Names.PodNamespace)
	if c.State != container.Container {
		return
	}
	put(attrs, schema.ContainerID, c.Ref.ContainerID)
	put(attrs, schema.ContainerName, c.Names.Name)
	put(attrs, schema.ContainerRuntime, string(c.Ref.Runtime))
	put(attrs, schema.ContainerImageName, c.Names.Image)
	if c.Names.ImageTag != "" {
		attrs.PutEmptySlice(schema.ContainerImageTags).AppendEmpty().SetStr(valid(c.Names.ImageTag))
	}
	put(attrs, schema.K8sContainerName, c.Names.K8sContainerName)
	if c.Names.PrivilegedKnown {
		attrs.PutBool(schema.ContainerPrivileged, c.Names.Privileged)
	}
}

// shares writes what a container has of the host.
func shares(attrs pcommon.Map, c *container.Info) {
	if c.State != container.Container {
		return
	}
	n := &c.Names
	if !n.PrivilegedKnown {
		putList(attrs, schema.ContainerMounts, n.Mounts)
		return
	}
	attrs.PutBool(schema.ContainerHostPID, n.Shares.PID)
	attrs.PutBool(schema.ContainerHostNetwork, n.Shares.Network)
	attrs.PutBool(schema.ContainerHostIPC, n.Shares.IPC)
	// That nothing is mounted is known too, and something else than not known.
	putTexts(attrs, schema.ContainerMounts, n.Mounts)
}

// put sets an attribute that has a value.
func put(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, valid(value))
	}
}
