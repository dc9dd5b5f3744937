package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// cronScript adds a job to a cron of its own, and ends when it has run. The job
// makes a backup, as jobs do. It is one for cron's start, the first after a boot
// as far as an empty /run tells: others wait for the next minute.
const cronScript = `
set -e
printf '#!/bin/sh\nPATH=$PATH:/bin:/usr/bin\ncat /etc/passwd >/dev/null; date; df -h >/dev/null\ntar -cf /srv/backup.tar /etc\necho x >/srv/ran\n' >/srv/job
chmod 755 /srv/job
rm -f /etc/cron.d/*
: >/etc/crontab
mount -t tmpfs tmpfs /run
echo '@reboot root /srv/job >/srv/log 2>&1' >/etc/cron.d/sightglass-test
cron -f &
cron=$!
until test -e /srv/ran; do
	kill -0 $cron
	sleep 0.1
done
kill $cron
`

// TestCron: the job's file is told as it is made, what the job does is put down
// to cron, and an ordinary job is no alarm.
func TestCron(t *testing.T) {
	binary := agentBinary(t)
	if _, err := exec.LookPath("cron"); err != nil {
		t.Skipf("needs cron: %v", err)
	}
	w := watch(t, binary)
	dir := t.TempDir()
	host := hostStage(t, dir, buildActor(t, dir), changed...)
	script := filepath.Join(dir, "cron.sh")
	require.NoError(t, os.WriteFile(script, []byte(cronScript), 0o600))
	host.perform(t, "by-cron", "run sh "+script)

	told := func() []*detection { return w.of("by-cron") }
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(told(), func(d *detection) bool {
			return d.rule == "Secrets copied by a backup" && slices.Contains(d.by, "cron") && slices.Contains(d.by, "job")
		})
	}, patience, pollInterval, "%v", told())
	require.Contains(t, rulesOf(told()), "Scheduled job changed")
	for _, d := range told() {
		if slices.Contains(d.by, "cron") {
			require.Equal(t, "Secrets copied by a backup", d.rule, d.output)
		}
	}
}
