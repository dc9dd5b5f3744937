package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var evasionScenarios = []scenario{
	{
		rule: "Shell history deleted",
		fires: []activity{
			unlink("/root/.bash_history", by("rm")),
			open("/home/ada/.bash_history", wronly|trunc, by("bash")),
			rename("/root/.zsh_history", "/srv/x", by("mv")),
			symlink("/dev/null", "/root/.bash_history", by("ln -s")),
			rename("/root/CuX1b2", "/root/.bash_history", by("ln -sf")),
			unlink("/home/ada/.local/share/fish/fish_history", by("rm")),
		},
		silent: []activity{
			open("/root/.bash_history", wronly|creat, by("bash")),
			open("/root/.bash_history", wronly|creat|trunc, by("bash"), attr("sightglass.file.created", true)),
			rename("/root/.bash_history-123.tmp", "/root/.bash_history", by("bash")),
			rename("/root/.bash_history", "/root/.bash_history-", by("bash")),
			unlink("/home/ada/.bash_history", by("/usr/sbin/userdel -r ada")),
			unlink("/srv/history", by("rm")),
			unlink("/srv/shop/order_history", by("rm")),
		},
	},
	{
		rule: "Another process was traced",
		fires: []activity{
			ptrace(16, 77, by("/srv/injector")),
			ptrace(5, 77, by("python3"), in("web")),
			ptrace(16, 77, by("gdb -p 77"), in("web")),
			ptrace(16, 77, by("/tmp/gdb")),
		},
		silent: []activity{
			ptrace(16, 77, by("gdb -p 77")),
			ptrace(0, 0, by("/srv/self")),
			ptrace(16, 77, by("/srv/injector"), failed(1)),
			ptrace(7, 77, by("/srv/injector")),
		},
	},
	{
		rule: "Kernel module loaded by hand",
		fires: []activity{
			other("finit_module", by("/srv/loader")),
			other("init_module", by("/tmp/insmod x.ko")),
		},
		silent: []activity{
			other("finit_module", by("modprobe loop")),
			other("finit_module", by("/srv/loader"), failed(1)),
			other("finit_module", by("depmod"), below("x.postinst", "dpkg")),
		},
	},
	{
		rule: "Memory of another process written",
		fires: []activity{
			call("sightglass.syscall", "process_vm_writev", 8, arg("pid", int64(77)), by("/srv/injector")),
			open("/proc/77/mem", wronly, by("python3"), in("web")),
		},
		silent: []activity{
			call("sightglass.syscall", "process_vm_writev", 8, arg("pid", int64(77)), by("gdb")),
			call("sightglass.syscall", "process_vm_writev", 8, arg("pid", int64(77)), by("/srv/injector"), failed(1)),
			open("/proc/77/mem", rdonly, by("python3"), in("web")),
			open("/proc/self/mem", wronly, by("python3")),
		},
	},
	{
		rule: "System log deleted",
		fires: []activity{
			open("/var/log/auth.log", wronly|trunc, by("bash")),
			unlink("/var/log/wtmp", by("rm")),
			rename("/var/log/syslog", "/srv/x", by("mv")),
		},
		silent: []activity{
			rename("/var/log/syslog", "/var/log/syslog.1", by("logrotate")),
			open("/var/log/auth.log", wronly, by("rsyslogd")),
			open("/var/log/app.log", wronly|trunc, by("app")),
			unlink("/var/log/syslog.7.gz", by("/usr/sbin/logrotate")),
		},
	},
	{
		rule: "Protection switched off",
		fires: []activity{
			exec("setenforce 0"),
			exec("systemctl stop auditd"),
			exec("auditctl -e 0"),
			exec("iptables -F"),
		},
		silent: []activity{
			exec("systemctl status auditd"),
			exec("systemctl stop nginx"),
			exec("systemctl stop auditd", below("auditd.prerm", "dpkg")),
			exec("iptables -L"),
			exec("setenforce 1"),
		},
	},
	{
		rule: "Data wiped",
		fires: []activity{
			exec("shred -u x"),
			exec("dd if=/dev/zero of=/dev/sda"),
		},
		silent: []activity{
			exec("dd if=/dev/zero of=/srv/x"),
			exec("rm -rf /srv/x"),
		},
	},
	{
		rule: "Memory of another process read",
		fires: []activity{
			call(schema.EventSyscall, "process_vm_readv", 8, arg("pid", int64(1))),
			call(schema.EventSyscall, "pidfd_getfd", 5, by("tool"), in("web")),
			open("/proc/812/mem", rdonly, by("cat")),
		},
		silent: []activity{
			call(schema.EventSyscall, "process_vm_readv", -1, arg("pid", int64(1))),
			call(schema.EventSyscall, "process_vm_readv", 8, by("strace -p 1")),
			open("/proc/self/mem", rdonly, by("tool")),
			open("/proc/812/mem", rdonly, by("tool"), itself()),
			open("/proc/812/status", rdonly, by("cat")),
		},
	},
	{
		rule: "Helper of the kernel changed",
		fires: []activity{
			open("/proc/sys/kernel/core_pattern", wronly, by("bash")),
			open("/proc/sys/kernel/modprobe", wronly, by("tee"), through("/srv/x")),
		},
		silent: []activity{
			open("/proc/sys/kernel/core_pattern", wronly, by("systemd-sysctl")),
			open("/proc/sys/kernel/core_pattern", rdonly, by("cat")),
			open("/proc/sys/kernel/hostname", wronly, by("bash")),
		},
	},
	{
		rule: "Disk read past the file system",
		fires: []activity{
			open("/dev/vda1", rdonly, by("debugfs -R ls /dev/vda1")),
			open("/dev/sda", rdonly, by("grep x /dev/sda")),
		},
		silent: []activity{
			open("/dev/vda1", rdonly, by("blkid")),
			open("/dev/null", rdonly, by("cat")),
			open("/dev/vda1", rdonly, by("debugfs /dev/vda1"), failed(13)),
		},
	},
	{
		rule: "Memory of the machine read",
		fires: []activity{
			open("/dev/mem", rdonly, by("cat")),
			open("/proc/kcore", rdonly, by("tool")),
		},
		silent: []activity{
			open("/dev/mem", rdonly, by("dmidecode")),
			open("/proc/kcore", rdonly, by("cat"), failed(1)),
		},
	},
	{
		rule: "Calls hidden from observation",
		fires: []activity{
			call(schema.EventSyscall, "io_uring_setup", 4, file("/home/ada/curing")),
			call(schema.EventSyscall, "io_uring_setup", 4, in("web"), attr(schema.ProcessUpperLayer, true)),
			call(schema.EventSyscall, "io_uring_setup", 4, by("/home/ada/node x.js")),
			call(schema.EventSyscall, "io_uring_setup", 4, by("/tmp/.nvm/versions/node/v22/bin/node x.js")),
			call(schema.EventSyscall, "io_uring_setup", 4, by("/root/.nvm/versions/curing")),
		},
		silent: []activity{
			call(schema.EventSyscall, "io_uring_setup", 4, by("mariadbd")),
			call(schema.EventSyscall, "io_uring_setup", 4, by("/root/.nvm/versions/node/v22.1.0/bin/node x.js")),
			call(schema.EventSyscall, "io_uring_setup", 4, in("web"), file("/app/server")),
			call(schema.EventSyscall, "io_uring_setup", -1, file("/home/ada/curing")),
		},
	},
}
