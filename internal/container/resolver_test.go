package container

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeHost is a file tree that looks like a host's, and a clock.
type fakeHost struct {
	t    *testing.T
	root string
	now  time.Time
}

func newFakeHost(t *testing.T) *fakeHost {
	t.Helper()
	return &fakeHost{t: t, root: t.TempDir(), now: time.Unix(1_000_000, 0)}
}

func (h *fakeHost) resolver(entries int) *Resolver {
	return NewResolver(Options{
		Root: h.root, Proc: filepath.Join(h.root, "proc"), MaxEntries: entries,
		Now: func() time.Time { return h.now }, owner: uint32(os.Getuid()),
	})
}

func (h *fakeHost) write(file, text string) {
	h.t.Helper()
	file = filepath.Join(h.root, file)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(h.t, os.WriteFile(file, []byte(text), 0o600))
}

func (h *fakeHost) mkdir(dir string) {
	h.t.Helper()
	require.NoError(h.t, os.MkdirAll(filepath.Join(h.root, dir), 0o755))
}

func (h *fakeHost) remove(path string) {
	h.t.Helper()
	require.NoError(h.t, os.RemoveAll(filepath.Join(h.root, path)))
}

const criBundle = "run/containerd/" + taskDir + "/k8s.io/" + id1

const criSpec = `{
  "annotations": {
    "io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.image-name": "registry.example:5000/shop/web:1.2",
    "io.kubernetes.cri.sandbox-name": "shop-5d4f", "io.kubernetes.cri.sandbox-namespace": "prod",
    "io.kubernetes.cri.sandbox-uid": "` + uid + `"
  },
  "linux": {"cgroupsPath": "/kubepods/pod` + uid + `/` + id1 + `", "maskedPaths": ["/proc/kcore"],
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/4711/ns/net"}, {"type": "ipc", "path": "/proc/4711/ns/ipc"}]}
}`

var v2 = func(id uint64) CgroupID { return CgroupID{ID: id} }

func TestResolveKubernetesByBundle(t *testing.T) {
	h := newFakeHost(t)
	h.write(criBundle+"/config.json", criSpec)
	r := h.resolver(0)
	r.Made(v2(7), "/kubepods/pod"+uid+"/"+id1)

	got := r.Lookup(v2(7), 0)
	require.Equal(t, &Info{
		State: Container,
		Path:  "/kubepods/pod" + uid + "/" + id1,
		Ref:   Ref{ContainerID: id1, PodUID: uid, Runtime: RuntimeContainerd},
		Names: Names{
			Name: "web", K8sContainerName: "web", PodName: "shop-5d4f", PodNamespace: "prod",
			Image: "registry.example:5000/shop/web", ImageTag: "1.2", PrivilegedKnown: true,
		},
	}, got)
	require.Same(t, got, r.Lookup(v2(7), 0), "complete answers are not computed again")

	// The bundle goes with the container, its names do not.
	h.remove(criBundle)
	r.Removed(v2(7))
	require.Equal(t, "web", r.Lookup(v2(7), 0).Names.Name)
	h.now = h.now.Add(6 * time.Minute)
	r.Made(v2(8), "/other.service")
	require.Equal(t, Unresolved, r.Lookup(v2(7), 0).State)
}

func TestSandboxIsTold(t *testing.T) {
	h := newFakeHost(t)
	h.write(criBundle+"/config.json", `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"p"}}`)
	r := h.resolver(0)
	r.Made(v2(7), "/kubepods/pod"+uid+"/"+id1)
	info := r.Lookup(v2(7), 0)
	require.True(t, info.Names.Sandbox)
	require.True(t, info.complete())
}

func TestNamesArriveLater(t *testing.T) {
	h := newFakeHost(t)
	r := h.resolver(0)
	path := "/kubepods/pod" + uid + "/" + id1
	r.Made(v2(7), path)
	require.Empty(t, r.Lookup(v2(7), 0).Names.Name)

	h.write(criBundle+"/config.json", criSpec)
	require.Empty(t, r.Lookup(v2(7), 0).Names.Name, "not before its time")
	h.now = h.now.Add(time.Second)
	require.Equal(t, "web", r.Lookup(v2(7), 0).Names.Name)
}

func TestRetriesEnd(t *testing.T) {
	h := newFakeHost(t)
	r := h.resolver(0)
	r.Made(v2(7), "/docker/"+id1)
	for range 20 {
		r.Lookup(v2(7), 0)
		h.now = h.now.Add(time.Minute)
	}
	h.write("var/lib/docker/containers/"+id1+"/config.v2.json", `{"Name":"/db"}`)
	require.Empty(t, r.Lookup(v2(7), 0).Names.Name)
}

