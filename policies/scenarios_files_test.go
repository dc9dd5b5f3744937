package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var filesScenarios = []scenario{
	{
		rule: "Rules of logging in changed",
		fires: []activity{
			open("/etc/passwd", wronly, by("vi")),
			open("/etc/pam.d/sshd", wronly, by("tee"), through("/srv/x")),
			rename("/etc/sudoers.new", "/etc/sudoers", by("mv")),
			chmod("/etc/shadow", 0o644, by("chmod")),
			chown("/etc/shadow", by("chown")),
			truncate("/etc/login.defs", by("tool")),
			call(schema.EventFileChange, "setxattr", 0, attr(schema.FilePath, "/etc/shadow"), arg("path", "/etc/shadow"), arg("name", "system.posix_acl_access")),
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
	{
		rule: "Something mounted over critical files",
		fires: []activity{
			mount("", "/srv/p", "/etc/passwd", by("mount --bind /srv/p /etc/passwd")),
			mount("tmpfs", "tmpfs", "/etc/sudoers.d", by("tool")),
			mount("", "/srv", "/proc/812", by("mount --bind /srv /proc/812")),
			call(schema.EventSyscall, "move_mount", 0, arg("to_dirfd", int64(-100)), arg("dir", "/usr/bin/su")),
		},
		silent: []activity{
			mount("", "/srv/p", "/mnt", by("mount --bind /srv/p /mnt")),
			mount("tmpfs", "tmpfs", "/etc/sudoers.d", by("tool"), failed(1)),
			mount("", "/usr/bin", "/usr/bin", named("(sd-executor)"), file("/usr/lib/systemd/systemd-executor")),
			mount("", "/x", "/etc/hosts", named("runc:[2:INIT]")),
			mount("overlay", "overlay", "/etc/passwd", by("tool"), in("web")),
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
}
