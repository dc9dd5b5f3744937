package container

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	id1     = "3f2a8c5d7e9b1a4c6d8e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c"
	id2     = "aa11bb22cc33dd44ee55ff6600778899aa11bb22cc33dd44ee55ff6600778899"
	uid     = "1b0f7d3a-6c1e-4b7d-9f5a-0c2e4a6b8d0f"
	uidUnit = "1b0f7d3a_6c1e_4b7d_9f5a_0c2e4a6b8d0f"
	uidHash = "5e8ff9bf55ba3508199d22e984129be6"
)

func TestParseCgroup(t *testing.T) {
	kube := Ref{ContainerID: id1, PodUID: uid}
	containerd := Ref{ContainerID: id1, PodUID: uid, Runtime: RuntimeContainerd}
	crio := Ref{ContainerID: id1, PodUID: uid, Runtime: RuntimeCRIO}
	docker := Ref{ContainerID: id1, Runtime: RuntimeDocker}
	podman := Ref{ContainerID: id1, Runtime: RuntimePodman}
	slices := "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uidUnit + ".slice/"

	tests := []struct {
		name, path string
		want       Ref
	}{
		// Kubernetes, cgroupfs driver.
		{"guaranteed", "/kubepods/pod" + uid + "/" + id1, kube},
		{"burstable", "/kubepods/burstable/pod" + uid + "/" + id1, kube},
		{"best effort", "/kubepods/besteffort/pod" + uid + "/" + id1, kube},
		{"own cgroup root", "/kt-n1/kubepods/besteffort/pod" + uid + "/" + id1, kube},
		{"static pod", "/kubepods/burstable/pod" + uidHash + "/" + id1, Ref{ContainerID: id1, PodUID: uidHash}},
		{"cri-o without systemd", "/kubepods/burstable/pod" + uid + "/crio-" + id1, crio},
		{"sub-cgroup of the container", "/kubepods/pod" + uid + "/" + id1 + "/init", kube},
		{"systemd in the container", "/kubepods/pod" + uid + "/" + id1 + "/system.slice/nginx.service", kube},
		{"the pod's own cgroup", "/kubepods/burstable/pod" + uid, Ref{PodUID: uid}},
		{"seen from another cgroup namespace", "/../../kubepods/besteffort/pod" + uid + "/" + id1, kube},
		{"seen from inside", "/../..", Ref{}},
		{"quality-of-service level", "/kubepods/besteffort", Ref{}},

		// Kubernetes, systemd driver.
		{"containerd burstable", slices + "cri-containerd-" + id1 + ".scope", containerd},
		{"containerd guaranteed", "/kubepods.slice/kubepods-pod" + uidUnit + ".slice/cri-containerd-" + id1 + ".scope", containerd},
		{"static pod, systemd", "/kubepods.slice/kubepods-pod" + uidHash + ".slice/cri-containerd-" + id1 + ".scope", Ref{ContainerID: id1, PodUID: uidHash, Runtime: RuntimeContainerd}},
		{"cri-o", slices + "crio-" + id1 + ".scope", crio},
		{"cri-o with crun", slices + "crio-" + id1 + ".scope/container", crio},
		{"cri-o's monitor", slices + "crio-conmon-" + id1 + ".scope", Ref{SystemdUnit: "crio-conmon-" + id1 + ".scope"}},
		{"cri-dockerd", slices + "docker-" + id1 + ".scope", Ref{ContainerID: id1, PodUID: uid, Runtime: RuntimeDocker}},
		{"containerd as a unit, cgroupfs", "/system.slice/containerd.service/kubepods-burstable-pod" + uidUnit + ".slice:cri-containerd:" + id1, containerd},
		{"cri-o, colon form", "/system.slice/crio.service/kubepods-besteffort-pod" + uidUnit + ".slice:crio:" + id1, crio},

		// Nested.
		{"kind, systemd", "/docker/" + id2 + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" + uidUnit + ".slice/cri-containerd-" + id1 + ".scope", containerd},
		{"kind, prefix only", "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + uidUnit + ".slice/cri-containerd-" + id1 + ".scope", containerd},
		{"kind, cgroupfs", "/docker/" + id2 + "/kubelet/kubepods/besteffort/pod" + uid + "/" + id1, kube},
		{"the node itself", "/docker/" + id1 + "/system.slice/kubelet.service", docker},
		{"docker in a pod", "/kubepods/pod" + uid + "/" + id2 + "/docker/" + id1, Ref{ContainerID: id1, PodUID: uid, Runtime: RuntimeDocker}},
		{"monitor in a container", "/docker/" + id1 + "/kubepods.slice/kubepods-pod" + uidUnit + ".slice/crio-conmon-" + id2 + ".scope", docker},

		// Docker, podman, containerd alone.
		{"docker cgroupfs", "/docker/" + id1, docker},
		{"docker systemd", "/system.slice/docker-" + id1 + ".scope", docker},
		{"docker rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id1 + ".scope", docker},
		{"podman cgroupfs", "/libpod_parent/libpod-" + id1, podman},
		{"podman systemd", "/machine.slice/libpod-" + id1 + ".scope", podman},
		{"podman in its pod", "/machine.slice/machine-libpod_pod_" + id2 + ".slice/libpod-" + id1 + ".scope/container", podman},
		{"podman's monitor", "/machine.slice/libpod-conmon-" + id1 + ".scope", Ref{SystemdUnit: "libpod-conmon-" + id1 + ".scope"}},
		{"ctr", "/default/web", Ref{ContainerID: "web", Namespace: "default", Runtime: RuntimeContainerd, Tentative: true}},
		{"ctr or nerdctl, id", "/default/" + id1, Ref{ContainerID: id1, Namespace: "default"}},
		{"nerdctl systemd", "/system.slice/nerdctl-" + id1 + ".scope", Ref{ContainerID: id1, Runtime: RuntimeContainerd}},
		{"free path with an id", "/a/b/c/" + id1, Ref{ContainerID: id1}},

		// Others.
		{"lxc", "/lxc.payload.web", Ref{ContainerID: "web", Runtime: RuntimeLXC}},
		{"lxc, systemd inside", "/lxc.payload.web/system.slice/nginx.service", Ref{ContainerID: "web", Runtime: RuntimeLXC}},
		{"lxc before 4", "/lxc/web", Ref{ContainerID: "web", Runtime: RuntimeLXC}},
		{"lxc's monitor", "/lxc.monitor.web", Ref{}},
		{"nspawn service", "/machine.slice/systemd-nspawn@web.service/payload", Ref{ContainerID: "web", Runtime: RuntimeNspawn}},
		{"nspawn's supervisor", "/machine.slice/systemd-nspawn@web.service/supervisor", Ref{SystemdUnit: "systemd-nspawn@web.service"}},
		{"nspawn scope", `/machine.slice/machine-my\x2dweb.scope`, Ref{ContainerID: "my-web", Runtime: RuntimeNspawn}},
		{"virtual machine", `/machine.slice/machine-qemu\x2d1\x2dvm.scope`, Ref{SystemdUnit: "machine-qemu-1-vm.scope"}},
		{"ecs", "/ecs/" + uidHash + "/" + id1, docker},
		{"fargate", "/ecs/" + uidHash + "/" + uidHash + "-1234567890", Ref{ContainerID: uidHash + "-1234567890", Runtime: RuntimeDocker}},

		// The host's own.
		{"root", "/", Ref{}},
		{"empty", "", Ref{}},
		{"service", "/system.slice/nginx.service", Ref{SystemdUnit: "nginx.service"}},
		{"below a service", "/system.slice/docker.service/init", Ref{SystemdUnit: "docker.service"}},
		{"containerd itself", "/system.slice/containerd.service", Ref{SystemdUnit: "containerd.service"}},
		{"template", `/system.slice/system-postgresql.slice/postgresql@15-main.service`, Ref{SystemdUnit: "postgresql@15-main.service"}},
		{"session", "/user.slice/user-1000.slice/session-3.scope", Ref{SystemdUnit: "session-3.scope"}},
		{"user service", "/user.slice/user-1000.slice/user@1000.service/app.slice/sync.service", Ref{SystemdUnit: "sync.service"}},
		{"init", "/init.scope", Ref{}},
		{"mount unit", "/system.slice/tmp.mount", Ref{}},
		{"three plain segments", "/a/b/c", Ref{}},
		{"upper case is no id", "/docker/" + strings.ToUpper(id1), Ref{ContainerID: strings.ToUpper(id1), Namespace: "docker", Runtime: RuntimeContainerd, Tentative: true}},
		{"63 digits", "/x/y/" + id1[1:], Ref{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, ParseCgroup(tt.path))
		})
	}
}

func FuzzParseCgroup(f *testing.F) {
	for _, s := range []string{
		"/", "/../../x", "/kubepods/pod" + uid + "/" + id1, "/docker/" + id1, "/default/web",
		"/machine.slice/machine-a\\x2db.scope", "/system.slice/a.service/kubepods-pod" + uidUnit + ".slice:crio:" + id1,
		"/lxc.payload.", "/ecs//", "pod", "/a:b:", "//", "/machine.slice/systemd-nspawn@.service",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		ref := ParseCgroup(path)
		if ref.IsContainer() {
			require.Empty(t, ref.SystemdUnit, "a container is no unit")
		}
		if ref.Tentative {
			require.True(t, ref.IsContainer())
		}
		if ref.PodUID != "" {
			require.True(t, isUUID(ref.PodUID) || len(ref.PodUID) == 32)
		}
		require.Equal(t, ref, ParseCgroup("/../.."+"/"+path), "leading .. must not matter")
	})
}

func BenchmarkParseCgroup(b *testing.B) {
	path := "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uidUnit + ".slice/cri-containerd-" + id1 + ".scope"
	b.ReportAllocs()
	for b.Loop() {
		ParseCgroup(path)
	}
}