func TestPlainContainerd(t *testing.T) {
	h := newFakeHost(t)
	bundles := "run/containerd/" + taskDir + "/default/"
	h.write(bundles+"web/config.json", `{"linux":{"cgroupsPath":"/default/web"}}`)
	h.write(bundles+"job/config.json", `{"linux":{"cgroupsPath":"/batch/deep/job"}}`)
	r := h.resolver(0)

	for path, want := range map[string]Ref{
		"/default/web":          {ContainerID: "web", Namespace: "default", Runtime: RuntimeContainerd},
		"/default/web/child":    {ContainerID: "web", Namespace: "default", Runtime: RuntimeContainerd},
		"/batch/deep/job":       {ContainerID: "job", Namespace: "default", Runtime: RuntimeContainerd},
		"/batch/deep/job2":      {},
		"/process_api/1183":     {}, // looks like one and is none
		"/system.slice/a.mount": {},
	} {
		info := r.resolve(path)
		require.Equal(t, want, info.Ref, path)
		require.Equal(t, want.ContainerID, info.Names.Name, path)
		require.Equal(t, want.ContainerID != "", info.State == Container, path)
	}
}

func TestShimTellsTheStateDirectory(t *testing.T) {
	h := newFakeHost(t)
	state := "srv/own/" + taskDir
	h.write(state+"/default/web/config.json", `{"linux":{"cgroupsPath":"/default/web"}}`)
	h.shim(42, filepath.Join(h.root, state, "default/web"), "/", shimStatus, "0::/system.slice/containerd.service\n")

	r := h.resolver(0)
	r.Made(v2(7), "/default/web")
	require.Equal(t, Host, r.Lookup(v2(7), 0).State)
	r.Shim(42)
	r.Shim(42)
	r.Shim(43) // no such process
	h.now = h.now.Add(time.Second)
	require.Equal(t, "web", r.Lookup(v2(7), 0).Names.Name)
	require.Len(t, r.bundles.dirs, len(stateDirs)+1)
	require.GreaterOrEqual(t, r.bundles.dirs[len(stateDirs)].fd, 0, "seen through the shim's root")
	h.remove("srv")
	r.bundles.add(taskDirOf{path: "/nowhere", fd: -1})
	require.Len(t, r.bundles.dirs, len(stateDirs)+1, "what is gone is let go")
}

func TestDocker(t *testing.T) {
	h := newFakeHost(t)
	dir := "var/lib/docker/containers/" + id1
	h.write(dir+"/config.v2.json", `{"Name":"/db","Config":{"Image":"postgres:17"}}`)
	h.write(dir+"/hostconfig.json", `{"Privileged":true}`)
	r := h.resolver(0)
	r.Made(v2(7), "/system.slice/docker-"+id1+".scope")
	require.Equal(t, Names{Name: "db", Image: "postgres", ImageTag: "17", Privileged: true, PrivilegedKnown: true}, r.Lookup(v2(7), 0).Names)

	h.write("var/lib/docker/containers/"+id2+"/config.v2.json",
		`{"Name":"/k8s_POD_x","Config":{"Labels":{"io.kubernetes.docker.type":"podsandbox","io.kubernetes.pod.name":"x","io.kubernetes.container.name":"POD"}}}`)
	r.Made(v2(8), "/kubepods/pod"+uid+"/"+id2)
	info := r.Lookup(v2(8), 0)
	require.Equal(t, RuntimeDocker, info.Ref.Runtime)
	require.True(t, info.Names.Sandbox)
	require.Empty(t, info.Names.K8sContainerName)
}

