package container

import (
	"slices"
	"strings"
)

// Runtime names the software that made a container, as container.runtime.name
// wants it. Empty when the path does not tell; the resolver may fill it in.
type Runtime string

// Runtimes that a cgroup path can name.
const (
	RuntimeContainerd Runtime = "containerd"
	RuntimeCRIO       Runtime = "cri-o"
	RuntimeDocker     Runtime = "docker"
	RuntimePodman     Runtime = "podman"
	RuntimeLXC        Runtime = "lxc"
	RuntimeNspawn     Runtime = "systemd-nspawn"
)

// Ref is what a cgroup path alone tells about a process. The zero value means
// "no container, no unit": a process of the host itself.
type Ref struct {
	// ContainerID is the full id, without prefix; for LXC, nspawn and plain
	// containerd it is the container's name. Empty outside containers.
	ContainerID string
	// PodUID is the Kubernetes pod uid with dashes; a static pod has the 32
	// digits of its manifest's hash instead.
	PodUID string
	// Runtime is empty when the path does not tell it.
	Runtime Runtime
	// Namespace is the part of the path that would be containerd's namespace,
	// if containerd made the container ("/<namespace>/<name>").
	Namespace string
	// SystemdUnit is the innermost service or scope; empty inside containers.
	SystemdUnit string
	// Tentative means that the path has the form of a container that somebody
	// named freely (containerd's "/<namespace>/<name>"): only a state file of
	// the runtime proves it.
	Tentative bool
}

// IsContainer reports whether the path names a container, proven or not.
func (r Ref) IsContainer() bool { return r.ContainerID != "" }

// idLen is the length of the hexadecimal ids of OCI runtimes.
const idLen = 64

// scopePrefixes are what runtimes put before an id, in a scope's name or, with
// the cgroupfs driver, in the directory's.
var scopePrefixes = []struct {
	prefix  string
	runtime Runtime
}{
	{"cri-containerd-", RuntimeContainerd},
	{"nerdctl-", RuntimeContainerd},
	{"crio-", RuntimeCRIO},
	{"docker-", RuntimeDocker},
	{"libpod-", RuntimePodman},
}

// ParseCgroup reads a cgroup path as /proc/PID/cgroup and the kernel's
// cgroup_mkdir show it, v1 or v2. The innermost container wins, so a container
// inside a container (kind, Docker in Docker) is itself. Processes that watch a
// container from a cgroup of their own (conmon, lxc-monitor) are not in it.
func ParseCgroup(path string) Ref {
	segs := split(path)
	for i := range slices.Backward(segs) {
		ref, ok := containerAt(segs, i)
		if !ok {
			continue
		}
		ref.PodUID = podOutside(segs[:i+1])
		return ref
	}
	if monitored(segs) {
		return Ref{SystemdUnit: unitOf(segs)}
	}
	if uid := podOutside(segs); uid != "" {
		return Ref{PodUID: uid}
	}
	if unit := unitOf(segs); unit != "" {
		return Ref{SystemdUnit: unit}
	}
	if ref, ok := freelyNamed(segs); ok {
		return ref
	}
	return Ref{}
}

// split cuts a path into its segments. Leading ".." appear when the reader sits
// in a cgroup namespace of its own; they carry nothing.
func split(path string) []string {
	segs := make([]string, 0, 8)
	for s := range strings.SplitSeq(path, "/") {
		if s != "" && s != "." && s != ".." {
			segs = append(segs, s)
		}
	}
	return segs
}

// containerAt tells whether segment i is a container's own cgroup.
func containerAt(segs []string, i int) (Ref, bool) {
	seg := segs[i]
	if isID(seg) {
		return bareID(segs, i), true
	}
	// kubepods-burstable-podUID_.slice:cri-containerd:ID
	if at := strings.LastIndexByte(seg, ':'); at >= 0 && isID(seg[at+1:]) {
		return Ref{ContainerID: seg[at+1:], Runtime: runtimeNamed(seg[:at])}, true
	}
	name := strings.TrimSuffix(seg, ".scope")
	for _, p := range scopePrefixes {
		if id, ok := strings.CutPrefix(name, p.prefix); ok && isID(id) {
			return Ref{ContainerID: id, Runtime: p.runtime}, true
		}
	}
	return namedAt(segs, i)
}

// bareID reads a segment that is nothing but an id: its parent may tell whose.
func bareID(segs []string, i int) Ref {
	ref := Ref{ContainerID: segs[i]}
	if i == 0 {
		return ref
	}
	switch parent := segs[i-1]; {
	case parent == "docker", i >= 2 && segs[i-2] == "ecs":
		ref.Runtime = RuntimeDocker
	case parent == "libpod_parent":
		ref.Runtime = RuntimePodman
	case parent == "lxc":
		ref.Runtime = RuntimeLXC
	case i == 1 && isPlainName(parent) && podUID(parent) == "":
		ref.Namespace = parent
	}
	return ref
}

