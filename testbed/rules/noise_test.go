package rules

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// routine is what machines do all day.
type routine struct {
	name  string
	needs []string // programs, without which it is left out
	shell string   // run by sh in an empty folder on the host
}

var routines = []routine{
	{"package", []string{"dpkg-deb", "dpkg"}, `
mkdir -p p/DEBIAN p/usr/bin p/etc/routine p/usr/lib/systemd/system p/usr/lib/routine
printf 'Package: routine\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' >p/DEBIAN/control
printf '#!/bin/sh\nset -e\nchmod 4755 /usr/bin/routine\nln -sf /usr/bin/routine /etc/routine/link\ntouch /usr/lib/routine/libx.so.1\n' >p/DEBIAN/postinst
printf '#!/bin/sh\nrm -f /etc/routine/link /usr/lib/routine/libx.so.1\n' >p/DEBIAN/prerm
chmod 755 p/DEBIAN/postinst p/DEBIAN/prerm
printf '#!/bin/sh\n' >p/usr/bin/routine; chmod 755 p/usr/bin/routine
printf '[Service]\nExecStart=/usr/bin/routine\n' >p/usr/lib/systemd/system/routine.service
echo x >p/etc/routine/conf
dpkg-deb --root-owner-group -b p routine.deb
dpkg -i routine.deb
dpkg -P routine`},
	{"java", []string{"javac", "java"}, `
printf 'class Hello { public static void main(String[] a) throws Exception { new Thread(() -> System.out.println("hello")).start(); } }\n' >Hello.java
javac Hello.java
java -Xmx64m Hello`},
	{"postgres", []string{"runuser", "/usr/lib/postgresql/*/bin/postgres"}, `
bin=$(dirname /usr/lib/postgresql/*/bin/postgres)
chown postgres .
runuser -u postgres -- sh -ec "$bin/initdb -D data >log; $bin/pg_ctl -D data -o \"-c listen_addresses= -k $PWD\" -l log -w start
$bin/psql -h $PWD -d postgres -c 'create table t(i int)' -c 'insert into t values (1)' -c 'select count(*) from t'
$bin/pg_dump -h $PWD -Fc postgres >dump
$bin/pg_ctl -D data -m fast -w stop"`},
	{"archive", []string{"runuser", "/usr/lib/postgresql/*/bin/postgres"}, `
bin=$(dirname /usr/lib/postgresql/*/bin/postgres)
mkdir files
chown -R postgres .
runuser -u postgres -- sh -ec "$bin/initdb -D data >log
echo \"archive_mode=on\" >>data/postgresql.conf
echo \"archive_command='test ! -f $PWD/files/%f && cp %p $PWD/files/%f'\" >>data/postgresql.conf
$bin/pg_ctl -D data -o \"-c listen_addresses= -k $PWD\" -l log -w start
$bin/psql -h $PWD -d postgres -c 'create table t(i int)' -c 'select pg_switch_wal()'
until ls files | grep -q 0; do sleep 0.1; done
$bin/pg_ctl -D data -m fast -w stop"`},
	{"visudo", []string{"visudo", "vi"}, `
EDITOR='vi -es -c :wq' visudo -f /etc/sudoers.d/new || true`},
	{"monitoring", []string{"ps", "top"}, `
ps auxe >/dev/null
top -b -n 1 >/dev/null
ss -tunap >/dev/null 2>&1 || true
lsof -n >/dev/null 2>&1 || true`},
	{"nginx", []string{"nginx"}, `
mkdir -p logs html
printf 'daemon on; pid %s/pid; error_log %s/e; events {} http { access_log off; server { listen 127.0.0.1:18080; root %s/html; } }\n' $PWD $PWD $PWD >c
nginx -e $PWD/e -c $PWD/c
nginx -e $PWD/e -c $PWD/c -s reload
nginx -e $PWD/e -c $PWD/c -s stop`},
	{"accounts", []string{"useradd", "userdel", "su"}, `
su root -c true
id root
getent passwd root`},
	{"build", []string{"make", "cc", "git"}, `
git init -q origin
printf 'int main(void) { return 0; }\n' >origin/x.c
printf 'x: x.c\n\tcc -o x x.c\n\t./x\n' >origin/Makefile
git -C origin add .
git -C origin -c user.name=x -c user.email=x@example.org commit -qm x
git clone -q origin clone
make -s -C clone
git -C clone gc -q`},
	{"python", []string{"python3", "/usr/lib/python3/dist-packages/ensurepip", "curl"}, `
python3 -m venv venv
venv/bin/python -c 'import json'
v=$(curl -s -m 1 http://127.0.0.1:9/version || true)
curl -s -m 1 http://127.0.0.1:9/ | cat`},
	{"editing", []string{"vi"}, `
vi -es -c ':q!' /etc/hosts </dev/null || true`},
	{"certificates", []string{"update-ca-certificates"}, `
update-ca-certificates --fresh >/dev/null 2>&1`},
	{"files", []string{"logrotate", "rsync", "tar"}, `
mkdir d; echo x >d/x; echo x >log
rsync -a d/ e/
tar czf d.tgz d
printf '%s/log { rotate 1\n size 0\n create\n}\n' $PWD >rotate
chmod 644 rotate
logrotate -f -s $PWD/state rotate`},
	{"chroot", []string{"busybox", "chroot"}, `
mkdir -p root/bin root/etc root/usr/bin
cp "$(command -v busybox)" root/bin/busybox
for i in 1 2 3; do
chroot root /bin/busybox touch /etc/passwd /etc/new /usr/bin/new
chroot root /bin/busybox chmod 600 /etc/passwd
chroot root /bin/busybox ln -s passwd /etc/link
chroot root /bin/busybox mv /etc/new /etc/shadow
chroot root /bin/busybox mkdir /etc/d
chroot root /bin/busybox rmdir /etc/d
chroot root /bin/busybox rm /etc/shadow /etc/link /usr/bin/new
done`},
	{"reading", []string{"grep", "find"}, `
cat /etc/passwd /etc/hosts >/dev/null
grep root /etc/group
find /usr/share -maxdepth 1 -name 'z*'
ls -la /root /var/log >/dev/null
ps ax >/dev/null
date; uptime; df -h >/dev/null; env >/dev/null`},
}

