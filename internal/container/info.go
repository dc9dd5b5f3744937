package container

import "cmp"

// State tells how much is known about a cgroup. "Not resolved yet" and "no
// container" are different answers: the first may change.
type State uint8

const (
	// Unresolved means that no path is known for the cgroup (yet).
	Unresolved State = iota
	// Host means that the path is known and belongs to no container.
	Host
	// Container means that the path belongs to a container.
	Container
)

func (s State) String() string {
	switch s {
	case Host:
		return "host"
	case Container:
		return "container"
	case Unresolved:
	}
	return "unresolved"
}

// CgroupID names a cgroup until it is removed. Each hierarchy counts its ids
// for itself, so an id without its hierarchy means nothing.
type CgroupID struct {
	// Hierarchy is the kernel's number of the hierarchy; 0 is cgroup v2.
	Hierarchy uint32
	// ID is the inode number of the cgroup's directory, all 64 bits.
	ID uint64
}

// Names are what a runtime's state files tell about a container. Every field
// may be empty.
type Names struct {
	Name             string // by the runtime; for Kubernetes the container's name in its pod
	Image            string // reference without tag and digest
	ImageTag         string
	PodName          string
	PodNamespace     string
	K8sContainerName string
	// Sandbox marks the container that only holds a pod's namespaces (pause).
	Sandbox bool
	// Privileged is only meaningful when PrivilegedKnown is set.
	Privileged      bool
	PrivilegedKnown bool
	// Shares is only meaningful when PrivilegedKnown is set.
	Shares Shares
	// Mounts are what is bound into the container, at most maxMounts, each as
	// "source:destination:mode:true|false:propagation". Not to be changed.
	Mounts []string
}

// Shares are the namespaces that a container has in common with the host.
type Shares struct{ PID, Network, IPC bool }

// Info is all that is known about one cgroup. It is immutable: a later look-up
// may return another Info, never change this one.
type Info struct {
	State State
	Path  string // below the hierarchy's root, host view
	Ref   Ref
	Names Names
}

// unresolved is shared by all cgroups without a known path.
var unresolved = &Info{}

// complete tells whether reading the state files again could add anything.
func (i *Info) complete() bool {
	if i.State != Container {
		return true
	}
	if i.Ref.PodUID != "" {
		return i.Names.PodName != "" && (i.Names.K8sContainerName != "" || i.Names.Sandbox)
	}
	return i.Names.Name != ""
}

// merge adds what a later reading told. The earlier answer stays where the
// later one is poorer: state files go with the container.
func (i *Info) merge(later *Info) *Info {
	if later.State != Container && i.State == Container {
		return i
	}
	out := *later
	if i.State == Container {
		out.Ref = i.Ref
		out.Ref.Runtime = cmp.Or(later.Ref.Runtime, i.Ref.Runtime)
	}
	n, old := &out.Names, &i.Names
	n.Name = cmp.Or(n.Name, old.Name)
	n.Image = cmp.Or(n.Image, old.Image)
	n.ImageTag = cmp.Or(n.ImageTag, old.ImageTag)
	n.PodName = cmp.Or(n.PodName, old.PodName)
	n.PodNamespace = cmp.Or(n.PodNamespace, old.PodNamespace)
	n.K8sContainerName = cmp.Or(n.K8sContainerName, old.K8sContainerName)
	n.Sandbox = n.Sandbox || old.Sandbox
	if !n.PrivilegedKnown {
		n.Privileged, n.PrivilegedKnown, n.Shares = old.Privileged, old.PrivilegedKnown, old.Shares
	}
	if n.Mounts == nil {
		n.Mounts = old.Mounts
	}
	return &out
}
