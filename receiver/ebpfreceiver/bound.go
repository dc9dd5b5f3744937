//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"strings"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// bound are the paths of names below what of the host was mounted into a container
// that has ended meanwhile: one command in a container of its own is over before
// anybody can look at its mounts. What the runtime was asked to mount tells where
// the names led, apart from symbolic links on the way.
func (n *namer) bound(ev *event.Event) (paths [translate.MaxNames][]byte) {
	if n.cgroup == nil || n.hostNS == ev.Task.MountNS {
		return paths
	}
	info := n.cgroup(ev)
	if info == nil || len(info.Names.Mounts) == 0 {
		return paths
	}
	for i := range n.names {
		name := &n.names[i]
		if len(name.Given) == 0 || len(name.Base) == 0 && name.Given[0] != '/' {
			continue
		}
		inside := string(field.AppendPath(nil, string(name.Base), string(name.Given)))
		if host, ok := hostPath(info.Names.Mounts, inside); ok {
			n.ofHost[i] = true
			n.paths[i] = append(n.paths[i][:0], host...)
			paths[i] = n.paths[i]
		}
	}
	return paths
}

// hostPath is the host's path of what lies at a path below the mounts of a
// container, each as container.Names has them.
func hostPath(mounts []string, path string) (string, bool) {
	longest, host := -1, ""
	for _, m := range mounts {
		source, rest, _ := strings.Cut(m, ":")
		at, _, _ := strings.Cut(rest, ":")
		at = strings.TrimSuffix(at, "/")
		below, ok := strings.CutPrefix(path, at)
		if !ok || below != "" && below[0] != '/' || !strings.HasPrefix(source, "/") || len(at) <= longest {
			continue
		}
		longest, host = len(at), strings.TrimSuffix(source, "/")+below
	}
	if host == "" && longest >= 0 {
		host = "/"
	}
	return host, longest >= 0
}

// cgroupOf finds out to which container an event belongs.
type cgroupOf func(*event.Event) *container.Info
