//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChoose(t *testing.T) {
	list, err := choose(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"5.10", "6.1", "6.12", "6.12-arm64"}, names(list))
	list, err = choose([]string{"6.18", "6.1"})
	require.NoError(t, err)
	assert.Equal(t, []string{"6.18", "6.1"}, names(list))
	_, err = choose([]string{"2.4"})
	require.ErrorContains(t, err, "unknown kernel")
}

func TestNewer(t *testing.T) {
	assert.True(t, newer("linux-image-6.1.0-56-cloud-amd64", "linux-image-6.1.0-9-cloud-amd64"))
	assert.True(t, newer("linux-image-6.12.117+deb12-cloud-amd64", "linux-image-6.12.38+deb12-cloud-amd64"))
	assert.False(t, newer("linux-image-6.12.38+deb12-cloud-amd64", "linux-image-6.12.38+deb12-cloud-amd64"))
	assert.False(t, newer("linux-image-5.10.0-8-cloud-amd64", "linux-image-5.10.0-46-cloud-amd64"))
}

func TestNeed(t *testing.T) {
	require.NoError(t, need("sh", "dash"))
	require.ErrorContains(t, need("no-such-command", "the-package"), "the-package")
}

func TestArguments(t *testing.T) {
	amd := (&kernel{arch: "amd64"}).arguments("k", "i", "l")
	assert.Contains(t, amd, "tcg,thread=single")
	assert.Contains(t, amd, "q35")
	arm := (&kernel{arch: "arm64"}).arguments("k", "i", "l")
	assert.Contains(t, arm, "tcg,thread=single")
	assert.NotContains(t, arm, "q35")
}

func TestExitCode(t *testing.T) {
	assert.Equal(t, 0, exitCode([]byte("x\nGUEST-EXIT 0\n[ 1.0] reboot")))
	assert.Equal(t, 124, exitCode([]byte("GUEST-EXIT 124\r\n")))
	assert.Equal(t, noReport, exitCode([]byte("nothing")))
	assert.Equal(t, noReport, exitCode([]byte("GUEST-EXIT torn")))
}

func TestReport(t *testing.T) {
	r := &report{kernel: "6.1", took: 12 * time.Second, tries: 1, output: []byte(`=== RUN   TestA
--- PASS: TestA (0.00s)
    --- PASS: TestA/sub (0.00s)
--- SKIP: TestB (0.00s)
--- PASS: TestC (1.00s)
PASS
`)}
	r.parse()
	assert.True(t, r.passed())
	assert.Equal(t, "6.1          ok     2 pass  0 fail  1 skip   12 s", r.line())
	other := &report{output: []byte("--- SKIP: TestB (0.00s)\n--- SKIP: TestD (0.00s)\n--- FAIL: TestA (0.00s)\n"), tries: 2}
	other.parse()
	assert.False(t, other.passed())
	assert.Contains(t, other.line(), "second try")
	assert.Contains(t, other.failures(), "TestD")
	assert.Equal(t, []string{"TestB"}, skippedEverywhere([]*report{r, other}))
	assert.Empty(t, skippedEverywhere(nil))
	nothing := &report{exit: noReport}
	assert.False(t, nothing.passed())
	assert.Contains(t, nothing.line(), "did not report")
	assert.False(t, (&report{}).passed(), "no test ran")
}

func TestFailures(t *testing.T) {
	r := &report{log: "the.log", output: []byte("=== RUN   TestA\n--- PASS: TestA (0.00s)\n" +
		"=== RUN   TestB\n=== RUN   TestB/sub\n    b_test.go:1: wrong\n--- FAIL: TestB (0.00s)\nFAIL\n")}
	assert.Equal(t, "        b_test.go:1: wrong\n    --- FAIL: TestB (0.00s)\n    all of it: the.log\n", r.failures())
	r.output = []byte("panic\n")
	assert.Equal(t, "    panic\n    all of it: the.log\n", r.failures())
}

func TestArchive(t *testing.T) {
	host := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(host, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(host, "sub", "f"), []byte("hello"), 0o640))
	var a archive
	require.NoError(t, a.carry(host, "/at"))
	require.NoError(t, a.carry(filepath.Join(host, "missing"), "/nowhere"))
	a.file("/at/sub/g", 0o755, nil)
	b := a.finish()
	assert.Zero(t, len(b)%4)
	assert.Equal(t, 1, bytes.Count(b, []byte("at/sub\x00")), "a directory stands once")
	assert.Contains(t, string(b), "at/sub/f\x00")
	assert.Contains(t, string(b), "hello")
	assert.NotContains(t, string(b), "nowhere")
	assert.Contains(t, string(b), "TRAILER!!!")
	assert.Equal(t, "070701", string(b[:6]))
}

func TestFindFiles(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range map[string]string{
		"./boot/config-6.1": "no", "./boot/vmlinuz-6.1": "image", "./tls.ko": "no",
		"./lib/modules/6.1/kernel/net/tls/tls.ko": "module", "./lib/modules/6.1/kernel/crypto/xts.ko": "no",
	} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644}))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	image := filepath.Join(t.TempDir(), "vmlinuz")
	kept := filepath.Join(filepath.Dir(image), modulesDir)
	require.NoError(t, os.Mkdir(kept, 0o755))
	require.NoError(t, findFiles(tar.NewReader(&b), image))
	got, err := os.ReadFile(image)
	require.NoError(t, err)
	assert.Equal(t, "image", string(got))
	files, err := os.ReadDir(kept)
	require.NoError(t, err)
	require.Len(t, files, 1)
	got, err = os.ReadFile(filepath.Join(kept, "tls.ko"))
	require.NoError(t, err)
	assert.Equal(t, "module", string(got))
	require.Error(t, findFiles(tar.NewReader(&bytes.Buffer{}), image))
}

func TestModuleIsUnpacked(t *testing.T) {
	cmd := exec.Command("xz", "-c")
	cmd.Stdin = strings.NewReader("module")
	packed, err := cmd.Output()
	if err != nil {
		t.Skip("xz: ", err)
	}
	dir := t.TempDir()
	module, is := moduleOf("./usr/lib/modules/6.12/kernel/crypto/gcm.ko.xz")
	require.True(t, is)
	require.NoError(t, keepModule(dir, module, "gcm.ko.xz", bytes.NewReader(packed)))
	got, err := os.ReadFile(filepath.Join(dir, "gcm.ko"))
	require.NoError(t, err)
	assert.Equal(t, "module", string(got))
}
