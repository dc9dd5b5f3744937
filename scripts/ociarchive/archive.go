package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Media types of the OCI image specification 1.1.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type imageConfig struct {
	Created string `json:"created"`
	platform
	Config struct {
		User       string            `json:"User,omitempty"`
		Env        []string          `json:"Env,omitempty"`
		Entrypoint []string          `json:"Entrypoint,omitempty"`
		Cmd        []string          `json:"Cmd,omitempty"`
		Labels     map[string]string `json:"Labels,omitempty"`
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// epoch stands for every time in the archive: when it was built does not change
// what it is.
var epoch = time.Unix(0, 0).UTC()

// build returns the archive of st: a tar of an OCI image layout with one layer
// per copied file, as Docker makes them.
func build(st *stage, context, name, arch string) ([]byte, error) {
	a := newArchive()
	cfg := imageConfig{Created: epoch.Format(time.RFC3339), platform: platform{Architecture: arch, OS: "linux"}}
	cfg.Config.User, cfg.Config.Env, cfg.Config.Labels = st.user, st.env, st.labels
	cfg.Config.Entrypoint, cfg.Config.Cmd = st.entrypoint, st.cmd
	cfg.RootFS.Type = "layers"
	m := manifest{SchemaVersion: 2, MediaType: typeManifest}
	for _, c := range st.copies {
		content, mode, err := c.read(st.workdir, context)
		if err != nil {
			return nil, err
		}
		layer := tarOf(strings.TrimPrefix(c.dst, "/"), content, mode)
		cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, digest(layer))
		m.Layers = append(m.Layers, a.blob(typeLayer, compress(layer)))
	}
	m.Config = a.blob(typeConfig, marshal(cfg))
	d := a.blob(typeManifest, marshal(m))
	d.Platform = &cfg.platform
	_, tag, _ := strings.Cut(path.Base(name), ":")
	d.Annotations = map[string]string{
		"org.opencontainers.image.ref.name": tag,
		"io.containerd.image.name":          name,
	}
	a.file("index.json", marshal(index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{d}}), 0o644)
	a.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
	return a.close(), nil
}

// read returns the file a COPY names: below the build stage's working directory
// it lies in context, elsewhere on this machine. Modes are normalized to those
// of a plain or an executable file, whatever the umask was.
func (c fileCopy) read(workdir, context string) (content []byte, mode int64, err error) {
	file := c.src
	if rest, ok := strings.CutPrefix(c.src, workdir+"/"); ok && workdir != "" {
		file = filepath.Join(context, rest)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, 0, fmt.Errorf("COPY %s: %w", c.src, err)
	}
	mode = 0o644
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	content, err = os.ReadFile(file)
	return content, mode, err
}

// archive is a tar in memory. Writing to memory cannot fail; a header that tar
// refuses is a mistake in this program, hence must.
type archive struct {
	buf  bytes.Buffer
	tar  *tar.Writer
	dirs map[string]bool
}

func newArchive() *archive {
	a := &archive{dirs: map[string]bool{".": true}}
	a.tar = tar.NewWriter(&a.buf)
	return a
}

// file adds a file and, before it, the folders it lies in.
func (a *archive) file(name string, content []byte, mode int64) {
	a.dir(path.Dir(name))
	must(a.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: mode, ModTime: epoch,
	}))
	_, err := a.tar.Write(content)
	must(err)
}

func (a *archive) dir(name string) {
	if a.dirs[name] {
		return
	}
	a.dirs[name] = true
	a.dir(path.Dir(name))
	must(a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, ModTime: epoch}))
}

// blob adds content under its digest and returns its descriptor.
func (a *archive) blob(mediaType string, content []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: digest(content), Size: len(content)}
	a.file("blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:"), content, 0o644)
	return d
}

func (a *archive) close() []byte {
	must(a.tar.Close())
	return a.buf.Bytes()
}

// tarOf is the tar of one file, which is one layer.
func tarOf(name string, content []byte, mode int64) []byte {
	a := newArchive()
	a.file(name, content, mode)
	return a.close()
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	must(err)
	must(w.Close())
	return b.Bytes()
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	must(err)
	return b
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