// harmless are acts that come close to what policies are about.
var harmless = []deed{
	{"a file that everybody reads", anywhere, "read /etc/passwd"},
	{"a secret that does not open", anywhere, "uid 1000 | try-read /etc/shadow"},
	{"a link to what is no secret", anywhere, "symlink /etc/group $HERE/x | read $HERE/x"},
	{"a public key", anywhere, "create /home/ada/.ssh/id_ed25519.pub | read /home/ada/.ssh/id_ed25519.pub"},
	{"the own environment", anywhere, "read /proc/self/environ"},
	{"a file of an application", anywhere, "create /srv/app/x | append /srv/app/x | rename /srv/app/x /srv/app/y | chmod 600 /srv/app/y | remove /srv/app/y"},
	{"a log of an application", anywhere, "create /var/log/app.log"},
	{"a name like /etc", anywhere, "create /srv/etc/shadow | read /srv/etc/shadow"},
	{"a temporary file", anywhere, "create /tmp/$NAME | chmod 600 /tmp/$NAME"},
	{"a connection of an application", anywhere, "connect tcp 203.0.113.7:443"},
	{"a database of a cluster", anywhere, "as postgres | connect tcp 10.1.2.3:5432"},
	{"a server", anywhere, "serve 192.0.2.1:8081"},
	{"a download that nothing runs", outside, "try sh -c 'wget -q -t 1 -O $HERE/x http://192.0.2.1:9/; echo true >$HERE/y; sh $HERE/y $HERE/x'"},
	{"datagrams", anywhere, "send 203.0.113.7:53 | sendmsg 203.0.113.7:123"},
	{"ssh to its own port", anywhere, "as ssh | connect tcp 203.0.113.7:22"},
	{"a shell script", anywhere, "run sh -c true"},
	{"a shell on a terminal of the host", outside, "tty | run sh -c true"},
	{"a namespace of the host", outside, "setns /proc/self/ns/uts"},
	{"eBPF on the host", outside, "bpf"},
}

// privilegedStart is no alarm, and nothing that a stage can do again.
const privilegedStart = "Privileged container started"

// TestSilence: no embedded policy fires on routine, nor on the start of
// containers, but for the record of one that may do everything.
func TestSilence(t *testing.T) {
	w := watch(t, agentBinary(t))
	th := newTheater(t)
	var played []string
	for _, r := range routines {
		if missing := r.missing(); missing != "" {
			t.Logf("%s is left out: %s is not installed", r.name, missing)
			continue
		}
		name := "noise-" + r.name
		played = append(played, name)
		script := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(script, []byte("set -e\ncd $HERE\n"+r.shell), 0o600))
		th.stages[onHost].perform(t, name, "run sh "+script)
	}
	for i, h := range harmless {
		for _, p := range h.places {
			name := fmt.Sprintf("calm-%d-%.4s", i, p)
			played = append(played, name)
			th.stages[p].perform(t, name, h.script)
		}
	}
	// Detections come in the order of events: with the last everything is here.
	th.stages[onHost].perform(t, "fence", "read /etc/shadow")
	th.stages[container].perform(t, "fence-inside", "read /etc/shadow")
	require.Eventually(t, func() bool { return len(w.of("fence")) > 0 && len(w.of("fence-inside")) > 0 }, patience, pollInterval)
	for _, name := range played {
		for _, d := range w.of(name) {
			t.Errorf("%s: %s", name, d)
		}
	}
	var started []string // containers of which it is told that they may do everything
	for _, d := range w.in(container.String(), privileged.String()) {
		if d.rule == privilegedStart {
			started = append(started, d.container)
			continue
		}
		if !slices.ContainsFunc(d.by, func(name string) bool { return slices.Contains(played, name) || name == "fence-inside" }) {
			t.Errorf("the start of a container: %s", d)
		}
	}
	require.Equal(t, []string{privileged.String()}, started)
}

// missing is the first program that is not there.
func (r *routine) missing() string {
	for _, p := range r.needs {
		if found, _ := filepath.Glob(p); len(found) > 0 {
			continue
		}
		if _, err := exec.LookPath(p); err != nil {
			return p
		}
	}
	return ""
}
