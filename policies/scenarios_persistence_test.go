package policies_test

var persistenceScenarios = []scenario{
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
		rule: "Scheduled job set by its own tool",
		fires: []activity{
			exec("crontab -", below("bash", "sshd")),
			exec("crontab /srv/jobs"),
			exec("at now", in("web")),
		},
		silent: []activity{
			exec("crontab -l"),
			exec("crontab -u root -", below("postinst", "dpkg", "apt-get")),
		},
	},
	{
		rule: "Hook of a repository changed",
		fires: []activity{
			open("/home/ada/src/.git/hooks/post-checkout", wronly|creat, by("sh")),
			rename("/srv/x", "/root/src/.git/hooks/pre-commit", by("mv")),
			symlink("/srv/x", "/home/ada/src/.git/hooks/pre-push", by("ln")),
		},
		silent: []activity{
			open("/home/ada/src/.git/hooks/pre-commit.sample", wronly|creat, by("cp")),
			open("/home/ada/src/.git/hooks/pre-commit", wronly|creat, by("git clone x")),
			open("/home/ada/src/.git/hooks/pre-commit", rdonly, by("sh")),
			open("/home/ada/src/.git/index", wronly, by("sh")),
		},
	},
}
