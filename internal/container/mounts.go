package container

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxMounts bounds the mounts of a container that are remembered.
const maxMounts = 64

// propagations are the options of a mount that tell how others below it spread.
var propagations = []string{"private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"}

// bound lists what of the host is mounted in the container.
func (s *ociSpec) bound() []string {
	var out []string
	for i := range s.Mounts {
		m := &s.Mounts[i]
		if m.Type != "bind" && !slices.Contains(m.Options, "bind") && !slices.Contains(m.Options, "rbind") {
			continue
		}
		propagation := ""
		for _, o := range m.Options {
			if slices.Contains(propagations, o) {
				propagation = o
			}
		}
		out = appendMount(out, m.Source, m.Destination, "", !slices.Contains(m.Options, "ro"), propagation)
	}
	return out
}

func appendMount(to []string, source, destination, mode string, writable bool, propagation string) []string {
	if len(to) >= maxMounts {
		return to
	}
	return append(to, strings.Join([]string{clip(source), clip(destination), clip(mode), strconv.FormatBool(writable), clip(propagation)}, ":"))
}

// shares tells which namespaces are the host's: those that the specification does
// not name, and those that it names by a path to the host's.
func (s *ociSpec) shares(root string) Shares {
	is := func(kind, file string) bool {
		i := slices.IndexFunc(s.Linux.Namespaces, func(n ociNamespace) bool { return n.Type == kind })
		if i < 0 {
			return true
		}
		path := s.Linux.Namespaces[i].Path
		if path == "" {
			return false
		}
		own, ok := inodeOf(filepath.Join(root, path))
		host, okHost := inodeOf(filepath.Join(root, "proc/1/ns", file))
		if !okHost { // some do not let root look at the first process; the second is the kernel's
			host, okHost = inodeOf(filepath.Join(root, "proc/2/ns", file))
		}
		return ok && okHost && own == host
	}
	return Shares{PID: is("pid", "pid"), Network: is("network", "net"), IPC: is("ipc", "ipc")}
}

func inodeOf(path string) (uint64, bool) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return st.Ino, err == nil
}

// dockerMount is a mount in docker's config.v2.json.
type dockerMount struct {
	Source      string `json:"Source"`
	Destination string `json:"Destination"`
	Mode        string `json:"Relabel"`
	RW          bool   `json:"RW"`
	Propagation string `json:"Propagation"`
	Name        string `json:"Name"` // of a volume
}

// dockerBound lists the mounts by their destinations.
func dockerBound(mounts map[string]dockerMount) []string {
	list := make([]dockerMount, 0, len(mounts))
	for _, m := range mounts {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b dockerMount) int { return cmp.Compare(a.Destination, b.Destination) })
	var out []string
	for _, m := range list {
		out = appendMount(out, cmp.Or(m.Source, m.Name), m.Destination, m.Mode, m.RW, m.Propagation)
	}
	return out
}
