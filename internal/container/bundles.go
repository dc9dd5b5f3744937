package container

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// taskDir is where containerd's shims keep their bundles, below its state
// directory: taskDir/<namespace>/<id>/config.json. The file is there before the
// container's first process runs and goes with the container.
const taskDir = "io.containerd.runtime.v2.task"

// stateDirs are the usual places of containerd's state, below the host's root.
var stateDirs = []string{
	"run/containerd",
	"run/k3s/containerd",
	"run/docker/containerd/daemon",
	"var/snap/microk8s/common/run/containerd",
}

// maxBundles and maxTaskDirs bound what is remembered of other people's files.
const (
	maxBundles  = 4096
	maxTaskDirs = 64
)

// bundle is one container that containerd runs.
type bundle struct {
	namespace, id string
	cgroup        string // "" when only systemd knows
	podUID        string
	names         Names
}

// bundleIndex finds containerd's containers by id and by cgroup. Not safe for
// concurrent use.
type bundleIndex struct {
	root   string
	dirs   []taskDirOf // task directories that may exist
	byFile map[string]*bundle
}

func newBundleIndex(root string) *bundleIndex {
	x := &bundleIndex{root: root, byFile: make(map[string]*bundle)}
	for _, d := range stateDirs {
		x.dirs = append(x.dirs, taskDirOf{path: filepath.Join(root, d, taskDir), fd: -1})
	}
	return x
}

// add remembers a directory that a shim told of, and takes over its handle.
func (x *bundleIndex) add(d taskDirOf) {
	x.dirs = slices.DeleteFunc(x.dirs, func(old taskDirOf) bool {
		if !old.gone() {
			return false
		}
		old.close()
		return true
	})
	if len(x.dirs) >= maxTaskDirs || slices.ContainsFunc(x.dirs, d.same) {
		d.close()
		return
	}
	x.dirs = append(x.dirs, d)
}

// find returns the container with an id. An empty namespace matches each.
func (x *bundleIndex) find(namespace, id string) *bundle {
	if id == "" || strings.Contains(id, "/") || id == ".." {
		return nil
	}
	for _, dir := range x.dirs {
		spaces := []string{namespace}
		if namespace == "" {
			spaces = children(dir.path)
		}
		for _, ns := range spaces {
			if b := x.load(dir.path, ns, id); b != nil {
				return b
			}
		}
	}
	return nil
}

// findCgroup returns the container whose cgroup is the path or lies above it.
// It lists the bundles and reads those that are new.
func (x *bundleIndex) findCgroup(path string) *bundle {
	for _, dir := range x.dirs {
		for _, ns := range children(dir.path) {
			for _, id := range children(filepath.Join(dir.path, ns)) {
				b := x.load(dir.path, ns, id)
				if b != nil && b.cgroup != "" && b.cgroup != "/" &&
					(path == b.cgroup || strings.HasPrefix(path, b.cgroup+"/")) {
					return b
				}
			}
		}
	}
	return nil
}

// load reads a bundle once; a bundle that has gone is forgotten.
func (x *bundleIndex) load(dir, namespace, id string) *bundle {
	file := filepath.Join(dir, namespace, id, "config.json")
	if b, ok := x.byFile[file]; ok {
		if exists(file) {
			return b
		}
		delete(x.byFile, file)
		return nil
	}
	spec, err := readSpec(file)
	if err != nil {
		return nil
	}
	b := &bundle{namespace: namespace, id: id, cgroup: spec.cgroup(), podUID: spec.podUID(), names: spec.names(x.root)}
	if len(x.byFile) >= maxBundles {
		clear(x.byFile)
	}
	x.byFile[file] = b
	return b
}

func children(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func sameDir(a, b string) bool {
	ai, errA := os.Stat(a)
	bi, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ai, bi)
}
