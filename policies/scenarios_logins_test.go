package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var loginsScenarios = []scenario{
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
			chmod("/usr/lib/mysql/plugin/x", 0o4755, by("chmod 04755 x"), below("mariadb-install-db", "bash")),
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
		rule: "Login over SSH",
		fires: []activity{
			exec("-bash", file("/usr/bin/bash"), named("bash"), below("sshd-session", "sshd"), login(someone), tty(pts0)),
			exec("bash -c uptime", below("sshd", "sshd", "systemd"), login(root)),
			exec("-bash", file("/usr/bin/bash"), named("bash"), below("sshd", "sshd"), tty(pts0)),
			exec("ash -c uptime", below("dropbear")),
		},
		silent: []activity{
			exec("authorized-keys ada", below("sshd")),
			exec("/usr/sbin/sshd -R", below("sshd")),
			exec("sh -c /usr/bin/env run-parts --lsbsysinit /etc/update-motd.d", below("sshd"), login(someone)),
			exec("bash", below("bash", "sshd"), login(someone)),
			exec("bash", below("sshd")),
			exec("uptime", below("sshd", "sshd"), login(someone), attr("sightglass.process.replaced", "bash")),
		},
	},
	{
		rule: "Change to another user",
		fires: []activity{
			exec("sudo -i", below("bash"), login(someone), tty(pts0)),
			exec("su -", below("bash"), login(someone)),
			exec("sudo -l id", below("bash"), login(someone)),
			exec("sudo -k id", below("bash"), login(someone)),
			exec("sudo -l -R /srv id", below("bash"), login(someone)),
			exec("sudo -l", file("/home/x/sudo"), below("bash"), login(someone)),
			exec("su -l", below("bash"), login(someone)),
		},
		silent: []activity{
			exec("sudo -l", below("bash"), login(someone), tty(pts0)),
			exec("sudo -n -v", below("sh"), login(someone)),
			exec("sudo -k", below("bash"), login(someone)),
			exec("sudo -u app x", below("cron")),
			exec("runuser -u postgres psql", below("bash"), login(root)),
			exec("su app", below("sudo", "bash"), login(someone)),
			exec("id", below("bash"), login(someone)),
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
			execArgs("sh", []string{"-c", "id"}, user(70, "postgres"), tty(pts0), below("postgres")),
			exec("bash", user(70, "postgres"), tty(pts0), below("initdb", "pg_createcluster")),
		},
		silent: []activity{
			exec("bash", user(33, "www-data"), tty(pts0), below("su", "bash", "sshd")),
			exec("bash", user(33, "www-data"), below("cron")),
			exec("bash", user(someone, "ada"), tty(pts0), below("sshd")),
			exec("psql", user(70, "postgres"), tty(pts0), below("bash")),
			exec("sh -c locale -a", user(70, "postgres"), tty(pts0), below("postgres", "sh", "initdb", "pg_createcluster", "postgresql-15.postinst", "frontend", "dpkg", "apt-get")),
			execArgs("sh", []string{"-c", "/usr/lib/postgresql/15/bin/postgres -V"}, user(70, "postgres"), tty(pts0), below("initdb", "pg_createcluster", "bash", "sshd")),
		},
	},
	{
		rule: "Account added or changed",
		fires: []activity{
			exec("useradd -o -u 0 x", below("bash"), login(someone)),
			exec("usermod -aG sudo x", below("sh")),
			exec("useradd -o -u 0 x", in("web")),
			exec("passwd -u x", below("bash")),
			exec("chage -E -1 x", below("bash")),
			exec("groupdel x", below("bash")),
		},
		silent: []activity{
			exec("passwd -S x", below("bash")),
			exec("chage -l x", below("bash")),
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
}
