package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var credentialsScenarios = []scenario{
	{
		rule: "Secret of the system read",
		fires: []activity{
			open("/etc/shadow", rdonly, by("cat /etc/shadow"), below("bash")),
			open("/etc/shadow", rdonly, by("cat /srv/notes"), through("/srv/notes")),
			open("/etc/sudoers.d/deploy", rdonly, by("less"), in("web")),
			open("/etc/shadow", rdonly, by("/tmp/sshd")),
			open("/etc/shadow", rdonly, by("sightglass policy check /etc/shadow"), below("bash")),
			open("/etc/gshadow", rdonly, by("sudo"), attr("sightglass.process.upper_layer", true), in("web")),
			open("/etc/shadow", rdonly, by("tar cf - /etc/shadow"), below("bash")),
			open("/etc/shadow", rdonly, by("tar cf - /etc"), attr(schema.ProcessStdoutTo, "nc")),
			open("/etc/shadow", rdonly, by("tar cf x /etc"), in("web")),
			open("/etc/shadow", rdonly, by("tar cf x /etc"), user(1000, "ada")),
			open("/etc/shadow", rdonly, by("/tmp/tar cf x /etc")),
			open("/etc/sudoers", rdonly, by("vi"), underLock),
			open("/etc/shadow", rdonly, by("vi"), underLock),
			open("/etc/sudoers.d/x.tmp", rdonly, by("vi"), below("visudo")),
			open("/etc/sudoers.d/x.tmp", rdonly, by("cat"), underLock),
		},
		silent: []activity{
			open("/etc/shadow", rdonly, by("/usr/sbin/sshd -D"), below("systemd")),
			open("/etc/shadow", rdonly, by("unix_chkpwd root nullok"), below("sudo")),
			open("/etc/sudoers", rdonly, by("sudoedit /etc/motd")),
			open("/etc/sudoers.d/x.tmp", rdonly, by("vi"), underLock),
			open("/etc/sudoers.d/.x.tmp.swp", rdonly, by("vim.basic"), underLock),
			open("/etc/shadow", rdonly, by("perl x.postinst"), below("x.postinst", "dpkg", "apt-get")),
			open("/etc/shadow", rdonly, by("tar czf etc.tgz /etc"), below("bash")),
			open("/etc/passwd", rdonly, by("cat")),
			open("/etc/shadow", rdonly, by("cat"), failed(13)),
			open("/etc/shadow", wronly, by("cat")),
		},
	},
	{
		rule: "Private key or cloud credential read",
		fires: []activity{
			open("/root/.ssh/id_ed25519", rdonly, by("cat")),
			open("/home/ada/.aws/credentials", rdonly, by("python3 x.py")),
			open("/etc/ssh/ssh_host_rsa_key", rdonly, by("tar"), through("/srv/link")),
		},
		silent: []activity{
			open("/root/.ssh/id_ed25519", rdonly, by("ssh host")),
			open("/root/.ssh/known_hosts", rdonly, by("cat")),
			open("/home/ada/.ssh/id_ed25519.pub", rdonly, by("cat")),
			open("/etc/ssh/ssh_host_rsa_key", rdonly, by("/usr/sbin/sshd")),
			open("/etc/kubernetes/pki/ca.crt", rdonly, by("cat")),
		},
	},
	{
		rule: "Credential of the cluster read",
		fires: []activity{
			open("/etc/kubernetes/admin.conf", rdonly, by("cp")),
			open("/var/lib/kubelet/pki/kubelet-client-current.pem", rdonly, by("cat")),
			open("/root/.kube/config", rdonly, by("python3 x.py")),
		},
		silent: []activity{
			open("/etc/kubernetes/admin.conf", rdonly, by("kubectl get pods")),
			open("/var/lib/kubelet/pki/kubelet-client-current.pem", rdonly, by("kubelet")),
			open("/etc/kubernetes/pki/ca.crt", rdonly, by("cat")),
		},
	},
	{
		rule: "Link to a secret made",
		fires: []activity{
			symlink("/etc/shadow", "/srv/x", by("ln -s")),
			hardlink("/etc/shadow", "/srv/x", by("ln")),
		},
		silent: []activity{
			hardlink("/etc/shadow", "/etc/shadow.lock", by("usermod")),
			symlink("/srv/x", "/etc/shadow.link", by("ln -s")),
			symlink("/etc/localtime", "/srv/x", by("ln -s")),
		},
	},
	{
		rule: "Environment of another process read",
		fires: []activity{
			open("/proc/77/environ", rdonly, by("cat"), in("web")),
			open("/proc/1/environ", rdonly, by("/tmp/ps")),
			open("/proc/1/environ", rdonly, by("/tmp/sightglass run")),
		},
		silent: []activity{
			open("/proc/self/environ", rdonly, by("cat"), in("web")),
			open("/proc/77/environ", rdonly, by("ps auxe")),
			open("/proc/77/environ", rdonly, by("/tmp/sightglass run"), itself()),
			open("/proc/77/environ", rdonly, by("sightglass run")), // a second one, beside the service
			open("/proc/77/status", rdonly, by("cat")),
			open("/proc/77/environ", rdonly, by("cat"), failed(13)),
		},
	},
	{
		rule: "Search for credentials",
		fires: []activity{
			exec("find / -name id_rsa"),
			exec("grep -r aws_secret_access_key /", in("web")),
		},
		silent: []activity{
			exec("find / -name x"),
			exec("ls /root/.ssh/id_rsa"),
			exec("grep -q id_rsa x", below("x.postinst", "dpkg")),
		},
	},
	{
		rule: "Secrets copied by a backup",
		fires: []activity{
			open("/etc/shadow", rdonly, by("tar czf /var/backups/etc.tgz /etc"), below("bash")),
			open("/etc/ssh/ssh_host_rsa_key", rdonly, by("rsync -a /etc/ /var/backups/etc/"), below("sh", "cron")),
			open("/etc/kubernetes/admin.conf", rdonly, by("restic backup /"), below("systemd")),
		},
		silent: []activity{
			open("/etc/passwd", rdonly, by("tar czf etc.tgz /etc")),
			open("/etc/shadow", rdonly, by("cat /etc/shadow")),
			open("/etc/shadow", rdonly, by("tar cf x /etc"), in("web")),
		},
	},
}
