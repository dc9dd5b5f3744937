package rules

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/testbed/internal/containerd"
)

// place is where an act is performed.
type place int

const (
	onHost     place = iota
	container        // with the capabilities that runtimes give by default
	privileged       // a container with all of them, and the host's devices
	places
)

func (p place) String() string { return [...]string{"host", "container", "privileged"}[p] }

// home is where stages have the actor, in an own mount namespace on the host
// and in the image of containers. It is no directory that policies know.
const home = "/opt/sightglass"

// stage is a process that performs acts in one place, one at a time.
type stage struct {
	place place
	in    io.Writer
	out   *bufio.Scanner
}

// perform runs the script in a process called name and waits for its end. Stages
// perform at the same time, hence nothing here ends the test.
func (s *stage) perform(t *testing.T, name, script string) {
	t.Helper()
	answer, err := s.ask(map[string]string{"name": name, "script": script})
	if err == nil && answer != "ok" {
		err = errors.New(answer)
	}
	if err != nil {
		t.Errorf("on the %s: %s: %v", s.place, script, err)
	}
}

// ask sends an act and waits for the line that answers it.
func (s *stage) ask(act map[string]string) (string, error) {
	line, err := json.Marshal(act)
	if err != nil {
		return "", err
	}
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		return "", err
	}
	if !s.out.Scan() {
		return "", errors.New("the stage is gone")
	}
	return s.out.Text(), nil
}

// openStage starts a stage by a command, which ends with the test.
func openStage(t *testing.T, p place, cmd *exec.Cmd) *stage {
	t.Helper()
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
	})
	s := &stage{place: p, in: in, out: bufio.NewScanner(out)}
	require.True(t, s.out.Scan(), "the stage on the %s does not start", p)
	require.Equal(t, "ready", s.out.Text())
	return s
}

// theater is one stage per place.
type theater struct {
	stages [places]*stage
}

// changed are the directories of the host that acts change, in a copy.
var changed = []string{"/etc", "/root", "/home", "/var", "/usr", "/opt", "/srv"}

// newTheater builds the actor and the places that it plays in.
func newTheater(t *testing.T) *theater {
	t.Helper()
	dir := t.TempDir()
	actor := buildActor(t, dir)
	th := &theater{}
	th.stages[onHost] = hostStage(t, dir, actor, changed...)
	daemon := containerd.Start(t)
	for _, p := range []place{container, privileged} {
		th.stages[p] = containerStage(t, daemon, p, filepath.Join(dir, p.String()), actor)
	}
	return th
}

// buildActor returns the actor's program, which it puts into dir.
func buildActor(t *testing.T, dir string) string {
	t.Helper()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	actor := filepath.Join(dir, "actor")
	t.Setenv("CGO_ENABLED", "0") // a container holds no libraries
	run(t, "go", "build", "-o", actor, "./actor")
	return actor
}

// hostStage is a process of the host that sees a copy of some directories, and a
// network of its own.
func hostStage(t *testing.T, dir, actor string, copied ...string) *stage {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -e\nmount --make-rprivate /\n")
	for i, d := range copied {
		layers := filepath.Join(dir, fmt.Sprintf("host%d", i))
		for _, sub := range []string{"upper", "work"} {
			require.NoError(t, os.MkdirAll(filepath.Join(layers, sub), 0o755))
		}
		fmt.Fprintf(&script, "mount -t overlay overlay -o lowerdir=%[1]s,upperdir=%[2]s/upper,workdir=%[2]s/work %[1]s\n", d, layers)
	}
	fmt.Fprintf(&script, "mkdir -p %[1]s && mount -t tmpfs tmpfs %[1]s && cp %[2]s %[1]s/actor\n", home, actor)
	script.WriteString(world)
	fmt.Fprintf(&script, "exec %s/actor\n", home)
	return openStage(t, onHost, exec.Command("unshare", "--mount", "--net", "sh", "-c", script.String()))
}

// world is a network in which every connection begins and none is answered.
const world = `ip link set lo up
ip link add world0 type veth peer name world1
ip addr add 192.0.2.1/24 dev world0
ip link set world0 up
ip link set world1 up
ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev world0
ip route add default via 192.0.2.2
`

// containerStage is the first process of a container whose root is an overlay
// of the image and a writable layer; more are flags of ctr.
func containerStage(t *testing.T, daemon *containerd.Daemon, p place, dir, actor string, more ...string) *stage {
	t.Helper()
	image, root := filepath.Join(dir, "image"), filepath.Join(dir, "root")
	for _, d := range []string{image, root, dir + "/upper", dir + "/work"} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	makeImage(t, image, actor)
	require.NoError(t, unix.Mount("overlay", root, "overlay", 0,
		fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", image, dir, dir)))
	t.Cleanup(func() { _ = unix.Unmount(root, unix.MNT_DETACH) })
	flags := []string{
		"run", "--rm", "--rootfs", "--env", "PATH=/bin", "--with-ns", "network:" + networkNamespace(t),
		"--annotation", "io.kubernetes.cri.image-name=localhost/stage:1",
		"--annotation", "io.kubernetes.cri.sandbox-namespace=default",
		"--annotation", "io.kubernetes.cri.sandbox-name=stage-" + p.String(),
		"--annotation", "io.kubernetes.cri.container-name=" + p.String(),
	}
	if p == privileged {
		flags = append(flags, "--privileged", "--mount", "type=bind,src=/etc,dst=/hostetc,options=rbind:ro")
	}
	flags = append(append(flags, more...), root, p.String(), home+"/actor")
	return openStage(t, p, exec.Command("ctr", append(daemon.Flags(), flags...)...))
}

// makeImage fills a directory with the actor, busybox and a few files.
func makeImage(t *testing.T, image, actor string) {
	t.Helper()
	copyFile(t, actor, filepath.Join(image, home, "actor"))
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is not installed")
	}
	copyFile(t, busybox, filepath.Join(image, "bin/busybox"))
	for _, applet := range []string{"sh", "cat", "find", "grep", "mount", "wget"} {
		require.NoError(t, os.Symlink("busybox", filepath.Join(image, "bin", applet)))
	}
	for _, d := range []string{"proc", "sys", "dev", "tmp", "root", "home/ada/.ssh", "run", "var/log", "usr/bin"} {
		require.NoError(t, os.MkdirAll(filepath.Join(image, d), 0o755))
	}
	for name, content := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
		"etc/group":  "root:x:0:\nada:x:1000:\n",
		"etc/shadow": "root:*:1::::::\n",
	} {
		mode := os.FileMode(0o644)
		if name == "etc/shadow" {
			mode = 0o600
		}
		file := filepath.Join(image, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), mode))
	}
}

// networkNamespace makes one with a world, held by a
// process that ends with the test.
func networkNamespace(t *testing.T) string {
	t.Helper()
	holder := exec.Command("unshare", "--net", "sh", "-c", world+"echo ready; exec cat")
	in, err := holder.StdinPipe()
	require.NoError(t, err)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	holder.Stderr = os.Stderr
	require.NoError(t, holder.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = holder.Wait()
	})
	require.True(t, bufio.NewScanner(out).Scan())
	return fmt.Sprintf("/proc/%d/ns/net", holder.Process.Pid)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, content, 0o755))
}

// run runs a command to its end and returns its output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoErrorf(t, err, "%s %v: %s", name, args, out)
	return string(out)
}
