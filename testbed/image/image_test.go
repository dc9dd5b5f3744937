// Package image proves the container image: the archive that 'make image'
// writes is imported into a real containerd and run there.
package image

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/testbed/internal/containerd"
)

// archiveEnv names the archive under test; 'make test' and 'make test-image'
// build it first.
const archiveEnv = "SIGHTGLASS_IMAGE"

func TestImageRunsInContainerd(t *testing.T) {
	archive := os.Getenv(archiveEnv)
	if archive == "" {
		t.Skipf("%s is not set: 'make test-image' builds the image and sets it", archiveEnv)
	}
	name := imageName(t, archive)
	c := containerd.Start(t)
	c.Must("images", "import", "--snapshotter", "native", archive)
	require.Contains(t, c.Must("images", "list", "-q"), name)

	// Without any privilege: the binary is static and finds its configuration.
	require.Contains(t, run(t, c, name, "version", nil, "version"), "sightglass")
	node := []string{"--env", "K8S_NODE_NAME=node", "--env", "K8S_NODE_IP=127.0.0.1"}
	run(t, c, name, "validate", node, "validate", "--config", "/etc/sightglass/config.yaml")

	// As a DaemonSet would: privileged, in the host's pid and network namespace.
	host := []string{"--privileged", "--net-host", "--with-ns", fmt.Sprintf("pid:/proc/%d/ns/pid", os.Getpid())}
	require.NotEmpty(t, run(t, c, name, "doctor", host, "doctor"))
}

// run starts the image's program with args in a container of its own and
// returns what it wrote; the test fails when the program does.
func run(t *testing.T, c *containerd.Daemon, image, id string, flags []string, args ...string) string {
	t.Helper()
	full := append([]string{"run", "--rm", "--snapshotter", "native"}, flags...)
	full = append(full, image, id, "/sightglass")
	return c.Must(append(full, args...)...)
}

// imageName reads the name that the archive gives its image.
func imageName(t *testing.T, archive string) string {
	t.Helper()
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		require.NoError(t, err, "no index.json in %s", archive)
		if h.Name != "index.json" {
			continue
		}
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		var index struct {
			Manifests []struct{ Annotations map[string]string }
		}
		require.NoError(t, json.Unmarshal(text, &index))
		require.Len(t, index.Manifests, 1)
		return index.Manifests[0].Annotations["io.containerd.image.name"]
	}
}
