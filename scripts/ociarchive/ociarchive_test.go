package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const dockerfile = `
FROM golang AS build
WORKDIR /src
RUN anything goes here
FROM scratch
# a comment
LABEL a.b="some text"
COPY --from=build /src/bin/app /usr/bin/app
COPY --from=build /src/conf.yaml /etc/app/conf.yaml
ENV HOME=/
USER 0
ENTRYPOINT ["/usr/bin/app"]
CMD ["--config", "/etc/app/conf.yaml"]
`

func TestParse(t *testing.T) {
	st, err := parse(dockerfile)
	require.NoError(t, err)
	require.Equal(t, &stage{
		workdir:    "/src",
		copies:     []fileCopy{{"/src/bin/app", "/usr/bin/app"}, {"/src/conf.yaml", "/etc/app/conf.yaml"}},
		labels:     map[string]string{"a.b": "some text"},
		env:        []string{"HOME=/"},
		user:       "0",
		entrypoint: []string{"/usr/bin/app"},
		cmd:        []string{"--config", "/etc/app/conf.yaml"},
	}, st)
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                        errNotScratch.Error(),
		"FROM debian":                             errNotScratch.Error(),
		"FROM scratch\nFROM debian":               errNotScratch.Error(),
		"FROM scratch\nRUN make":                  "line 2: instruction RUN is not supported",
		"FROM scratch\n\nCOPY . /":                "line 3: COPY . /: want --from",
		"FROM scratch\nCOPY --from=b /a /dir/":    "want --from=STAGE /FILE /FILE",
		"FROM scratch\nLABEL a=b c=d":             "want one KEY=VALUE",
		"FROM scratch\nLABEL x":                   "LABEL x: want one KEY=VALUE",
		"FROM scratch\nENTRYPOINT /app --flag":    "want a JSON list",
		"FROM scratch\nCMD {\"not\": \"a list\"}": "want a JSON list",
	} {
		_, err := parse(text)
		require.ErrorContains(t, err, want, text)
	}
}

// contextDir holds the files that the Dockerfile above copies.
func contextDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin/app"), []byte("program"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "conf.yaml"), []byte("a: b"), 0o600))
	return dir
}

// files reads a tar into a map of names to contents; modes are checked on the way.
func files(t *testing.T, archive []byte, modes map[string]int64) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		require.Zero(t, h.Uid+h.Gid)
		require.Equal(t, epoch, h.ModTime.UTC())
		if want, ok := modes[h.Name]; ok {
			require.Equal(t, want, h.Mode, h.Name)
		}
		out[h.Name], err = io.ReadAll(r)
		require.NoError(t, err)
	}
}

func TestBuild(t *testing.T) {
	st, err := parse(dockerfile)
	require.NoError(t, err)
	dir := contextDir(t)
	archive, err := build(st, dir, "localhost/app:1.2", "arm64")
	require.NoError(t, err)
	blobs := files(t, archive, nil)
	require.JSONEq(t, `{"imageLayoutVersion":"1.0.0"}`, string(blobs["oci-layout"]))
	// get is the blob a descriptor points to; size and digest must be true.
	get := func(d descriptor) []byte {
		b, ok := blobs["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		require.True(t, ok, "%s is not in the archive", d.Digest)
		require.Len(t, b, d.Size)
		require.Equal(t, d.Digest, digest(b))
		return b
	}

	var idx index
	require.NoError(t, json.Unmarshal(blobs["index.json"], &idx))
	require.Len(t, idx.Manifests, 1)
	require.Equal(t, "1.2", idx.Manifests[0].Annotations["org.opencontainers.image.ref.name"])
	require.Equal(t, "localhost/app:1.2", idx.Manifests[0].Annotations["io.containerd.image.name"])
	require.Equal(t, platform{Architecture: "arm64", OS: "linux"}, *idx.Manifests[0].Platform)

	var m manifest
	require.NoError(t, json.Unmarshal(get(idx.Manifests[0]), &m))
	var cfg imageConfig
	require.NoError(t, json.Unmarshal(get(m.Config), &cfg))
	require.Equal(t, "arm64", cfg.Architecture)
	require.Equal(t, st.entrypoint, cfg.Config.Entrypoint)
	require.Equal(t, st.cmd, cfg.Config.Cmd)
	require.Equal(t, st.labels, cfg.Config.Labels)
	require.Len(t, cfg.RootFS.DiffIDs, len(m.Layers))

	root := map[string][]byte{}
	for i, d := range m.Layers {
		z, err := gzip.NewReader(bytes.NewReader(get(d)))
		require.NoError(t, err)
		layer, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, cfg.RootFS.DiffIDs[i], digest(layer))
		maps.Copy(root, files(t, layer, map[string]int64{"usr/bin/app": 0o755, "etc/app/conf.yaml": 0o644}))
	}
	require.Equal(t, []string{"etc/", "etc/app/", "etc/app/conf.yaml", "usr/", "usr/bin/", "usr/bin/app"}, slices.Sorted(maps.Keys(root)))
	require.Equal(t, "program", string(root["usr/bin/app"]))

	again, err := build(st, dir, "localhost/app:1.2", "arm64")
	require.NoError(t, err)
	require.True(t, bytes.Equal(archive, again), "the same files must give the same bytes")
}

func TestBuildNamesTheMissingFile(t *testing.T) {
	_, err := build(&stage{workdir: "/src", copies: []fileCopy{{"/src/gone", "/gone"}}}, t.TempDir(), "a:b", "amd64")
	require.ErrorContains(t, err, "COPY /src/gone: ")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestOurDockerfile keeps the Dockerfile within what this program understands.
func TestOurDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	st, err := parse(string(text))
	require.NoError(t, err)
	require.Equal(t, "/src", st.workdir)
	require.Equal(t, []string{"/sightglass"}, st.entrypoint)
	require.Contains(t, st.copies, fileCopy{"/src/bin/sightglass", "/sightglass"})
}

func TestWrite(t *testing.T) {
	dir := contextDir(t)
	file, out := filepath.Join(dir, "Dockerfile"), filepath.Join(dir, "out.tar")
	require.NoError(t, os.WriteFile(file, []byte(dockerfile), 0o600))
	require.NoError(t, write(file, dir, "a:b", "amd64", out))
	require.FileExists(t, out)

	require.ErrorIs(t, write(filepath.Join(dir, "none"), dir, "a:b", "amd64", out), os.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("FROM x"), 0o600))
	require.ErrorIs(t, write(file, dir, "a:b", "amd64", out), errNotScratch)
}
