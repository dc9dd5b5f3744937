//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/process"
)

func ranWith(commandLine string) *process.Process {
	args := strings.Split(commandLine, " ")
	return &process.Process{Key: process.Key{TGID: 1}, Name: filepath.Base(args[0]), Args: args, Cwd: "/work", MountNS: 7}
}

func TestScriptsThatWereDownloaded(t *testing.T) {
	for _, c := range []struct{ load, run, by string }{
		{"curl -o /tmp/x.sh http://a/b", "sh /tmp/x.sh", "curl"},
		{"curl -fsSLo x.sh http://a/b", "bash -x ./x.sh arg", "curl"},
		{"curl -ox.sh http://a/b", "sh /work/x.sh", "curl"},
		{"curl -H x --output x.sh http://a/b", "sh x.sh", "curl"},
		{"curl -sSLO https://a/b/get.sh?x=1", "bash get.sh", "curl"},
		{"curl --remote-name --output-dir /tmp https://a/get.sh", "bash /tmp/get.sh", "curl"},
		{"wget http://a/x.py", "python3 -u x.py", "wget"},
		{"wget -q a/x.pl -P /tmp", "perl /tmp/x.pl", "wget"},
		{"wget -qO x.sh http://a/y", "sh x.sh", "wget"},
		{"wget --output-document=/tmp/x.sh http://a/y", "sh /tmp/../tmp/x.sh", "wget"},
		{"aria2c -d /tmp -o x.sh http://a/y", "sh /tmp/x.sh", "aria2c"},

		{"curl -o /tmp/x.sh http://a/b", "sh /tmp/y.sh", ""},
		{"curl -o /tmp/x.sh http://a/b", "cat /tmp/x.sh", ""},
		{"curl -o data http://a/b", "python3 build.py data", ""},
		{"curl -o - http://a/b", "sh -", ""},
		{"curl http://a/x.sh", "sh x.sh", ""},
		{"curl -Ho http://a/x.sh", "sh x.sh", ""},
		{"wget -O y.sh http://a/x.sh", "sh x.sh", ""},
		{"wget http://a/", "sh a", ""},
		{"cp http://a/x.sh x.sh", "sh x.sh", ""},
		{"curl -o", "sh", ""},
	} {
		d := newDownloads(t.TempDir())
		require.Empty(t, d.started(ranWith(c.load), 5))
		require.Equal(t, c.by, d.started(ranWith(c.run), 6), "%s; %s", c.load, c.run)
		other := ranWith(c.run)
		other.MountNS = 8
		require.Empty(t, d.started(other, 6), "another root")
		require.Empty(t, d.started(ranWith(c.run), 6+uint64(downloadLasts)), "long ago")
	}
}

func TestScriptsOfRedirections(t *testing.T) {
	proc := t.TempDir()
	fds := filepath.Join(proc, "1", "fd")
	require.NoError(t, os.MkdirAll(fds, 0o755))
	require.NoError(t, os.Symlink("/work/x.sh", filepath.Join(fds, "1")))
	require.NoError(t, os.Symlink("/work/x.sh", filepath.Join(fds, "0")))
	d := newDownloads(proc)
	require.Empty(t, d.started(ranWith("sh"), 1))
	require.Empty(t, d.started(ranWith("curl http://a/b"), 1))
	require.Equal(t, "curl", d.started(ranWith("sh x.sh"), 2))
	require.Equal(t, "curl", d.started(ranWith("sh"), 2))
}

func TestDownloadsAreBounded(t *testing.T) {
	d := newDownloads(t.TempDir())
	for i := range 3 * maxDownloads {
		d.started(ranWith("curl -o /tmp/"+strconv.Itoa(i)+" http://a/b"), 1)
	}
	require.Len(t, d.files, maxDownloads)
	d.started(ranWith("curl"+strings.Repeat(" -o x http://a/b", 100)), 1)
	require.LessOrEqual(t, len(d.files), maxDownloads)
	require.Empty(t, d.started(nil, 1))
}

func FuzzFilesOfDownloads(f *testing.F) {
	f.Add("curl -fsSLo x.sh http://a/b")
	f.Add("wget -P d --output-document=y http://a/b?c")
	f.Fuzz(func(t *testing.T, line string) {
		for _, files := range downloaders {
			for _, name := range files(strings.Split(line, " ")) {
				require.NotEmpty(t, name)
			}
		}
	})
}
