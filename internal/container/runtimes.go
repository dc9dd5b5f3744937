package container

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// dockerState is the part of docker's config.v2.json that names a container.
type dockerState struct {
	Name   string `json:"Name"` // with a leading slash
	Config struct {
		Image  string            `json:"Image"`
		Labels map[string]string `json:"Labels"`
	} `json:"Config"`
	MountPoints map[string]dockerMount `json:"MountPoints"`
}

// modeHost says that a namespace is the host's.
const modeHost = "host"

// dockerNames reads /var/lib/docker/containers/ID/{config.v2,hostconfig}.json.
func dockerNames(root, id string) (Names, bool) {
	dir := filepath.Join(root, "var/lib/docker/containers", id)
	var st dockerState
	if readJSON(filepath.Join(dir, "config.v2.json"), &st) != nil {
		return Names{}, false
	}
	labels := st.Config.Labels
	n := Names{
		Name:             clip(strings.TrimPrefix(st.Name, "/")),
		PodName:          clip(labels["io.kubernetes.pod.name"]),
		PodNamespace:     clip(labels["io.kubernetes.pod.namespace"]),
		K8sContainerName: clip(labels["io.kubernetes.container.name"]),
		Sandbox:          labels["io.kubernetes.docker.type"] == "podsandbox",
	}
	n.Image, n.ImageTag = splitImage(clip(st.Config.Image))
	if n.Sandbox {
		n.K8sContainerName = ""
	}
	if n.K8sContainerName != "" {
		n.Name = n.K8sContainerName
	}
	n.Mounts = dockerBound(st.MountPoints)
	var host struct {
		Privileged  bool   `json:"Privileged"`
		PIDMode     string `json:"PidMode"`
		NetworkMode string `json:"NetworkMode"`
		IPCMode     string `json:"IpcMode"`
	}
	if readJSON(filepath.Join(dir, "hostconfig.json"), &host) == nil {
		n.Privileged, n.PrivilegedKnown = host.Privileged, true
		n.Shares = Shares{PID: host.PIDMode == modeHost, Network: host.NetworkMode == modeHost, IPC: host.IPCMode == modeHost}
	}
	return n, true
}

// storageDirs are where CRI-O and podman keep their containers.
var storageDirs = []string{"var/lib/containers/storage", "run/containers/storage"}

// storageBases are the directories with one entry per container; each storage
// driver has its own (overlay-containers, vfs-containers, ...).
func storageBases(root string) []string {
	var bases []string
	for _, dir := range storageDirs {
		found, _ := filepath.Glob(filepath.Join(globEscape(root), dir, "*-containers")) // the pattern is sound
		bases = append(bases, found...)
	}
	return bases
}

// globEscape takes the meaning from characters of a path.
func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// storageNames reads the state that containers/storage keeps for CRI-O and
// podman: the OCI configuration with CRI-O's annotations, and the list of
// containers with podman's names.
func storageNames(root, id string) (Names, Runtime, bool) {
	for _, base := range storageBases(root) {
		spec, err := readSpec(filepath.Join(base, id, "userdata", "config.json"))
		if err != nil {
			continue
		}
		n := spec.names(root)
		if n.PodName != "" {
			return n, RuntimeCRIO, true
		}
		listed, ok := listedNames(root, id)
		if !ok {
			return n, "", true
		}
		n.Name, n.Image, n.ImageTag = listed.Name, listed.Image, listed.ImageTag
		return n, RuntimePodman, true
	}
	return Names{}, "", false
}

// listedNames finds a container in containers/storage's own list.
func listedNames(root, id string) (Names, bool) {
	var list []struct {
		ID       string   `json:"id"`
		Names    []string `json:"names"`
		Metadata string   `json:"metadata"` // JSON in a string
	}
	for _, base := range storageBases(root) {
		for _, file := range []string{"containers.json", "volatile-containers.json"} {
			list = nil
			if readJSON(filepath.Join(base, file), &list) != nil {
				continue
			}
			for _, c := range list {
				if c.ID != id {
					continue
				}
				var meta struct {
					Name  string `json:"name"`
					Image string `json:"image-name"`
				}
				_ = json.Unmarshal([]byte(c.Metadata), &meta) // absent in other users of the storage
				n := Names{Name: clip(meta.Name)}
				if len(c.Names) > 0 {
					n.Name = clip(c.Names[0])
				}
				n.Image, n.ImageTag = splitImage(clip(meta.Image))
				return n, true
			}
		}
	}
	return Names{}, false
}

// logNames reads the names that the kubelet gives to log files:
// /var/log/pods/NAMESPACE_POD_UID/ and
// /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log.
func logNames(root string, ref Ref) (Names, bool) {
	if ref.PodUID == "" {
		return Names{}, false
	}
	var n Names
	for _, dir := range children(filepath.Join(root, "var/log/pods")) {
		if parts := strings.Split(dir, "_"); len(parts) == 3 && parts[2] == ref.PodUID {
			n.PodNamespace, n.PodName = clip(parts[0]), clip(parts[1])
			break
		}
	}
	if n.PodName == "" {
		return Names{}, false
	}
	if ref.ContainerID == "" {
		return n, true
	}
	entries, err := os.ReadDir(filepath.Join(root, "var/log/containers"))
	if err != nil {
		return n, true
	}
	for _, e := range entries {
		head, ok := strings.CutSuffix(e.Name(), "-"+ref.ContainerID+".log")
		if !ok {
			continue
		}
		if parts := strings.Split(head, "_"); len(parts) == 3 {
			n.K8sContainerName = clip(parts[2])
			n.Name = n.K8sContainerName
		}
	}
	return n, true
}