// namedAt recognises the runtimes whose containers have names instead of ids.
func namedAt(segs []string, i int) (Ref, bool) {
	seg := segs[i]
	if name, ok := strings.CutPrefix(seg, "lxc.payload."); ok && name != "" {
		return Ref{ContainerID: name, Runtime: RuntimeLXC}, true
	}
	if i >= 1 && segs[i-1] == "lxc" && isPlainName(seg) {
		return Ref{ContainerID: seg, Runtime: RuntimeLXC}, true
	}
	// Fargate: /ecs/<task>/<task>-<number>
	if i >= 2 && segs[i-2] == "ecs" {
		return Ref{ContainerID: seg, Runtime: RuntimeDocker}, true
	}
	if i >= 1 && segs[i-1] == "machine.slice" {
		return machine(segs, i)
	}
	return Ref{}, false
}

// machine reads a unit that systemd-machined knows. Virtual machines
// (machine-qemu-...) are none, nor is nspawn's own supervisor.
func machine(segs []string, i int) (Ref, bool) {
	if i+1 < len(segs) && segs[i+1] == "supervisor" {
		return Ref{}, false
	}
	seg := segs[i]
	if rest, ok := strings.CutPrefix(seg, "systemd-nspawn@"); ok {
		name, ok := strings.CutSuffix(rest, ".service")
		return Ref{ContainerID: unescapeUnit(name), Runtime: RuntimeNspawn}, ok && name != ""
	}
	if rest, ok := strings.CutPrefix(seg, "machine-"); ok {
		name, ok := strings.CutSuffix(rest, ".scope")
		name = unescapeUnit(name)
		if strings.HasPrefix(name, "qemu-") {
			return Ref{}, false
		}
		return Ref{ContainerID: name, Runtime: RuntimeNspawn}, ok && name != ""
	}
	return Ref{}, false
}

// monitored tells whether the innermost segments belong to the watcher of a
// container.
func monitored(segs []string) bool {
	for _, s := range segs {
		if strings.HasPrefix(s, "crio-conmon-") || strings.HasPrefix(s, "libpod-conmon-") ||
			strings.HasPrefix(s, "lxc.monitor.") {
			return true
		}
	}
	return false
}

// freelyNamed recognises what ctr makes of a container without further options:
// "/<namespace>/<name>". Any two plain segments look alike, hence tentative.
func freelyNamed(segs []string) (Ref, bool) {
	if len(segs) != 2 || !isPlainName(segs[0]) || !isPlainName(segs[1]) || segs[0] == "lxc" {
		return Ref{}, false
	}
	return Ref{ContainerID: segs[1], Namespace: segs[0], Runtime: RuntimeContainerd, Tentative: true}, true
}

// podOutside finds the innermost pod around the last of segs.
func podOutside(segs []string) string {
	for _, seg := range slices.Backward(segs) {
		if uid := podUID(seg); uid != "" {
			return uid
		}
	}
	return ""
}

// podUID reads one segment: "podUID" of the cgroupfs driver or
// "...kubepods-burstable-podUID_.slice[:driver:id]" of the systemd driver.
func podUID(seg string) string {
	if at := strings.IndexByte(seg, ':'); at >= 0 {
		seg = seg[:at]
	}
	at := strings.LastIndex(seg, "pod")
	if at < 0 {
		return ""
	}
	if at > 0 && (!strings.Contains(seg[:at], "kubepods") || seg[at-1] != '-') {
		return ""
	}
	uid, slice := strings.CutSuffix(seg[at+len("pod"):], ".slice")
	if slice {
		uid = strings.ReplaceAll(uid, "_", "-")
	}
	if !isUUID(uid) && (len(uid) != 32 || !isHex(uid)) {
		return ""
	}
	return uid
}

// unitOf is the innermost systemd service or scope that is not init's own.
func unitOf(segs []string) string {
	for _, s := range slices.Backward(segs) {
		if s == "init.scope" {
			continue
		}
		if strings.HasSuffix(s, ".service") || strings.HasSuffix(s, ".scope") {
			return unescapeUnit(s)
		}
	}
	return ""
}

// runtimeNamed maps the driver of "slice:driver:id".
func runtimeNamed(s string) Runtime {
	driver := s[strings.LastIndexByte(s, ':')+1:]
	for _, p := range scopePrefixes {
		if strings.TrimSuffix(p.prefix, "-") == driver {
			return p.runtime
		}
	}
	return ""
}
