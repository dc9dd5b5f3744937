package container

import (
	"encoding/json"
	"path"
	"strings"
)

// maxStateFile bounds what is read of one state file. A container's config.json
// has tens of kilobytes; one with thousands of mounts stays below this.
const maxStateFile = 4 << 20

// maxName bounds a name that comes from a file which users of a runtime fill.
const maxName = 512

// ociSpec is the part of an OCI runtime configuration (config.json) that tells
// who a container is.
type ociSpec struct {
	Annotations map[string]string `json:"annotations"`
	Mounts      []ociMount        `json:"mounts"`
	Linux       struct {
		Namespaces  []ociNamespace `json:"namespaces"`
		CgroupsPath string         `json:"cgroupsPath"`
		MaskedPaths []string       `json:"maskedPaths"`
		Resources   struct {
			Devices []ociDeviceRule `json:"devices"`
		} `json:"resources"`
	} `json:"linux"`
}

type ociDeviceRule struct {
	Allow  bool   `json:"allow"`
	Type   string `json:"type"`
	Major  *int64 `json:"major"`
	Minor  *int64 `json:"minor"`
	Access string `json:"access"`
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options"`
}

type ociNamespace struct {
	Type string `json:"type"`
	Path string `json:"path"` // empty for one of its own
}

func readSpec(file string) (*ociSpec, error) {
	spec := new(ociSpec)
	if err := readJSON(file, spec); err != nil {
		return nil, err
	}
	return spec, nil
}

// names reads the annotations of containerd's and CRI-O's Kubernetes plugins
// and of nerdctl. root is where the host's file system is seen.
func (s *ociSpec) names(root string) Names {
	first := func(keys ...string) string {
		for _, k := range keys {
			if v := s.Annotations[k]; v != "" {
				return clip(v)
			}
		}
		return ""
	}
	n := Names{
		PodName:      first("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"),
		PodNamespace: first("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"),
		Sandbox:      first("io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType") == "sandbox",
	}
	if !n.Sandbox {
		n.K8sContainerName = first("io.kubernetes.cri.container-name", "io.kubernetes.container.name")
	}
	n.Name = n.K8sContainerName
	if n.Name == "" {
		n.Name = first("nerdctl/name")
	}
	n.Image, n.ImageTag = splitImage(first("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"))
	n.Privileged, n.PrivilegedKnown = s.privileged(), true
	n.Shares, n.Mounts = s.shares(root), s.bound()
	return n
}

// podUID is the pod that the runtime says the container belongs to.
func (s *ociSpec) podUID() string {
	for _, k := range []string{"io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"} {
		if v := s.Annotations[k]; isUUID(v) || len(v) == 32 && isHex(v) {
			return v
		}
	}
	return ""
}

// privileged tells whether the container may use every device and sees all of
// /proc: what the flag "privileged" means in a runtime's configuration.
func (s *ociSpec) privileged() bool {
	if len(s.Linux.MaskedPaths) > 0 {
		return false
	}
	for _, d := range s.Linux.Resources.Devices {
		anyType := d.Type == "" || d.Type == "a"
		if d.Allow && anyType && d.Major == nil && d.Minor == nil && strings.Contains(d.Access, "w") {
			return true
		}
	}
	return false
}

// cgroup is the absolute cgroup path that the specification asks for, or ""
// when it is in systemd's "slice:prefix:name" form.
func (s *ociSpec) cgroup() string {
	p := s.Linux.CgroupsPath
	if p == "" || strings.Contains(p, ":") {
		return ""
	}
	return path.Clean("/" + p)
}

// readJSON decodes a state file.
func readJSON(file string, into any) error {
	raw, err := readState(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// splitImage cuts "host:5000/name:tag@sha256:..." into name and tag. An image
// known by its digest alone has no name.
func splitImage(ref string) (name, tag string) {
	name, _, _ = strings.Cut(ref, "@")
	if name == "sha256" || strings.HasPrefix(name, "sha256:") {
		return "", ""
	}
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, ""
}

func clip(s string) string {
	if len(s) > maxName {
		return s[:maxName]
	}
	return s
}