func TestStorageRuntimes(t *testing.T) {
	h := newFakeHost(t)
	base := "var/lib/containers/storage/overlay-containers/"
	h.write(base+id1+"/userdata/config.json", `{"annotations":{}}`)
	h.write(base+"containers.json", `[{"id":"x"},{"id":"`+id1+`","names":["cache"],"metadata":"{\"image-name\":\"docker.io/library/redis:7\",\"name\":\"cache\"}"}]`)
	h.write("run/containers/storage/overlay-containers/"+id2+"/userdata/config.json",
		`{"linux":{"namespaces":[{"type":"network"},{"type":"ipc"}]},"annotations":{"io.kubernetes.pod.name":"p","io.kubernetes.pod.namespace":"n","io.kubernetes.container.name":"c","io.kubernetes.cri-o.ContainerType":"container","io.kubernetes.cri-o.ImageName":"quay.io/a/b@sha256:00"}}`)
	r := h.resolver(0)

	r.Made(v2(7), "/libpod_parent/libpod-"+id1)
	info := r.Lookup(v2(7), 0)
	require.Equal(t, Ref{ContainerID: id1, Runtime: RuntimePodman}, info.Ref)
	require.Equal(t, "cache", info.Names.Name)
	require.Equal(t, "docker.io/library/redis", info.Names.Image)

	r.Made(v2(8), "/kubepods/burstable/pod"+uid+"/crio-"+id2)
	info = r.Lookup(v2(8), 0)
	require.Equal(t, RuntimeCRIO, info.Ref.Runtime)
	require.Equal(t, Names{Name: "c", K8sContainerName: "c", PodName: "p", PodNamespace: "n", Image: "quay.io/a/b", PrivilegedKnown: true, Shares: Shares{PID: true}}, info.Names)
}

func TestNamesFromLogFolders(t *testing.T) {
	h := newFakeHost(t)
	h.mkdir("var/log/pods/prod_shop-1_" + uid + "/web")
	h.write("var/log/containers/shop-1_prod_web-"+id1+".log", "")
	r := h.resolver(0)
	r.Made(v2(7), "/kubepods/pod"+uid+"/"+id1)
	require.Equal(t, Names{Name: "web", K8sContainerName: "web", PodName: "shop-1", PodNamespace: "prod"}, r.Lookup(v2(7), 0).Names)
	r.Made(v2(8), "/kubepods/pod"+uid)
	require.Equal(t, "shop-1", r.Lookup(v2(8), 0).Names.PodName)
}

func TestLookupByProc(t *testing.T) {
	h := newFakeHost(t)
	h.write("proc/9/cgroup", "4:memory:/user\n0::/../../system.slice/nginx.service (deleted)\n")
	r := h.resolver(0)

	require.Equal(t, Unresolved, r.Lookup(v2(7), 0).State)
	require.Equal(t, Unresolved, r.Lookup(v2(7), 9).State, "not asked again at once")
	h.now = h.now.Add(time.Second)
	info := r.Lookup(v2(7), 9)
	require.Equal(t, Host, info.State)
	require.Equal(t, "nginx.service", info.Ref.SystemdUnit)
	require.Equal(t, "/user", r.Lookup(CgroupID{Hierarchy: 4, ID: 7}, 9).Path, "ids of another hierarchy are others")
	require.Equal(t, uint64(2), r.Stats().Misses)
}

func TestLookupByProcRejectsAnotherCgroup(t *testing.T) {
	h := newFakeHost(t)
	h.write("proc/9/cgroup", "0::/elsewhere\n")
	h.mkdir("sys/fs/cgroup/elsewhere")
	r := h.resolver(0)
	r.trees = map[uint32]hierarchy{0: {mount: filepath.Join(h.root, "sys/fs/cgroup")}}
	require.Equal(t, Unresolved, r.Lookup(v2(1), 9).State)

	ino, ok := inode(filepath.Join(h.root, "sys/fs/cgroup/elsewhere"))
	require.True(t, ok)
	require.Equal(t, "/elsewhere", r.Lookup(v2(ino), 9).Path)
}

func TestBounded(t *testing.T) {
	h := newFakeHost(t)
	r := h.resolver(10)
	for i := range uint64(100) {
		r.Made(v2(i), "/system.slice/u"+strconv.FormatUint(i, 10)+".service")
		if i%2 == 0 {
			r.Removed(v2(i))
			r.Removed(v2(i))
		}
	}
	require.LessOrEqual(t, r.Stats().Entries, 10)
	require.NotZero(t, r.Stats().Evicted)
	require.Equal(t, Host, r.Lookup(v2(99), 0).State)
	r.Removed(v2(12345)) // never seen
}

func TestReusedNumber(t *testing.T) {
	h := newFakeHost(t)
	r := h.resolver(0)
	id := CgroupID{Hierarchy: 4, ID: 7}
	r.Made(id, "/system.slice/a.service")
	r.Removed(id)
	r.Made(id, "/system.slice/b.service")
	h.now = h.now.Add(time.Hour)
	r.Made(v2(1), "/")
	require.Equal(t, "b.service", r.Lookup(id, 0).Ref.SystemdUnit)
}

