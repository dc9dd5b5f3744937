package policies_test

var escapeScenarios = []scenario{
	{
		rule: "Container reached for the host",
		fires: []activity{
			open("/proc/sys/kernel/core_pattern", wronly, by("sh"), in("web")),
			open("/sys/fs/cgroup/rdma/release_agent", wronly, by("sh"), in("web")),
		},
		silent: []activity{
			open("/proc/sys/kernel/core_pattern", wronly, by("sysctl")),
			open("/proc/sys/kernel/core_pattern", rdonly, by("cat"), in("web")),
		},
	},
	{
		rule: "Container opened a disk or the memory of the host",
		fires: []activity{
			open("/dev/sda1", rdonly, by("debugfs /dev/sda1"), in("web")),
			open("/dev/nvme0n1p1", wronly, by("dd"), in("web")),
			open("/dev/vda", rdonly, by("cat"), through("/srv/x"), in("web")),
			open("/dev/mem", rdonly, by("tool"), in("web")),
		},
		silent: []activity{
			open("/dev/sda1", rdonly, by("fdisk")),
			open("/dev/null", wronly, by("sh"), in("web")),
			open("/dev/sda1", rdonly, by("longhorn-manager"), in("longhorn")),
			open("/dev/sda1", rdonly, by("tool"), in("web"), failed(1)),
			open("/dev/shm/x", rdonly, by("tool"), in("web")),
		},
	},
	{
		rule: "Container talks to the container runtime",
		fires: []activity{
			connectUnix("/var/run/docker.sock", by("curl"), in("web")),
			connectUnix("/run/containerd/containerd.sock", by("ctr"), in("web")),
			connectUnix("/host/run/crio/crio.sock", by("tool"), in("web")),
		},
		silent: []activity{
			connectUnix("/var/run/docker.sock", by("docker ps")),
			connectUnix("/run/app.sock", by("curl"), in("web")),
			connectUnix("/var/run/docker.sock", by("traefik"), in("traefik")),
			connectUnix("/var/run/docker.sock", by("curl"), in("web"), failed(13)),
		},
	},
	{
		rule: "Container mounted a file system",
		fires: []activity{
			mount("ext4", "/dev/sda1", "/mnt", by("mount /dev/sda1 /mnt"), in("web")),
			mount("cgroup", "cgroup", "/tmp/x", by("mount -t cgroup -o rdma cgroup /tmp/x"), in("web")),
		},
		silent: []activity{
			mount("ext4", "/dev/sda1", "/mnt", by("mount")),
			mount("tmpfs", "tmpfs", "/run", by("systemd"), in("web")),
			mount("proc", "proc", "/proc", named("runc:[2:INIT]"), in("web")),
			mount("ext4", "/dev/sda1", "/mnt", by("mount"), in("web"), failed(1)),
		},
	},
	{
		rule: "Container entered another namespace",
		fires: []activity{
			other("setns", arg("fd", int64(3)), by("nsenter -t 1 -m sh"), in("web")),
		},
		silent: []activity{
			other("setns", arg("fd", int64(3)), by("nsenter -t 1 -m sh")),
			other("setns", arg("fd", int64(3)), named("runc:[2:INIT]"), in("web")),
			other("setns", arg("fd", int64(3)), by("cilium-agent"), in("cilium")),
			other("setns", arg("fd", int64(3)), by("nsenter"), in("web"), failed(1)),
		},
	},
	{
		rule: "Container made a user namespace",
		fires: []activity{
			other("unshare", arg("flags", int64(0x10000000)), by("unshare -r"), in("web")),
			other("unshare", arg("flags", int64(0x10020000)), by("exploit"), in("web")),
		},
		silent: []activity{
			other("unshare", arg("flags", int64(0x10000000)), by("unshare -r")),
			other("unshare", arg("flags", int64(0x00020000)), by("tool"), in("web")),
			other("unshare", arg("flags", int64(0x10000000)), by("chrome"), in("web")),
			other("unshare", arg("flags", int64(0x10000000)), by("exploit"), in("web"), failed(1)),
		},
	},
	{
		rule: "Container looked through another root",
		fires: []activity{
			open("/proc/1/root/etc/hostname", rdonly, by("cat"), in("web"), attr("sightglass.file.path.resolved", "/etc/hostname")),
			other("chroot", arg("path", "/host"), by("chroot /host"), in("web")),
			other("chroot", arg("path", "/host"), by("python3 x"), in("web")),
		},
		silent: []activity{
			other("chroot", arg("path", "/host"), by("chroot /host"), in("web"), failed(1)),
			other("chroot", arg("path", "/host"), by("chroot /host")),
			other("chroot", arg("path", "/run/sshd"), by("sshd"), in("web")),
			other("chroot", arg("path", "/fs"), by("chroot /fs"), below("debootstrap"), in("builder")),
			open("/proc/1/root/etc/hostname", rdonly, by("cat")),
			open("/proc/1/status", rdonly, by("cat"), in("web")),
		},
	},
	{
		rule: "Kernel module loaded by a container",
		fires: []activity{
			other("init_module", by("insmod x.ko"), in("web")),
			other("finit_module", by("tool"), in("web"), failed(1)),
		},
		silent: []activity{
			other("init_module", by("insmod x.ko")),
			other("finit_module", by("nvidia-installer"), in("driver")),
		},
	},
	{
		rule: "eBPF program loaded by a container",
		fires: []activity{
			other("bpf", arg("cmd", int64(5)), by("tool"), in("web")),
		},
		silent: []activity{
			other("bpf", arg("cmd", int64(5)), by("tool")),
			other("bpf", arg("cmd", int64(0)), by("tool"), in("web")),
			other("bpf", arg("cmd", int64(5)), by("cilium-agent"), in("cilium")),
			other("bpf", arg("cmd", int64(5)), by("tool"), in("web"), failed(1)),
		},
	},
	{
		rule: "File opened past all directories",
		fires: []activity{
			call("sightglass.file.open", "open_by_handle_at", 3, by("shocker"), in("web")),
		},
		silent: []activity{
			call("sightglass.file.open", "open_by_handle_at", 3, by("systemd")),
			call("sightglass.file.open", "open_by_handle_at", 3, by("shocker"), in("web"), failed(1)),
			call("sightglass.file.open", "open_by_handle_at", 3, by("ganesha.nfsd"), in("nfs")),
		},
	},
	{
		rule: "Device node made in a container",
		fires: []activity{
			other("mknod", arg("path", "/tmp/x"), arg("mode", int64(0o60600)), by("mknod /tmp/x b 8 0"), in("web")),
		},
		silent: []activity{
			other("mknod", arg("path", "/tmp/x"), arg("mode", int64(0o10600)), by("mkfifo /tmp/x"), in("web")),
			other("mknod", arg("path", "/tmp/x"), arg("mode", int64(0o60600)), by("mknod /tmp/x b 8 0")),
			other("mknod", arg("path", "/dev/x"), arg("mode", int64(0o60600)), named("runc:[2:INIT]"), in("web")),
		},
	},
}
