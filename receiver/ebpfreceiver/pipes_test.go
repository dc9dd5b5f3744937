//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
)

// plumber lets programs start and end below a shell.
type plumber struct {
	t     *testing.T
	proc  string
	pipes *pipes
	now   uint64
	shell *process.Process

	substituted uint64
}

func newPlumber(t *testing.T, shell ...string) *plumber {
	t.Helper()
	proc := t.TempDir()
	return &plumber{t: t, proc: proc, pipes: newPipes(proc), now: 1, shell: &process.Process{
		Key: process.Key{TGID: 1000}, Name: "bash", Args: shell, Executed: 1,
	}}
}

// fd makes a descriptor of a process.
func (p *plumber) fd(pid uint32, fd int, target string) {
	dir := filepath.Join(p.proc, strconv.Itoa(int(pid)), "fd")
	require.NoError(p.t, os.MkdirAll(dir, 0o700))
	require.NoError(p.t, os.Symlink(target, filepath.Join(dir, strconv.Itoa(fd))))
}

// run starts a program below the shell, or in a part of a pipeline of it, with
// these pipes.
func (p *plumber) run(pid uint32, command []string, input, output uint64, part bool) piped {
	ev := &event.Event{Header: event.Header{Type: event.TypeExec, Key: process.Key{TGID: pid}, Time: p.now}}
	ev.Exec.Input, ev.Exec.Output, ev.Exec.Substituted = input, output, p.substituted
	now := &process.Process{Key: ev.Key, Name: command[0], Args: command, Executed: p.now}
	before := &process.Process{Key: ev.Key, Name: p.shell.Name, Args: p.shell.Args}
	ancestors := []*process.Process{p.shell}
	if part {
		ancestors = []*process.Process{{Key: process.Key{TGID: 999}, Name: "bash", Args: p.shell.Args}, p.shell}
	}
	return p.pipes.started(ev, process.Change{Process: now, Before: before}, ancestors)
}

func (p *plumber) end(pid uint32) {
	p.pipes.ended(&event.Event{Header: event.Header{Type: event.TypeExit, Key: process.Key{TGID: pid}, Time: p.now}})
}

func TestPipelines(t *testing.T) {
	p := newPlumber(t)
	require.Equal(t, piped{}, p.run(1, []string{"curl"}, 0, 7, false))
	require.Equal(t, piped{from: "curl"}, p.run(2, []string{"sh"}, 7, 0, false))
	require.Equal(t, piped{}, p.run(3, []string{"sh"}, 8, 0, false))
	require.Equal(t, piped{to: "sh", runner: "sh"}, p.run(4, []string{"wget"}, 0, 8, false), "in the other order")
	p.run(3, []string{"python3", "-"}, 10, 0, false)
	require.Equal(t, piped{to: "python3", runner: "python3"}, p.run(4, []string{"wget"}, 0, 10, false))
	p.run(3, []string{"python3", "-m", "json.tool"}, 11, 0, false)
	require.Equal(t, piped{to: "python3"}, p.run(4, []string{"wget"}, 0, 11, false), "it has a program of its own")

	p.run(5, []string{"curl"}, 0, 20, false)
	require.Equal(t, piped{from: "curl"}, p.run(6, []string{"gunzip"}, 20, 21, false))
	require.Equal(t, piped{from: "curl"}, p.run(7, []string{"sh"}, 21, 0, false), "of three")
	p.run(8, []string{"sh"}, 31, 0, false)
	require.Equal(t, piped{to: "sh", runner: "sh"}, p.run(9, []string{"base64"}, 30, 31, false))
	require.Equal(t, piped{to: "sh", runner: "sh"}, p.run(10, []string{"curl"}, 0, 30, false), "of three, from the end")

	require.Equal(t, piped{}, p.pipes.started(&event.Event{}, process.Change{}, nil))
	p.run(11, []string{"odd"}, 40, 40, false) // reads what it writes: that ends nowhere
	for n := range maxPipes + 10 {
		p.run(12, []string{"x"}, uint64(1000+n), 0, false)
	}
	require.Len(t, p.pipes.ends, maxPipes)
}

func TestProcessSubstitution(t *testing.T) {
	p := newPlumber(t)
	p.fd(2, 11, "pipe:[7]")
	p.run(1, []string{"curl"}, 0, 7, true)
	require.Equal(t, piped{script: []string{"curl"}}, p.run(2, []string{"zsh", "/proc/self/fd/11"}, 0, 0, false))

	p.fd(3, 12, "pipe:[8]")
	require.Equal(t, piped{}, p.run(3, []string{"ksh", "/dev/fd/12"}, 0, 0, false))
	require.Equal(t, piped{to: "ksh", runner: "ksh"}, p.run(4, []string{"curl"}, 0, 8, true), "in the other order")

	p.substituted = 9
	p.run(6, []string{"curl"}, 0, 9, true)
	require.Equal(t, piped{script: []string{"curl"}}, p.run(7, []string{"bash", "/dev/fd/63"}, 0, 0, false), "as the kernel tells")
	p.substituted = 0

	p.fd(5, 62, "/tmp/script")
	for _, arg := range []string{"/dev/fd/63", "/dev/fd/62", "/dev/fd/x", "/dev/fd/", "/proc/self/fd/-1", "x"} {
		require.Equal(t, piped{}, p.run(5, []string{"bash", arg}, 0, 0, false), arg)
	}
}

