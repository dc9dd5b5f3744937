package rules

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/testbed/internal/containerd"
)

// TestDisguises: a critical file of the host is known by whatever path it is
// opened.
func TestDisguises(t *testing.T) {
	binary := agentBinary(t)
	user, err := os.MkdirTemp("/home", "sightglass-") //nolint:usetesting // the policy is about files below /home
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(user) })
	require.NoError(t, os.MkdirAll(filepath.Join(user, ".ssh"), 0o700))
	key := filepath.Join(user, ".ssh", "id_ed25519")
	require.NoError(t, os.WriteFile(key, nil, 0o600))

	w := watch(t, binary) // which looks for the files as it starts
	dir := t.TempDir()
	actor := buildActor(t, dir)
	host := hostStage(t, dir, actor, "/opt")
	inside := containerStage(t, containerd.Start(t), container, filepath.Join(dir, "c"), actor,
		"--mount", "type=bind,src="+user+",dst=/mnt,options=rbind:rw")
	read, changed := "Private key or cloud credential read", "List of accepted SSH keys changed"
	for _, act := range []struct {
		name   string
		stage  *stage
		script string
		rule   string
	}{
		{"plain", host, "read " + key, read},
		{"symlink", host, "symlink " + key + " $HERE/x | read $HERE/x", read},
		{"hard-link", host, "link " + key + " " + user + "/x | read " + user + "/x", read},
		{"bind-mount", host, "mkdir $HERE/x | mount bind " + user + " $HERE/x | read $HERE/x/.ssh/id_ed25519", read},
		{"bound-file", host, "create $HERE/y | mount bind " + key + " $HERE/y | read $HERE/y", read},
		{"volume", inside, "read /mnt/.ssh/id_ed25519", read},
		{"renamed", host, "create " + user + "/n | symlink " + user + " $HERE/x | rename $HERE/x/n $HERE/x/.ssh/authorized_keys", changed},
		{"gone-link", host, "create " + user + "/n | symlink " + user + " $HERE/l | rename $HERE/l/n $HERE/l/.ssh/authorized_keys | remove $HERE/l", changed},
		{"mount-rename", host, "create " + user + "/n | mkdir $HERE/m | mount bind " + user + " $HERE/m | rename $HERE/m/n $HERE/m/.ssh/authorized_keys", changed},
		{"volume-rename", inside, "create /mnt/n | rename /mnt/n /mnt/.ssh/authorized_keys", changed},
		{"mount-create", host, "mkdir $HERE/c | mount bind " + user + "/.ssh $HERE/c | remove $HERE/c/authorized_keys | create $HERE/c/authorized_keys", changed},
		{"gone-mount", host, "mkdir $HERE/g | mount bind " + user + "/.ssh $HERE/g | remove $HERE/g/authorized_keys | create $HERE/g/authorized_keys | umount $HERE/g", changed},
		{"volume-create", inside, "remove /mnt/.ssh/authorized_keys | create /mnt/.ssh/authorized_keys", changed},
	} {
		act.stage.perform(t, act.name, act.script)
		require.Eventually(t, func() bool {
			return slices.Contains(rulesOf(w.of(act.name)), act.rule)
		}, patience, pollInterval, act.name)
	}
}
