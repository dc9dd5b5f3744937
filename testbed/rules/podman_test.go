package rules

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// podmanRules has a scope by image, for the whole file.
const podmanRules = `
- scope: not container.image.repository endswith /quiet
- rule: Shadow read in a container
  desc: x
  condition: evt.type in (open, openat, openat2) and container.id != host and fs.path.resolved = /etc/shadow
  output: read in name=%container.name image=%container.image.repository:%container.image.tag by=%proc.cmdline
  priority: WARNING
`

// TestPodman: containers of podman, which no daemon lists, have the names and
// the image that it gave them, and scopes hold for them.
func TestPodman(t *testing.T) {
	binary := agentBinary(t)
	podman := newPodman(t)
	dir := t.TempDir()
	loud, quiet := "example.org/sightglass-test/loud:1.2", "example.org/sightglass-test/quiet:1"
	podman.image(t, dir, loud)
	podman.must(t, "tag", loud, quiet)
	t.Cleanup(func() { _, _ = podman.run("rmi", "-f", loud, quiet) })

	files := filepath.Join(dir, "rules.yaml")
	require.NoError(t, os.WriteFile(files, []byte(podmanRules), 0o600))
	w := watch(t, binary, files)
	podman.start(t, "sightglass-test-quiet", "none", quiet)
	podman.start(t, "sightglass-test-host", "host", loud)
	podman.start(t, "sightglass-test-none", "none", loud)
	for _, name := range []string{"sightglass-test-host", "sightglass-test-none"} {
		require.Eventually(t, func() bool {
			return strings.Contains(outputs(w), "name="+name+" image=example.org/sightglass-test/loud:1.2 ")
		},
			patience, pollInterval, "%s: %s", name, outputs(w))
	}
	require.NotContains(t, outputs(w), "quiet")
}

// TestImageBuild: what the steps of an image's build change is the image's, and
// nothing is told of it; what they change of the host's through a volume is told.
func TestImageBuild(t *testing.T) {
	binary := agentBinary(t)
	podman := newPodman(t)
	user, err := os.MkdirTemp("/home", "sightglass-") //nolint:usetesting // critical files lie below /home
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(user) })
	keys := filepath.Join(user, ".ssh", "authorized_keys")
	require.NoError(t, os.MkdirAll(filepath.Dir(keys), 0o700))
	require.NoError(t, os.WriteFile(keys, nil, 0o600))
	dir := t.TempDir()
	base, built := "example.org/sightglass-test/base:1", "example.org/sightglass-test/built:1"
	podman.image(t, dir, base)
	t.Cleanup(func() { _, _ = podman.run("rmi", "-f", base, built) })

	w := watch(t, binary)
	build := func(name, step string, more ...string) {
		script := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nset -e\n"+step), 0o755)) //nolint:gosec // a program
		file := fmt.Sprintf("FROM %s\nCOPY %s /\nRUN /%s\n", base, name, name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".build"), []byte(file), 0o600))
		args := append([]string{"build", "--no-cache", "--pull=never", "--network=host", "--isolation=oci", "-t", built, "-f", filepath.Join(dir, name+".build")}, more...)
		if out, err := podman.run(append(args, dir)...); err != nil {
			t.Skipf("podman cannot build images here: %s", out)
		}
	}
	build("step-own", "echo x >>/etc/passwd\n>/etc/new\n/bin/busybox mkdir -p /etc/d /usr/bin\n/bin/busybox cp /bin/busybox /usr/bin/x\n/bin/busybox mv /etc/shadow /etc/shadow-\n/bin/busybox rm /usr/bin/x\n")
	build("step-host", "echo x >>/mnt/.ssh/authorized_keys\n", "-v", user+":/mnt")
	require.Eventually(t, func() bool { return slices.Contains(rulesOf(w.of("step-host")), "Critical file changed") },
		patience, pollInterval, "%v", w.of("step-host"))
	require.Empty(t, w.of("step-own"))
}

func outputs(w *watcher) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, d := range w.all {
		all = append(all, d.output)
	}
	return strings.Join(all, "\n")
}

// podman runs containers with a daemon of nobody.
type podman struct{ conf string }

func newPodman(t *testing.T) *podman {
	t.Helper()
	for _, tool := range []string{"podman", "runc", "busybox", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
	p := &podman{conf: filepath.Join(t.TempDir(), "containers.conf")}
	limits := "[containers]\ndefault_ulimits = [\"nofile=20000:20000\", \"nproc=20000:20000\"]\n" // no more than machines for tests allow
	require.NoError(t, os.WriteFile(p.conf, []byte(limits), 0o600))
	return p
}

func (p *podman) run(args ...string) (string, error) {
	cmd := exec.Command("podman", append([]string{"--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs"}, args...)...)
	cmd.Env = append(os.Environ(), "CONTAINERS_CONF="+p.conf)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (p *podman) must(t *testing.T, args ...string) {
	t.Helper()
	out, err := p.run(args...)
	require.NoError(t, err, "podman %s: %s", strings.Join(args, " "), out)
}

// image makes an image of a shell and little more.
func (p *podman) image(t *testing.T, dir, name string) {
	t.Helper()
	root := filepath.Join(dir, "image")
	script := "mkdir -p $0/bin $0/etc && cp -L $(command -v busybox) $0/bin/busybox && ln -s busybox $0/bin/sh && ln -s busybox $0/bin/cat && " +
		"echo root:x:0:0::/:/bin/sh >$0/etc/passwd && echo 'root:*:::::::' >$0/etc/shadow && tar -C $0 -cf $0.tar ."
	out, err := exec.Command("sh", "-c", script, root).CombinedOutput()
	require.NoError(t, err, "%s", out)
	p.must(t, "import", root+".tar", name)
}

// start runs a container to its end, in which a file is read when the agent may
// know the container's name.
func (p *podman) start(t *testing.T, name, network, image string) {
	t.Helper()
	t.Cleanup(func() { _, _ = p.run("rm", "-f", "-t", "0", name) })
	out, err := p.run("run", "--rm", "--name", name, "--network", network, "--security-opt", "seccomp=unconfined", image,
		"/bin/sh", "-c", "/bin/busybox sleep 1; /bin/cat /etc/shadow")
	if err != nil {
		t.Skipf("podman cannot run containers here: %s", out)
	}
}