func TestCommandSubstitution(t *testing.T) {
	const script = "echo hello\necho world"
	shell := func(p *plumber, args ...string) []string {
		p.now += uint64(time.Millisecond)
		return p.run(50, args, 0, 0, false).script
	}
	t.Run("simple", func(t *testing.T) {
		p := newPlumber(t, "-bash")
		p.run(1, []string{"curl"}, 0, 7, false)
		p.end(1)
		require.Equal(t, []string{"curl"}, shell(p, "bash", "-c", script))
		require.Empty(t, shell(p, "bash", "-c", script), "it was another output")
	})
	t.Run("with a filter", func(t *testing.T) {
		p := newPlumber(t, "-bash")
		p.run(2, []string{"base64"}, 7, 8, true)
		p.run(1, []string{"curl"}, 0, 7, true)
		p.end(1)
		p.end(2)
		require.Equal(t, []string{"curl"}, shell(p, "python3", "-uc", script))
	})
	t.Run("of several programs", func(t *testing.T) {
		p := newPlumber(t, "-bash")
		for n := range uint32(9) {
			p.run(1+n, []string{"curl" + strconv.Itoa(int(n/2))}, 0, 7, true)
			p.end(1 + n)
		}
		require.Equal(t, []string{"curl0", "curl1", "curl2", "curl3"}, shell(p, "bash", "-c", script))
	})
	t.Run("in place of the shell", func(t *testing.T) {
		p := newPlumber(t, "sh", "-c", `exec bash -c "$(curl x)"`)
		p.run(1, []string{"curl"}, 0, 7, false)
		p.end(1)
		p.shell.Name = "sh"
		ev := &event.Event{Header: event.Header{Type: event.TypeExec, Key: p.shell.Key, Time: p.now}}
		now := *p.shell
		now.Args = []string{"bash", "-c", script}
		require.Equal(t, []string{"curl"}, p.pipes.started(ev, process.Change{Process: &now, Before: p.shell}, nil).script)
	})
	for name, tt := range map[string]struct {
		prepare func(p *plumber)
		shell   []string
	}{
		"another program in between": {func(p *plumber) { p.run(3, []string{"ls"}, 0, 0, false) }, nil},
		"long after":                 {func(p *plumber) { p.now += uint64(soonAfter) }, nil},
		"of the shell's own command": {func(p *plumber) { p.shell.Args = []string{"sh", "-c", "x=$(curl y)\n" + script} }, nil},
		"a file":                     {func(*plumber) {}, []string{"bash", "script.sh", "-c", "x"}},
		"a long option":              {func(*plumber) {}, []string{"bash", "--rc", "x"}},
		"no script":                  {func(*plumber) {}, []string{"bash", "-c"}},
		"the shell has ended":        {func(p *plumber) { p.end(1000) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlumber(t, "-bash")
			p.run(1, []string{"curl"}, 0, 7, false)
			p.end(1)
			tt.prepare(p)
			if tt.shell == nil {
				tt.shell = []string{"bash", "-c", script}
			}
			require.Empty(t, shell(p, tt.shell...))
		})
	}
	t.Run("read by a program", func(t *testing.T) {
		p := newPlumber(t, "-bash")
		p.run(1, []string{"curl"}, 0, 7, false)
		p.run(2, []string{"jq"}, 7, 0, false)
		p.end(2)
		p.end(1)
		require.Empty(t, shell(p, "bash", "-c", script))
	})
	t.Run("the shell's own output", func(t *testing.T) {
		p := newPlumber(t, "-bash")
		p.fd(p.shell.Key.TGID, 1, "pipe:[7]")
		p.run(1, []string{"curl"}, 0, 7, false)
		p.end(1)
		require.Empty(t, shell(p, "bash", "-c", script))
	})
	t.Run("bounded", func(t *testing.T) {
		p := newPlumber(t, "-bash")
		for n := range uint32(maxTaken + 10) {
			p.shell = &process.Process{Key: process.Key{TGID: 10_000 + n}, Executed: 1}
			p.run(100_000+n, []string{"curl"}, 0, uint64(n)+1, false)
		}
		require.LessOrEqual(t, len(p.pipes.running), maxTaken)
		for n := range uint32(maxTaken + 10) {
			p.pipes.running[process.Key{TGID: n}] = output{shell: process.Key{TGID: n}}
			p.end(n)
		}
		require.LessOrEqual(t, len(p.pipes.taken), maxTaken)
	})
}

func TestScriptOf(t *testing.T) {
	for command, want := range map[string]string{
		"sh -c x":        "x",
		"bash -e -lc x":  "x",
		"perl -Mfoo -we": "",
		"perl -e x y":    "x",
		"php -r x":       "x",
		"python3 -":      "",
		"sh file -c x":   "",
		"bash +e -c x":   "x",
		"sh":             "",
		"":               "",
	} {
		require.Equal(t, want, scriptOf("sh", strings.Fields(command)), command)
	}
	require.Empty(t, scriptOf("sh", []string{"sh", "", "-c"}))
	require.Equal(t, "import x", scriptOf("python3", []string{"/usr/bin/env", "bash", "/root/.pyenv/shims/python3", "-c", "import x"}))
	require.Equal(t, "curl x|/bin/sh", scriptOf("sh", []string{"sh", "-c", "curl x|/bin/sh"}))
}