func TestOtherHierarchiesAreLeftOut(t *testing.T) {
	h := newFakeHost(t)
	h.write("proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t4\t1\t1\n")
	h.mkdir("sys/fs/cgroup/memory/user")
	r := h.resolver(0)
	r.Seed()
	require.Equal(t, 2, r.Stats().Entries, "the root and its child")
	r.Made(CgroupID{Hierarchy: 1, ID: 7}, "/x")
	r.Made(CgroupID{Hierarchy: 4, ID: 1 << 40}, "/system.slice/a.service")
	r.Made(CgroupID{Hierarchy: 0, ID: 1 << 40}, "/system.slice/b.service")
	require.Equal(t, 4, r.Stats().Entries)
	require.Equal(t, "a.service", r.Lookup(CgroupID{Hierarchy: 4, ID: 1 << 40}, 0).Ref.SystemdUnit)
}

func TestUnreadableHierarchies(t *testing.T) {
	h := newFakeHost(t)
	h.write("proc/cgroups", "memory\t0\t1\t1\n") // v2 only
	_, ok := memoryHierarchy(filepath.Join(h.root, "proc"))
	require.False(t, ok)
	_, ok = memoryHierarchy(filepath.Join(h.root, "nowhere"))
	require.False(t, ok)
	(hierarchy{mount: filepath.Join(h.root, "nowhere")}).walk(func(uint64, string) bool { t.Fatal("nothing is there"); return true })
}

func TestMergeKeepsWhatWasKnown(t *testing.T) {
	old := &Info{State: Container, Path: "/p", Ref: Ref{ContainerID: id1, Runtime: RuntimeContainerd}, Names: Names{Name: "a", Privileged: true, PrivilegedKnown: true}}
	require.Same(t, old, old.merge(&Info{State: Host, Path: "/p"}))
	got := old.merge(&Info{State: Container, Path: "/p", Ref: Ref{ContainerID: id1}, Names: Names{PodName: "b"}})
	require.Equal(t, RuntimeContainerd, got.Ref.Runtime)
	require.Equal(t, Names{Name: "a", PodName: "b", Privileged: true, PrivilegedKnown: true}, got.Names)
}

func TestSplitImage(t *testing.T) {
	for in, want := range map[string][2]string{
		"nginx": {"nginx", ""}, "nginx:1.2": {"nginx", "1.2"}, "h:5000/a": {"h:5000/a", ""},
		"h:5000/a:2@sha256:00": {"h:5000/a", "2"}, "sha256:00": {"", ""}, "": {"", ""},
	} {
		name, tag := splitImage(in)
		require.Equal(t, want, [2]string{name, tag}, in)
	}
}

func TestPrivilegedSpec(t *testing.T) {
	h := newFakeHost(t)
	for text, want := range map[string]bool{
		`{"linux":{"resources":{"devices":[{"allow":true,"access":"rwm"}]}}}`:                                           true,
		`{"linux":{"resources":{"devices":[{"allow":false,"access":"rwm"}]}}}`:                                          false,
		`{"linux":{"resources":{"devices":[{"allow":true,"type":"c","major":1,"minor":3,"access":"rwm"}]}}}`:            false,
		`{"linux":{"maskedPaths":["/proc/kcore"],"resources":{"devices":[{"allow":true,"access":"rwm"}]}}}`:             false,
		`{"linux":{"resources":{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"a","access":"rwm"}]}}}`: true,
	} {
		h.write("config.json", text)
		spec, err := readSpec(filepath.Join(h.root, "config.json"))
		require.NoError(t, err)
		require.Equal(t, want, spec.privileged(), text)
	}
}

func FuzzReadSpec(f *testing.F) {
	f.Add([]byte(criSpec))
	f.Add([]byte(`{"annotations":null,"linux":{"cgroupsPath":"a:b:c"}}`))
	f.Add([]byte(`[`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := filepath.Join(dir, "config.json")
		require.NoError(t, os.WriteFile(file, raw, 0o600))
		spec, err := readSpec(file)
		if err != nil {
			return
		}
		n := spec.names(dir)
		require.LessOrEqual(t, len(n.Name), maxName)
		require.True(t, spec.cgroup() == "" || spec.cgroup()[0] == '/')
	})
}

func TestRootWithPatternCharacters(t *testing.T) {
	h := newFakeHost(t)
	h.root = filepath.Join(h.root, `od[d]*\?`)
	h.write("var/lib/containers/storage/vfs-containers/"+id1+"/userdata/config.json", `{"annotations":{"io.kubernetes.pod.name":"p"}}`)
	_, by, ok := storageNames(h.root, id1)
	require.True(t, ok)
	require.Equal(t, RuntimeCRIO, by)
}
